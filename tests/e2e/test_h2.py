"""HTTP/2 as its clients see it: messages, windows, settings, priorities and the end, with every frame looked at. What is
wrong on purpose is in test_h2_errors.py."""
import signal

import h2client as h2
import pytest
from client import Ended
from h2client import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, INITIAL_WINDOW_SIZE, NO_ERROR,
                      PING, PREFACE, PRIORITY_UPDATE, Connection, GoneAway, Reset, fields_of, frame, ping, reset,
                      settings, window_update)

LARGE = 300_000


def connect(server, **how):
    return Connection(server.address, **how)


def next_data(c, stream=None):
    """The next DATA frame, of this stream if one is given."""
    while (got := c.step()).type != DATA or (stream and got.stream != stream):
        pass
    return got


# ---- Messages ----

def test_get_head_and_post(serve, site, everything):
    with connect(serve()) as c:
        assert c.get("/").text == "<h1>home</h1>\n"
        head = c.get("/", method="HEAD")
        assert (head.status, head.body, head["content-length"]) == (200, b"", "14")
        assert c.get("/nothing").status == 404
        assert c.get("/", method="POST", body=b"x").status == 405
        assert c.get("/", more=[("if-none-match", "*")]).status == 304
    with connect(everything()) as c:
        form = c.get("/fields", method="POST", body=b"name=me&a=b",
                     more=[("content-type", "application/x-www-form-urlencoded")])
        assert form.text == '{"pairs":2,"name":"me"}'


def test_the_same_page_over_both_versions(serve, site):
    """Every field of it, but those of the version."""
    server = serve()
    old = server.ask("/")
    with connect(server) as c:
        for _ in range(3):
            new = c.get("/")
            assert new.body == old.body
            assert dict(new.fields) == {name: value for name, value in old.fields if name != "date"} | {"date": new["date"]}


def test_cookies_in_crumbs_are_one(everything):
    """RFC 9113 8.2.3."""
    with connect(everything()) as c:
        assert c.get("/fields", more=[("cookie", "a=1"), ("cookie", "b=2; c=3")]).text == '{"pairs":3,"name":null}'


def test_a_request_byte_by_byte(serve, site):
    with connect(serve(), greet=None) as c:
        stream = frame(HEADERS, END_HEADERS | END_STREAM, 1, c.block(fields_of()))
        for octet in PREFACE + settings() + stream:
            c.send(bytes([octet]))
        assert c.read(1).text == "<h1>home</h1>\n"


def test_a_block_in_frames_of_one_octet(serve, site):
    with connect(serve()) as c:
        block = c.block(fields_of())
        c.send(frame(HEADERS, END_STREAM, 1, block[:1]), *[frame(CONTINUATION, 0, 1, block[at:at + 1])
               for at in range(1, len(block) - 1)], frame(CONTINUATION, END_HEADERS, 1, block[-1:]))
        assert c.read(1).status == 200


def test_a_hundred_streams_at_once(serve, site):
    pages = {f"/page{n}.txt": site.put(f"page{n}.txt", 1000 * n).read_bytes() for n in range(100)}
    with connect(serve()) as c:
        streams = {c.ask(path): content for path, content in pages.items()}
        for stream, content in streams.items():
            assert c.read(stream).body == content


def test_one_connection_for_thousands_of_requests(serve, site):
    """Both tables come round many times."""
    with connect(serve()) as c:
        for n in range(3000):
            fields = [(f"x-{n % 50}", f"value {n}"), ("accept-language", "en" * (n % 40))]
            response = c.get("/" if n % 3 else "/nothing", more=fields)
            assert response.status == (200 if n % 3 else 404)


@pytest.mark.parametrize("size", [0, 100, 4096, 65536])
def test_the_clients_table(everything, size):
    """SETTINGS_HEADER_TABLE_SIZE is obeyed: hpack's decoder refuses what does not fit it."""
    with connect(everything(), greet=[(h2.HEADER_TABLE_SIZE, size)]) as c:
        c.settle()
        c.decoder.max_allowed_table_size = size
        for _ in range(5):
            assert c.get("/fields").status == 200
            assert c.get("/prepared").text == "prepared\n"


