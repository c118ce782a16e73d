"""The example csv.c: a long table made while it is sent, with what proves it whole behind it."""
import csv
import gzip
import io
import time

import pytest
from client import Response, make_request
from program import EXAMPLES, sanitizer, wait_until

PATH = "/measurements.csv"
MIB = 1 << 20


@pytest.fixture
def table(start):
    if not (EXAMPLES / "csv").exists():
        pytest.skip("the examples were not built")
    server = start([EXAMPLES / "csv"], ready=r"http://localhost:(\d+)/", env={"LISTEN": "127.0.0.1:0"})
    server.expected_status = -15  # it leaves signals to the system
    return server


def load(server, query="", **fields):
    """The head, the content as it came, and the trailers."""
    head, _, rest = server.close_of(make_request(target=PATH + query, connection="close", **fields)).partition(b"\r\n\r\n")
    content, at = [], 0
    while size := int(rest[at:(end := rest.index(b"\r\n", at))], 16):
        content.append(rest[end + 2:end + 2 + size])
        at = end + 2 + size + 2
    trailers = dict(line.split(": ") for line in rest[end + 2:].decode().splitlines() if line)
    return Response(head), b"".join(content), trailers


def checksum(content):
    value = 0xcbf29ce484222325
    for byte in content:
        value = (value ^ byte) * 0x100000001b3 % (1 << 64)
    return f"{value:016x}"


def test_a_table_is_whole_and_says_so(table):
    head, content, trailers = load(table, "?rows=5000")
    assert head.status == 200 and head["content-type"] == "text/csv; charset=utf-8; header=present"
    assert head["content-disposition"] == "attachment; filename=measurements.csv"
    assert head["trailer"] == "X-Rows, X-Checksum"
    rows = list(csv.reader(io.StringIO(content.decode(), newline=""), strict=True))
    assert rows[0] == ["number", "time", "place", "celsius"] and {len(row) for row in rows} == {4}
    assert [row[0] for row in rows[1:]] == [str(number) for number in range(1, 5001)]
    assert rows[1][1] == "2025-01-01T00:01:00Z" and rows[-1][1] == "2025-01-04T11:20:00Z"
    assert trailers == {"X-Rows": "5000", "X-Checksum": checksum(content)}


def test_it_is_compressed_for_whom_that_is_right(table):
    plain, content, trailers = load(table, "?rows=5000")
    packed, squeezed, same = load(table, "?rows=5000", accept_encoding="gzip")
    assert packed["content-encoding"] == "gzip" and packed["vary"] == plain["vary"] == "Accept-Encoding"
    assert gzip.decompress(squeezed) == content and len(squeezed) < len(content) / 3
    assert trailers == same and plain["etag"] != packed["etag"]


def test_a_million_rows_are_the_default(table):
    _, content, trailers = load(table)
    assert trailers["X-Rows"] == "1000000"
    assert content.count(b"\r\n") == 1000001 and content.splitlines()[-1].startswith(b"1000000,")


def test_the_edges_of_how_many(table):
    assert load(table, "?rows=0")[1] == b"number,time,place,celsius\r\n"
    assert load(table, "?rows=0")[2] == {"X-Rows": "0", "X-Checksum": checksum(b"number,time,place,celsius\r\n")}
    for rows in ("", "-1", "x", "1.5", "100000001", "99999999999999999999"):
        assert table.ask(f"{PATH}?rows={rows}").status == 400, rows
    with table.connect() as connection:
        assert connection.ask(f"{PATH}?rows=100000000").read_head().status == 200


def test_who_has_it_already_is_told(table):
    etag = table.ask(f"{PATH}?rows=3", method="HEAD")["etag"]
    assert table.ask(f"{PATH}?rows=3", if_none_match=etag).status == 304
    assert table.ask(f"{PATH}?rows=4", method="HEAD", if_none_match=etag).status == 200


def test_for_1_0_it_ends_with_the_connection(table):
    answer = table.close_of(b"GET /measurements.csv?rows=3 HTTP/1.0\r\n\r\n")
    head, _, content = answer.partition(b"\r\n\r\n")
    assert b"chunked" not in head and content.count(b"\r\n") == 4


def test_a_slow_client_costs_no_memory(table):
    """A table of some 5 GB is asked for, a little of it is read, and then nothing: nothing more is made."""
    table.ask(PATH, method="HEAD")
    before = table.memory()
    with table.connect() as connection:
        connection.ask(f"{PATH}?rows=100000000").read_head()
        connection.read_some(20 * MIB)
        wait_until(lambda: is_idle(table), "it to wait for the client")
        assert sanitizer() or table.memory() - before < 4 * MIB
        connection.read_some(MIB)  # and it goes on
        connection.reset()
    wait_until(lambda: is_idle(table), "it to notice")


def is_idle(server):
    before = server.cpu_seconds()
    time.sleep(0.2)
    return server.cpu_seconds() == before
