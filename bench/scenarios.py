"""What is asked: each scenario is a request, how it is sent, the content that must come back, and who takes part."""
from dataclasses import dataclass, field

PAGE_SERVERS = ("rawhttpd", "rawhttpd again", "nginx", "h2o", "lighttpd")
PAGE_SERVERS_AND_LOG = ("rawhttpd", "rawhttpd again", "rawhttpd logging", "nginx", "h2o", "lighttpd")

# What a browser sends, but for the codings it takes: the reading of fields is measured here, not compression.
BROWSER_FIELDS = (
    "Connection: keep-alive",
    "Cache-Control: max-age=0",
    'sec-ch-ua: "Chromium";v="126", "Not.A/Brand";v="24", "Google Chrome";v="126"',
    "sec-ch-ua-mobile: ?0",
    'sec-ch-ua-platform: "Linux"',
    "Upgrade-Insecure-Requests: 1",
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36",
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8",
    "Sec-Fetch-Site: same-origin",
    "Sec-Fetch-Mode: navigate",
    "Sec-Fetch-User: ?1",
    "Sec-Fetch-Dest: document",
    "Referer: http://www.example.com/articles/index.html",
    "Accept-Encoding: identity",
    "Accept-Language: en-GB,en;q=0.9,de;q=0.8",
    "Cookie: theme=dark; visited=1",
)


def text(size):
    """A page of exactly so many bytes."""
    line = b"<p>The quick brown fox jumps over the lazy dog; and so it goes on until the page is full.</p>\n"
    return (b"<!doctype html>\n<title>A page</title>\n" + line * (size // len(line) + 1))[:size - 1] + b"\n"


PAGES = {"page.html": text(1024), "10k.html": text(10 << 10), "100k.bin": text(100 << 10), "1m.bin": text(1 << 20)}


@dataclass(frozen=True)
class Scenario:
    name: str
    title: str
    target: str
    content: bytes
    servers: tuple = PAGE_SERVERS     # the first is the one whose answer the floor repeats, and of the A/A control
    fields: tuple = ()
    pipelined: int = 1
    connections: int = 64
    idle: bool = False
    request: bytes = field(init=False)

    def __post_init__(self):
        lines = (f"GET {self.target} HTTP/1.1", "Host: www.example.com", *self.fields, "", "")
        object.__setattr__(self, "request", "\r\n".join(lines).encode())

    @property
    def closes(self):
        return "Connection: close" in self.fields


def page(name, title, file="page.html", **more):
    return Scenario(name, title, f"/{file}", PAGES[file], **more)


SCENARIOS = {scenario.name: scenario for scenario in (
    page("page", "1 KiB page, 64 connections kept alive", servers=PAGE_SERVERS_AND_LOG),
    page("pipelined", "1 KiB page, 64 connections, 16 requests pipelined", servers=PAGE_SERVERS_AND_LOG, pipelined=16),
    Scenario("handler", "a small dynamic answer, 64 connections kept alive", "/hello", b"Hello, world!\n",
             servers=("handler", "handler again", "nginx")),
    page("headers", "1 KiB page asked for with a browser's fields, 64 connections kept alive", fields=BROWSER_FIELDS),
    page("size10k", "10 KiB page, 64 connections kept alive", "10k.html"),
    page("size100k", "100 KiB file, 64 connections kept alive", "100k.bin"),
    page("size1m", "1 MiB file, 16 connections kept alive", "1m.bin", connections=16),
    page("idle", "memory of idle connections, each after one 1 KiB page", connections=5000, idle=True),
    page("close", "1 KiB page, a new connection for each request, 64 at a time", fields=("Connection: close",)),
)}
