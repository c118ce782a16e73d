"""The example postgres.c, with a database of its own: queries that do not block a loop, and that end with their client."""
import json

import pytest
from database import Database, find
from program import EXAMPLES, wait_until


@pytest.fixture(scope="module")
def database():
    if not find("postgres"):
        pytest.skip("PostgreSQL is not installed: ./dev setup test")
    made = Database()
    yield made
    made.remove()


@pytest.fixture
def notes(start, database):
    """notes(): the example, with a table that is empty."""
    program = EXAMPLES / "postgres"
    if not program.exists():
        pytest.skip("the example postgres was not built: libpq-dev is missing")
    database.ask("DROP TABLE IF EXISTS notes")

    def serve_notes():
        return start([program, database.where], ready=r"serving http://localhost:(\d+)/", env={"LISTEN": "127.0.0.1:0"})

    return serve_notes


def texts(server, query=""):
    response = server.ask("/notes" + query)
    assert (response.status, response["content-type"]) == (200, "application/json")
    return [note["text"] for note in json.loads(response.body)]


def dozing(database):
    """How many queries sleep."""
    return int(database.ask("SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%FROM pg_sleep%'"
                            " AND pid <> pg_backend_pid()"))


def test_notes_are_added_and_listed(notes, database):
    server = notes()
    assert texts(server) == []
    names = ["Buy milk", "'; DROP TABLE notes; --", "ü 日本 \U0001f600 \" \\ \n", "x" * 500_000]
    for name in names:
        response = server.ask("/notes", method="POST", body=name.encode())
        assert response.status == 201, response
        assert json.loads(response.body)[0]["text"] == name
    assert texts(server) == names
    assert texts(server, "?with=milk") == ["Buy milk"]
    assert database.ask("SELECT count(*) FROM notes") == "4"


def test_mistakes_get_their_status(notes, database):
    server = notes()
    for body, status in [(b"", 400), (b"a\0b", 400), (b"\xff\xfe", 400)]:
        assert server.ask("/notes", method="POST", body=body).status == status
    assert server.ask("/sleep/long").status == 400
    texts(server)
    database.ask("DROP TABLE notes")
    assert server.ask("/notes").status == 500
    assert server.ask("/sleep/0").status == 200


def test_the_loop_goes_on_while_a_query_runs(notes, database):
    server = notes()
    with server.connect() as slow, server.connect() as other:
        slow.ask("/sleep/3")
        wait_until(lambda: dozing(database) == 1, "the query to begin")
        for _ in range(8):  # each on either of the two loops
            assert server.ask("/nothing").status == 404
        other.ask("/nothing")
        assert other.read().status == 404
        assert not slow.has_input()
        assert json.loads(slow.read().body) == [{"id": 0, "text": "slept"}]


def test_each_gets_the_answer_to_its_own_question(notes):
    server = notes()
    clients = [server.connect() for _ in range(60)]
    for number, client in enumerate(clients):
        client.ask("/notes", method="POST", body=f"note {number}".encode())
    for number, client in enumerate(clients):
        response = client.read()
        assert response.status == 201 and json.loads(response.body)[0]["text"] == f"note {number}"
        client.close()
    assert sorted(texts(server)) == sorted(f"note {number}" for number in range(60))


@pytest.mark.parametrize("how", ["reset", "close", "half_close"])
def test_a_query_ends_with_its_client(notes, database, how):
    server = notes()
    client = server.connect().ask("/sleep/600")
    wait_until(lambda: dozing(database) == 1, "the query to begin")
    getattr(client, how)()
    wait_until(lambda: dozing(database) == 0, "the query to be cancelled")
    for _ in range(8):
        assert texts(server) == []
    client.close()


def test_queries_behind_one_that_is_cancelled_are_answered(notes, database):
    server = notes()
    slow = [server.connect().ask("/sleep/600") for _ in range(4)]
    wait_until(lambda: dozing(database) >= 1, "a query to begin")
    behind = [server.connect().ask("/notes") for _ in range(8)]
    gone_at_once = server.connect().ask("/sleep/600")
    for client in [gone_at_once, *slow]:
        client.close()
    for client in behind:
        assert client.read().status == 200
        client.close()
    wait_until(lambda: dozing(database) == 0, "all of them to be cancelled")


def test_a_database_that_goes_and_comes(notes, database):
    server = notes()
    assert texts(server) == []
    with server.connect() as waiting:
        waiting.ask("/sleep/600")
        wait_until(lambda: dozing(database) == 1, "the query to begin")
        database.stop()
        assert waiting.read().status in (500, 503)
    wait_until(lambda: server.ask("/notes").status == 503, "a 503")
    assert server.ask("/nothing").status == 404
    database.start()
    wait_until(lambda: server.ask("/notes").status == 200, "notes again")
    assert texts(server) == []


def test_what_is_under_way_is_answered_at_the_end(notes, database):
    server = notes()
    with server.connect() as slow:
        slow.ask("/sleep/1")
        wait_until(lambda: dozing(database) == 1, "the query to begin")
        server.tell(15)
        assert slow.read().status == 200
    assert server.wait() == 0