def test_a_table_that_is_emptied_for_a_moment(everything):
    """Between two blocks (RFC 7541 4.2): whoever empties it and allows it again has forgotten what was in it."""
    with connect(everything()) as c:
        for _ in range(2):
            assert c.get("/fields").status == 200
        c.send(settings((h2.HEADER_TABLE_SIZE, 0), (h2.HEADER_TABLE_SIZE, 4096)))
        c.settle()
        c.decoder.header_table_size = 0
        for _ in range(2):
            assert c.get("/fields").status == 200


def test_heads_that_are_too_large_are_their_streams_business(serve, site):
    """431 for that one; the connection goes on, and the tables of both sides still agree."""
    with connect(serve()) as c:
        for more in [[("x", "y" * 40_000)], [(f"x-{n}", "z") for n in range(300)], [("x-a", "b" * 3000)] * 20]:
            streams = [c.ask(more=more if n == 1 else [("x-kept", "kept")]) for n in range(3)]
            assert [c.read(stream).status for stream in streams] == [200, 431, 200]
        assert c.get(more=[("x", "y" * 20_000)]).status == 200


# ---- Windows ----

def test_a_window_of_one_octet(serve, site):
    """RFC 9113 6.9.1: exactly what it lets through."""
    with connect(serve(), greet=[(INITIAL_WINDOW_SIZE, 1)], takes=False) as c:
        stream = c.ask()
        assert next_data(c).payload == b"<"
        c.settle()
        assert c.responses[stream].body == b"<"
        c.send(window_update(stream, 3))
        assert next_data(c).payload == b"h1>"
        c.send(window_update(stream, 100))
        assert c.read(stream).text == "<h1>home</h1>\n"


def test_windows_of_streams_change_with_the_setting(serve, site):
    """RFC 9113 6.9.2: up, and down below zero."""
    with connect(serve(), greet=[(INITIAL_WINDOW_SIZE, 0)], takes=False) as c:
        stream = c.ask()
        c.settle()
        assert c.responses[stream].body == b""
        c.send(settings((INITIAL_WINDOW_SIZE, 3)))
        assert next_data(c).payload == b"<h1"
        c.send(settings((INITIAL_WINDOW_SIZE, 1)))  # -2 now
        c.send(window_update(stream, 2)).settle()
        assert c.responses[stream].body == b"<h1"
        c.send(window_update(stream, 1))
        assert next_data(c).payload == b">"
        c.send(settings((INITIAL_WINDOW_SIZE, 1000)))
        assert c.read(stream).text == "<h1>home</h1>\n"


def test_the_connections_window(serve, site):
    """All streams together get no more than it has, and empty responses need none."""
    page = site.put("large.bin", LARGE).read_bytes()
    site.put("empty.txt", b"")
    with connect(serve(), greet=[(INITIAL_WINDOW_SIZE, 2**31 - 1)], takes=False) as c:
        streams = [c.ask("/large.bin") for _ in range(3)]
        c.settle()
        while sum(len(c.responses[stream].body) for stream in streams if stream in c.responses) < h2.WINDOW:
            c.step()
        c.settle()
        assert sum(len(c.responses[stream].body) for stream in streams if stream in c.responses) == h2.WINDOW
        assert c.get("/empty.txt").status == 200
        assert c.get("/", method="HEAD").status == 200
        c.send(window_update(0, 3 * LARGE))
        for stream in streams:
            assert c.read(stream).body == page


