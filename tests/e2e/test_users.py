"""The examples: an API with its data in SQLite beside pages, users.c, and hello.c."""
import json
import signal
import threading

import pytest
from client import make_request
from program import EXAMPLES, wait_until

ADA = {"id": 1, "name": "Ada Lovelace", "email": "ada@example.org"}


def add(server, name, email, **how):
    return server.ask("/api/users", method="POST", body=json.dumps({"name": name, "email": email}).encode(), **how)


def all_users(server):
    response = server.ask("/api/getusers")
    assert (response.status, response["content-type"]) == (200, "application/json")
    return json.loads(response.body)["users"]


def test_users_are_listed_and_shown(users):
    server = users()
    assert all_users(server)[0] == ADA
    response = server.ask("/api/users/1")
    assert (response.status, json.loads(response.body)) == (200, ADA)


def test_a_user_is_added_and_found(users):
    server = users()
    created = add(server, "Grace Hopper", "grace@example.org")
    assert created.status == 201
    user = json.loads(created.body)
    assert (user["name"], user["email"]) == ("Grace Hopper", "grace@example.org")
    assert created["location"] == f"/api/users/{user['id']}"
    assert json.loads(server.ask(created["location"]).body) == user
    assert user in all_users(server)


def test_any_text_survives(users):
    server = users()
    name = "\"Bobby\" \\ Tables'); DROP TABLE users;-- \n\t\x01 ü 日本 \U0001f600 </script>"
    created = add(server, name, "bobby@example.org")
    assert json.loads(created.body)["name"] == name
    assert json.loads(server.ask(created["location"]).body)["name"] == name
    assert len(all_users(server)) == 4


def test_users_survive_a_restart(users):
    first = users()
    location = add(first, "Grace Hopper", "grace@example.org")["location"]
    before = all_users(first)
    first.stop()
    second = users()
    assert all_users(second) == before
    assert second.ask(location).status == 200


def test_mistakes_get_their_status(users):
    server = users()
    assert add(server, "Another Ada", "ada@example.org").status == 409
    for body in (b"", b"{", b"[]", b'{"name": "x"}', b'{"name": 1, "email": "x"}', b"\xff\xfe", b"null"):
        assert server.ask("/api/users", method="POST", body=body).status == 400, body
    assert server.ask("/api/users/999").status == 404
    assert server.ask("/api/users/x").status == 400
    assert server.ask("/api/users/99999999999999999999").status == 400
    assert server.ask("/api/users/").status in (400, 404)
    assert server.ask("/api/users/1/2").status == 404
    assert len(all_users(server)) == 3


def test_a_mistake_explains_itself_to_programs(users):
    response = users().ask("/api/users/999", accept="application/json")
    assert response["content-type"] == "application/problem+json"
    assert json.loads(response.body)["detail"] == "there is no user with this id"


def test_methods_come_by_themselves(users):
    server = users()
    get, head = server.ask("/api/getusers"), server.ask("/api/getusers", method="HEAD")
    assert (head.status, head.body, head["content-length"]) == (200, b"", get["content-length"])
    refused = server.ask("/api/users", method="DELETE")
    assert (refused.status, refused["allow"]) == (405, "POST, OPTIONS")
    assert server.ask("/api/users/1", method="OPTIONS")["allow"] == "GET, HEAD, OPTIONS"
    assert server.ask("/api/getusers", method="POST", body=b"x").status == 405


def test_routes_stand_beside_pages(users, site):
    site.put("api/getusers", "a file")
    server = users(site.path)
    assert server.ask("/").text == "<h1>home</h1>\n"
    assert all_users(server)[0] == ADA
    assert server.ask("/nothing").status == 404


def test_a_client_may_ask_before_it_sends(users):
    body = json.dumps({"name": "Grace Hopper", "email": "grace@example.org"}).encode()
    with users().connect() as connection:
        connection.send(make_request("POST", "/api/users", content_length=len(body), expect="100-continue"))
        assert connection.read_head().status == 100
        assert not connection.has_input()
        assert connection.send(body).read().status == 201
        assert connection.get("/api/getusers").status == 200


def test_a_client_that_asks_for_too_much_is_told_before_it_sends(users):
    with users().connect() as connection:
        connection.send(make_request("POST", "/api/users", content_length=2 << 20, expect="100-continue"))
        response = connection.read()
        assert response.status == 413 and response.closes
        assert connection.ends()


def test_another_expectation_fails(users):
    server = users()
    assert add(server, "x", "y", expect="a miracle").status == 417
    assert len(all_users(server)) == 3


