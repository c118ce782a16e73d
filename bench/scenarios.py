"""What is asked: each scenario is one request or several, how they are sent, the content that must come back, and who
takes part."""
import json
from dataclasses import dataclass

import mix
import websocket
from contenders import ITEMS

PEERS = ("nginx", "h2o", "lighttpd")
SECURE_SERVERS = ("rawhttpd", "rawhttpd again", "nginx", "h2o")
PAGE_SERVERS = ("rawhttpd", "rawhttpd again", *PEERS)
BROWSER_SERVERS = ("rawhttpd", "rawhttpd again", "rawhttpd ruled", *PEERS)
LIBRARIES = ("example", "example again", "microhttpd", "facil.io", "facil.io text", "mongoose", "mongoose text")
ECHO_SERVERS = ("example", "example again", "facil.io", "mongoose")
ALL_SERVERS = ("rawhttpd", "rawhttpd again", "rawhttpd logging", "rawhttpd ruled", *PEERS)

# What Chromium says of a request, by what it is for: its destination and mode (Fetch), and what it would like to have.
BROWSER_FIELDS = (
    "Connection: keep-alive",
    'sec-ch-ua: "Chromium";v="126", "Not.A/Brand";v="24", "Google Chrome";v="126"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Sec-Fetch-Site: same-origin",
    "Referer: http://www.example.com/articles/index.html",
    "Accept-Encoding: gzip, deflate, br, zstd",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
)
DOCUMENT = ("document", "navigate",
            "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8")
IMAGE = ("image", "no-cors", "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8")
DESTINATIONS = {
    "html": DOCUMENT, "css": ("style", "no-cors", "text/css,*/*;q=0.1"), "js": ("script", "no-cors", "*/*"),
    "woff2": ("font", "cors", "*/*"), "json": ("empty", "cors", "*/*"), "svg": IMAGE, "webp": IMAGE, "jpg": IMAGE,
    "png": IMAGE, "ico": IMAGE,
}
BROWSER_REQUEST_SIZE = 900