@pytest.mark.parametrize("size", [16384, 16385, 100_000, 2**24 - 1])
def test_no_frame_is_larger_than_the_client_takes(serve, site, size):
    page = site.put("large.bin", LARGE).read_bytes()
    greet = [(INITIAL_WINDOW_SIZE, 2**31 - 1), (h2.MAX_FRAME_SIZE, size)]
    with connect(serve(), greet=greet) as c:
        c.send(window_update(0, 2**30))
        stream, sizes = c.ask("/large.bin"), []
        while stream not in c.responses or not c.responses[stream].ended:
            got = c.step()
            sizes.append(len(got.payload))
        assert c.responses[stream].body == page and max(sizes) <= size


def test_an_upload_through_the_window(everything):
    """Larger than any window: it is opened again as content is taken; and no more was sent than there was."""
    size, sent = 3 << 20, 0
    with connect(everything()) as c:
        c.settle()
        c.send(frame(HEADERS, END_HEADERS, 1, c.block(fields_of("POST", "/receive", [("content-length", str(size))]))))
        while sent < size:
            while (most := min(16384, size - sent, c.may_send(1) - sent, c.may_send(0) - sent)) <= 0:
                c.step()
            c.send(frame(DATA, 0, 1, b"u" * most))
            sent += most
        c.send(frame(DATA, END_STREAM, 1))
        assert c.read(1).status == 200


# ---- The connection ----

def test_settings_and_pings_are_answered(serve, site):
    with connect(serve()) as c:
        c.settle()
        assert c.settled == 1
        c.send(settings((h2.HEADER_TABLE_SIZE, 0)), settings(), settings((0xABCD, 1))).settle()
        assert c.settled == 4
        c.send(ping(b"\0\1\2\3\4\5\6\7"))
        while (got := c.step()).type != PING:
            pass
        assert got.flags == ACK and got.payload == b"\0\1\2\3\4\5\6\7"


def test_a_client_that_is_going_gets_what_it_asked_for(serve, site):
    """GOAWAY from the client: its streams come to their end, then the connection does."""
    with connect(serve(), greet=[(INITIAL_WINDOW_SIZE, 5)], takes=False) as c:
        stream = c.ask()
        c.send(frame(GOAWAY, 0, 0, bytes(8)), window_update(stream, 1000))
        assert c.read(stream).text == "<h1>home</h1>\n"


def test_a_stream_that_is_reset_costs_the_others_nothing(serve, site):
    page = site.put("large.bin", LARGE).read_bytes()
    with connect(serve()) as c:
        for _ in range(20):
            streams = [c.ask("/large.bin") for _ in range(4)]
            c.send(reset(streams[1]))
            assert [c.read(stream).body == page for stream in (streams[0], streams[2], streams[3])] == [True] * 3


def test_the_server_goes_in_two_steps(everything):
    """RFC 9113 6.8: it says that it is going, then which stream is the last; what is in flight comes to its end."""
    server = everything()
    with connect(server) as c:
        c.send(frame(HEADERS, END_HEADERS, 1, c.block(fields_of("POST", "/receive")))).settle()
        server.tell(signal.SIGTERM)
        with pytest.raises(GoneAway) as first:
            c.read(1)
        assert (first.value.code, first.value.last_stream) == (NO_ERROR, 2**31 - 1)
        c.send(frame(HEADERS, END_HEADERS | END_STREAM, 3, c.block(fields_of(path="/text"))))
        with pytest.raises(GoneAway) as second:
            c.read(1)
        assert second.value.code == NO_ERROR and second.value.last_stream in (1, 3)
        c.send(frame(DATA, END_STREAM, 1, b"the rest"))
        assert c.read(1).status == 200
        if second.value.last_stream == 3:
            assert c.read(3).status == 200
        assert c.ends()
    server.wait()


# ---- Priorities ----

def order_of(c, streams):
    """In which order the streams' content ended."""
    ended = []
    while len(ended) < len(streams):
        got = c.step()
        if got.stream in streams and got.flags & END_STREAM and got.type in (DATA, HEADERS):
            ended.append(got.stream)
    return ended