def test_a_body_may_come_in_chunks(users):
    body = json.dumps({"name": "Grace Hopper", "email": "grace@example.org"}).encode()
    chunks = b"".join(b"%x;x=y\r\n%c\r\n" % (1, byte) for byte in body) + b"0\r\nX-Sum: x\r\n\r\n"
    with users().connect() as connection:
        response = connection.get("/api/users", method="POST", body=chunks, transfer_encoding="chunked")
        assert (response.status, json.loads(response.body)["name"]) == (201, "Grace Hopper")
        assert connection.get("/api/getusers").status == 200


def test_a_body_has_a_limit(users):
    server, large = users(), b"x" * (2 << 20)
    for sent in (make_request("POST", "/api/users", body=large),
                 make_request("POST", "/api/users", body=b"%x\r\n%s\r\n0\r\n\r\n" % (len(large), large),
                              transfer_encoding="chunked")):
        with server.connect() as connection:
            sender = threading.Thread(target=quietly, args=(connection.send, sent))
            sender.start()
            response = connection.read()
            sender.join()
            assert response.status == 413 and response.closes
    below = b'{"name": "%s", "email": "long"}' % (b"x" * ((1 << 20) - 100))
    assert server.ask("/api/users", method="POST", body=below).status == 201


def quietly(send, data):
    try:
        send(data)
    except ConnectionError:
        pass


def test_50_clients_at_once(users):
    server, problems = users(), []

    def live(number):
        try:
            with server.connect() as connection:
                for turn in range(4):
                    user = {"name": f"user {number}", "email": f"{number}.{turn}@example.org"}
                    created = connection.get("/api/users", method="POST", body=json.dumps(user).encode())
                    assert created.status == 201
                    shown = json.loads(connection.get(created["location"]).body)
                    assert shown == {"id": shown["id"], **user}
                    assert connection.get("/api/users/1").status == 200
        except Exception as problem:
            problems.append(problem)

    clients = [threading.Thread(target=live, args=(number,)) for number in range(50)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    assert not problems
    assert len({user["email"] for user in all_users(server)}) == 3 + 50 * 4


def test_pipelined_requests_of_both_kinds_keep_their_order(users, site):
    targets = ["/api/getusers", "/", "/api/users/1", "/nothing"] * 50
    with users(site.path).connect() as connection:
        connection.send(b"".join(make_request(target=target) for target in targets))
        answers = [connection.read() for _ in targets]
    assert [answer.status for answer in answers] == [200, 200, 200, 404] * 50
    assert all(json.loads(answer.body) == ADA for answer in answers[2::4])


def test_a_half_closed_client_is_answered(users):
    with users().connect() as connection:
        connection.ask("/api/users/1").half_close()
        assert json.loads(connection.read().body) == ADA
        assert connection.ends()


def test_clients_that_leave_before_their_answer_harm_nobody(users):
    server = users()
    idle = server.count_sockets()
    for turn in range(60):
        connection = server.connect().ask("/api/getusers").ask("/api/users/1")
        connection.reset() if turn % 2 else connection.close()
    assert all_users(server)[0] == ADA
    wait_until(lambda: server.count_sockets() <= idle, "the connections to go")


def test_every_answer_is_logged(users):
    server = users()
    add(server, "Grace Hopper", "grace@example.org")
    server.ask("/api/users/1")
    wait_until(lambda: server.out.count("\n") == 2, "the log")
    lines = [json.loads(line) for line in server.out.splitlines()]
    assert {(line["method"], line["target"], line["status"]) for line in lines} == {
        ("POST", "/api/users", 201), ("GET", "/api/users/1", 200)}


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_ends_when_told_and_its_log_is_whole(users, number):
    server = users()
    with server.connect() as idle:
        server.ask("/api/users/1")
        assert server.stop(number) == 0
        assert idle.ends()
    assert [json.loads(line)["target"] for line in server.out.splitlines()] == ["/api/users/1"]


def test_the_smallest_example(start, port_8080):
    server = start([EXAMPLES / "hello"], ready="")
    server.expected_status = -15  # it leaves signals to the system
    server.address = ("127.0.0.1", port_8080)
    wait_until(lambda: can_connect(server), "it to listen")
    response = server.ask("/hello")
    assert (response.text, response["content-type"]) == ("Hello, world!\n", "text/plain; charset=utf-8")
    assert server.ask("/").status == 404


def can_connect(server):
    try:
        server.connect().close()
    except ConnectionRefusedError:
        return False
    return True