def text(size):
    """A page of exactly so many bytes."""
    line = b"<p>The quick brown fox jumps over the lazy dog; and so it goes on until the page is full.</p>\n"
    return (b"<!doctype html>\n<title>A page</title>\n" + line * (size // len(line) + 1))[:size - 1] + b"\n"


# The folders to be served.
FOLDERS = {
    "pages": {"page.html": text(1024), "10k.html": text(10 << 10), "100k.bin": text(100 << 10),
              "1m.bin": text(1 << 20)},
    "mix": mix.make_files(),
    "visit": {f"{number:02}.{('css', 'js', 'svg', 'png', 'html')[number % 5]}": text(400 + 240 * number)
              for number in range(50)},
}


@dataclass(frozen=True)
class Ask:
    """One request, and what has to come back."""
    request: bytes
    content: bytes
    target: str = ""       # for those that do not send these bytes
    encoded: bool = False  # in one of the codings that the request names; which is the server's to say
    is_json: bool = False  # so that it may be written in another way


def plain(target, content, *fields):
    lines = (f"GET {target} HTTP/1.1", "Host: www.example.com", *fields, "", "")
    return Ask("\r\n".join(lines).encode(), content, target)


def item_list(count, m):
    """What examples/bench makes of its data set."""
    items = json.loads(ITEMS.read_bytes())[:count]
    made = [{**item, "total": item["price"] * item["quantity"] * m} for item in items]
    return Ask(plain(f"/json/{count}?m={m}", b"").request, json.dumps({"count": len(made), "items": made}).encode(),
               is_json=True)


def message(content):
    return Ask(websocket.masked(content), content)


def browsed(folder, name):
    """As a browser asks. All such requests have one size, by which the floor counts them: a cookie makes up for the
    differences."""
    destination, mode, accepted = DESTINATIONS[name.rpartition(".")[2]]
    lines = (f"GET /{name} HTTP/1.1", "Host: www.example.com", *BROWSER_FIELDS, f"Sec-Fetch-Mode: {mode}",
             f"Sec-Fetch-Dest: {destination}", f"Accept: {accepted}", "Cookie: theme=dark; session=")
    request = "\r\n".join(lines).ljust(BROWSER_REQUEST_SIZE - 4, "c") + "\r\n\r\n"
    return Ask(request.encode(), FOLDERS[folder][name], encoded=mix.is_text(name))


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    asks: tuple                       # one after the other, and again
    servers: tuple = PAGE_SERVERS     # the first is the one whose answers the floor repeats, and of the A/A control
    folder: str = "pages"
    pipelined: int = 1
    connections: int = 64
    idle: bool = False
    websocket: bool = False           # asks are messages, answered with their echoes
    tls: bool = False
    handshakes: str = ""              # "full" or "resumed": one for each request
    streams: int = 0                  # HTTP/2, with so many requests under way on each connection
    visits: bool = False              # each: one connection, on which all is asked for at once
    base: str = "no-parse"            # to whom the others are compared

    @property
    def scheme(self):
        return "https" if self.tls else "http"

    @property
    def closes(self):
        return b"\r\nConnection: close\r\n" in self.asks[0].request


def secure(name, title, file="page.html", **more):
    """The floor knows neither TLS nor HTTP/2."""
    return page(name, title, file, tls=True, base="nginx", servers=SECURE_SERVERS, **more)


def multiplexed(name, title, file="page.html", **more):
    return page(name, title, file, base="h2o", servers=SECURE_SERVERS, **{"streams": 32, "connections": 16, **more})


def page(name, title, file="page.html", fields=(), **more):
    return Scenario(name, title, (plain(f"/{file}", FOLDERS["pages"][file], *fields),), **more)


SCENARIOS = {scenario.name: scenario for scenario in (
    page("page", "1 KiB page, 64 connections kept alive", servers=ALL_SERVERS),
    page("pipelined", "1 KiB page, 64 connections, 16 requests pipelined", servers=ALL_SERVERS, pipelined=16),
    Scenario("handler", "a small dynamic answer, 64 connections kept alive", (plain("/hello", b"Hello, world!\n"),),
             servers=("handler", "handler again", "nginx")),
    Scenario("handler-pipelined", "a small dynamic answer, 64 connections, 16 requests pipelined",
             (plain("/hello", b"Hello, world!\n"),), servers=("handler", "handler again", "nginx"), pipelined=16),
    Scenario("json", "JSON of 50 items made for each request by C libraries, 64 connections kept alive",
             (item_list(50, 6),), servers=LIBRARIES),
    Scenario("baseline", "the sum of two parameters, 64 connections kept alive",
             (plain("/baseline11?a=13&b=42", b"55"),), servers=("example", "example again")),
    Scenario("websocket", "echo of a short text message, 64 WebSockets, one message at a time",
             (message(b"Hello from a WebSocket client!"),), servers=ECHO_SERVERS, websocket=True),
    Scenario("idle-websocket", "memory of idle WebSockets, each after one message",
             (message(b"Hello from a WebSocket client!"),), servers=("example", "facil.io", "mongoose"),
             connections=5000, idle=True, websocket=True),
    Scenario("headers", "1 KiB page as a browser asks for it, encoded, 64 connections kept alive",
             (browsed("pages", "page.html"),), servers=BROWSER_SERVERS),
    Scenario("mix", "a site's page, styles, scripts, fonts and images as a browser asks for them, encoded, "
             "64 connections kept alive", tuple(browsed("mix", name) for name in FOLDERS["mix"]),
             servers=BROWSER_SERVERS, folder="mix"),
    page("size10k", "10 KiB page, 64 connections kept alive", "10k.html"),
    page("size100k", "100 KiB file, 64 connections kept alive", "100k.bin"),
    page("size1m", "1 MiB file, 16 connections kept alive", "1m.bin", connections=16),
    page("idle", "memory of idle connections, each after one 1 KiB page", connections=5000, idle=True),
    secure("tls", "1 KiB page over TLS, 64 connections kept alive"),
    secure("tls-100k", "100 KiB file over TLS, 64 connections kept alive", "100k.bin"),
    secure("tls-full", "1 KiB page over TLS, a connection with a whole handshake for each request, 8 at a time",
           connections=8, handshakes="full"),
    secure("tls-resumed", "1 KiB page over TLS, a connection that resumes a session for each request, 8 at a time",
           connections=8, handshakes="resumed"),
    secure("idle-tls", "memory of idle connections over TLS, each after one 1 KiB page", connections=2000, idle=True),
    multiplexed("h2", "1 KiB page over HTTP/2, 16 connections of 32 streams"),
    multiplexed("h2-100k", "100 KiB file over HTTP/2, 16 connections of 32 streams", "100k.bin"),
    multiplexed("h2-tls", "1 KiB page over HTTP/2 and TLS, 16 connections of 32 streams", tls=True),
    multiplexed("h2-tls-100k", "100 KiB file over HTTP/2 and TLS, 16 connections of 32 streams", "100k.bin", tls=True),
    Scenario("h2-visit", "50 small files over HTTP/2 and TLS on a connection of their own, time to the last byte",
             tuple(plain(f"/{name}", content) for name, content in FOLDERS["visit"].items()), servers=SECURE_SERVERS,
             folder="visit", connections=1, streams=50, tls=True, visits=True, base="h2o"),
    multiplexed("idle-h2", "memory of idle HTTP/2 connections, each after one 1 KiB page", connections=5000,
                streams=1, idle=True),
    page("close", "1 KiB page, a new connection for each request, 64 at a time", fields=("Connection: close",)),
)}