@pytest.mark.parametrize("how", ["field", "frame before", "frame behind"])
def test_what_is_urgent_is_sent_first(serve, site, how):
    """RFC 9218: by the field, and by PRIORITY_UPDATE before its stream and behind."""
    site.put("large.bin", LARGE)
    urgencies = {1: 7, 3: 3, 5: 0, 7: 5}
    with connect(serve(), greet=[(INITIAL_WINDOW_SIZE, 2**31 - 1)], takes=False) as c:
        first = c.ask("/large.bin", stream=1, more=[("priority", "u=7")])
        while first not in c.responses or len(c.responses[first].body) < h2.WINDOW:
            c.step()  # until the connection has no window left
        for stream, urgency in list(urgencies.items())[1:]:
            update = frame(PRIORITY_UPDATE, 0, 0, stream.to_bytes(4, "big") + f"u={urgency}".encode())
            if how == "frame before":
                c.send(update)
            c.ask("/large.bin", stream=stream, more=[("priority", f"u={urgency}")] if how == "field" else ())
            if how == "frame behind":
                c.send(update)
        c.settle()
        c.send(window_update(0, 5 * LARGE))
        assert order_of(c, urgencies) == sorted(urgencies, key=urgencies.get)


@pytest.mark.parametrize("priority, in_turn", [("u=3", False), ("u=3, i", True)])
def test_what_is_incremental_is_sent_in_turn(serve, site, priority, in_turn):
    """And what is not, one behind the other, in the order of the streams."""
    site.put("large.bin", LARGE)
    with connect(serve(), greet=[(INITIAL_WINDOW_SIZE, 0)], takes=False) as c:
        streams = [c.ask("/large.bin", more=[("priority", priority)]) for _ in range(2)]
        c.send(window_update(0, 2**30)).settle()
        c.send(settings((INITIAL_WINDOW_SIZE, 2**30)))
        begun, ended = set(), []
        while len(ended) < 2:
            got = c.step()
            if got.type == DATA:
                begun.add(got.stream)
            if got.type == DATA and got.flags & END_STREAM:
                ended.append(got.stream)
                if len(ended) == 1:
                    assert (len(begun) == 2) == in_turn
        assert ended == streams


# ---- What is not HTTP/2 ----

@pytest.mark.parametrize("beginning", [b"INVALID CONNECTION PREFACE\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n",
                                       b"PRI * HTTP/2.1\r\n\r\nSM\r\n\r\n", b"PRI / HTTP/2.0\r\n\r\nSM\r\n\r\n"])
def test_what_is_no_preface(serve, site, beginning):
    """It ends, with an answer that any client can read, or with GOAWAY."""
    server = serve()
    received = server.close_of(beginning)
    assert received.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 505 ")) or received[3:4] in (b"\4", b"\7"), received
    assert server.works()


def test_a_preface_in_the_midst_of_http_1(serve, site):
    server = serve()
    with server.connect() as connection:
        assert connection.get("/").status == 200
        connection.send(PREFACE)
        assert connection.read().status in (400, 505)
        assert connection.ends()


def test_an_upgrade_of_old_is_ignored(serve, site):
    """RFC 9113 3.1: h2c is no longer."""
    with serve().connect() as connection:
        response = connection.get("/", connection="Upgrade, HTTP2-Settings", upgrade="h2c", http2_settings="AAMAAABkAAQAAP__")
        assert response.status == 200 and response.text == "<h1>home</h1>\n"


def test_a_connection_that_is_cut_anywhere(serve, site):
    """Whatever the client has said by then: nothing is left behind."""
    server = serve()
    with connect(server, greet=None) as c:
        said = PREFACE + settings() + frame(HEADERS, END_HEADERS | END_STREAM, 1, c.block(fields_of())) + ping()
    for size in range(len(said)):
        with connect(server, greet=None) as c:
            c.send(said[:size])
    assert server.works()
    with connect(server) as c, pytest.raises((Reset, GoneAway, Ended)):
        c.send(frame(DATA, END_STREAM, 1, b"x"))
        c.read(1)
