"""The example site as a person meets it: in a headless Chromium, with the API behind it. Skipped only where there is no
Chromium or no Selenium to drive it."""
import json
import os
import re
import shutil
import signal

import pytest
from client import PATIENCE
from program import RAWHTTPD, ROOT

SITE = ROOT / "examples" / "site"
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium")
CHROMEDRIVER = os.environ.get("CHROMEDRIVER") or shutil.which("chromedriver")

webdriver = pytest.importorskip("selenium.webdriver", reason="python3-selenium is not installed")
from selenium.webdriver.chrome.service import Service  # noqa: E402
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.remote.remote_connection import RemoteConnection  # noqa: E402
from selenium.webdriver.support.ui import WebDriverWait  # noqa: E402

pytestmark = [
    pytest.mark.skipif(not CHROMIUM, reason="chromium is not installed"),
    pytest.mark.skipif(not CHROMEDRIVER, reason="chromium-driver is not installed"),
]

USERS = {"Ada Lovelace": "ada@example.org", "Alan Turing": "alan@example.org",
         "Katherine Johnson": "katherine@example.org"}
PAGES = ("/", "/about", "/learn/", "/nothing/here")

# A browser of its own which asks nobody but the server under test.
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
             "--no-first-run", "--no-proxy-server", "--disable-background-networking", "--disable-component-update",
             "--disable-sync", "--disable-breakpad", "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")


class Browser:
    """A driver, and the questions that these tests ask of it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, server, path="/", scheme="http"):
        self.console()  # what earlier pages said is not this one's
        self.driver.get(f"{scheme}://127.0.0.1:{server.address[1]}{path}")
        return self

    def view(self, width, scheme="light"):
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": 844, "deviceScaleFactor": 1, "mobile": width < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": scheme}, {"name": "prefers-reduced-motion", "value": "reduce"}]})
        return self

    def find(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        return [element.text for element in self.driver.find_elements(By.CSS_SELECTOR, selector)]

    def run(self, script, *arguments):
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition, what):
        WebDriverWait(self.driver, PATIENCE, poll_frequency=0.05).until(lambda _: condition(), what)

    def console(self):
        """What the console has said since it was last asked, warnings and errors."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] in ("SEVERE", "WARNING")]

    @property
    def path(self):
        return self.run("return location.pathname")

    @property
    def status(self):
        """The status with which the page came."""
        return self.run("return performance.getEntriesByType('navigation')[0].responseStatus")


@pytest.fixture(scope="module")
def driver(tmp_path_factory):
    folder = tmp_path_factory.mktemp("chromium")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for argument in (*ARGUMENTS, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    RemoteConnection.set_timeout(3 * PATIENCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("no_proxy", "127.0.0.1,localhost")  # the way to the driver
        service = Service(CHROMEDRIVER, env={**os.environ, "HOME": str(folder)})
        started = webdriver.Chrome(service=service, options=options)
        started.set_page_load_timeout(PATIENCE)
        started.set_script_timeout(PATIENCE)
        yield started
        started.quit()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def browser(driver):
    return Browser(driver).view(1280)


@pytest.fixture
def server(users):
    return users(SITE)


def luminance(color):
    """Of a computed colour, by WCAG."""
    channels = [int(value) / 255 for value in re.findall(r"\d+", color)[:3]]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one, other):
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_home_page_arrives_whole(server, browser):
    browser.open(server)
    assert browser.driver.title == "rawhttp: from socket to socket"
    assert browser.status == 200
    assert browser.run("return performance.getEntriesByType('navigation')[0].nextHopProtocol") == "http/1.1"
    sheet = browser.run("return document.styleSheets[0].cssRules.length")
    assert sheet > 50
    assert browser.find("h1").value_of_css_property("font-weight") == "700"
    assert browser.find("h1").value_of_css_property("letter-spacing").startswith("-"), "the style sheet was not applied"
    assert not browser.console()


@pytest.mark.parametrize("path", PAGES)
def test_images_are_shown(server, browser, path):
    browser.open(server, path)
    browser.run("for (const image of document.images) image.loading = 'eager'")
    browser.wait(lambda: browser.run("return [...document.images].every((image) => image.complete)"), "the images")
    widths = browser.run("return [...document.images].map((image) => [image.getAttribute('src'), image.naturalWidth])")
    assert len(widths) >= (1 if path == "/learn/" else 2)
    assert all(width > 0 for _, width in widths), widths


def test_button_shows_the_users_of_the_api(server, browser):
    known = {user["name"]: user["email"] for user in json.loads(server.ask("/api/getusers").body)["users"]}
    assert known == USERS
    browser.open(server)
    assert browser.texts("#users tbody tr") == []
    browser.find("#load-users").click()
    browser.wait(lambda: len(browser.texts("#users tbody tr")) == 3, "three users")
    assert dict(zip(browser.texts("#users tbody th"), browser.texts("#users td:last-child"))) == USERS
    assert browser.texts("#users td.id") == ["1", "2", "3"]
    assert browser.find("#users-state").text == "3 users."
    # What went over the wire is shown as well.
    assert browser.find("#wire summary code").text == "GET /api/getusers"
    assert browser.find("#wire .status").text == "200 OK"
    assert re.fullmatch(r"(< 0\.1|\d+\.\d) ms", browser.find("#wire .took").text)
    sent, received = browser.texts("#wire pre")
    assert sent.startswith("GET /api/getusers HTTP/1.1\n")
    assert received.startswith("HTTP/1.1 200 OK\n") and "content-type: application/json" in received
    assert received.endswith(server.ask("/api/getusers").text)
    assert not browser.console()


def add_user(browser, name, email):
    for field, value in (("name", name), ("email", email)):
        element = browser.find(f"#add-user [name={field}]")
        element.clear()
        element.send_keys(value)
    browser.find("#add-user button").click()


def test_a_user_can_be_added_once(server, browser):
    browser.open(server)
    add_user(browser, "Grace <b>Hopper</b>", "grace@example.org")
    browser.wait(lambda: len(browser.texts("#users tbody tr")) == 4, "a fourth user")
    assert browser.texts("#users tbody th")[-1] == "Grace <b>Hopper</b>", "what a person typed became markup"
    assert browser.find("#add-state").text == "Added as /api/users/4."
    assert json.loads(server.ask("/api/users/4").body)["email"] == "grace@example.org"
    assert not browser.console()
    add_user(browser, "Somebody Else", "grace@example.org")
    browser.wait(lambda: "fault" in browser.find("#add-state").get_attribute("class"), "a refusal")
    assert browser.find("#add-state").text == "409 Conflict: there is a user with this email already"
    assert len(json.loads(server.ask("/api/getusers").body)["users"]) == 4


def test_a_server_that_is_gone_is_told(server, browser):
    browser.open(server)
    server.stop()
    browser.find("#load-users").click()
    browser.wait(lambda: "fault" in browser.find("#users-state").get_attribute("class"), "the news")
    assert browser.find("#users-state").text == "No answer came. Is the server still running?"


def test_without_an_api_the_page_says_what_to_run(serve, browser):
    browser.open(serve(root=SITE))
    browser.find("#load-users").click()
    browser.wait(lambda: "fault" in browser.find("#users-state").get_attribute("class"), "a refusal")
    assert browser.find("#users-state").text.startswith("404 Not Found: there is no API here. ./dev run")


def test_link_leads_to_the_about_page(server, browser):
    browser.open(server)
    browser.find("nav a[href='/about']").click()
    browser.wait(lambda: browser.path == "/about", "the about page")
    assert browser.find("h1").text == "About rawhttp"
    assert browser.status == 200
    assert browser.find("nav a[aria-current=page]").text == "About"
    assert not browser.console()


def test_missing_page_is_the_sites_own_404(server, browser):
    browser.open(server, "/nothing/here")
    assert browser.status == 404
    assert browser.find("h1").text == "Nothing is here."
    browser.find("main a[href='/']").click()
    browser.wait(lambda: browser.path == "/", "the first page")
    assert browser.status == 200


def test_again_the_browser_asks_with_a_condition(server, browser):
    """Not always the first time: a page that has been encoded meanwhile is another representation."""

    def asked_with_a_condition():
        browser.driver.refresh()
        return re.search(r'"target":"/","status":304', server.out)

    browser.open(server)
    browser.wait(asked_with_a_condition, "a 304 in the access log")
    assert browser.find("h1").is_displayed()


@pytest.mark.parametrize("width", (320, 390, 768, 1920))
def test_nothing_is_wider_than_the_window(server, browser, width):
    browser.view(width)
    for path in PAGES:
        browser.open(server, path)
        if path == "/":
            browser.find("#load-users").click()
            browser.wait(lambda: len(browser.texts("#users tbody tr")) == 3, "three users")
        assert browser.run("return document.documentElement.scrollWidth") <= width, path
        assert browser.run("return innerWidth") == width, "the page was zoomed out to fit"


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_text_is_readable(server, browser, scheme):
    browser.view(1280, scheme).open(server)
    paper = browser.find("body").value_of_css_property("background-color")
    assert (luminance(paper) < 0.1) == (scheme == "dark")
    for selector in ("h1", ".lead", "main a:not(.button)", "figcaption", ".refused .status", "footer p"):
        color = browser.find(selector).value_of_css_property("color")
        assert contrast(color, paper) >= 4.5, selector
    button = browser.find(".button")
    assert contrast(button.value_of_css_property("color"), button.value_of_css_property("background-color")) >= 4.5


def test_everything_can_be_reached_by_keyboard(server, browser):
    browser.open(server)
    wanted = browser.run("return [...document.querySelectorAll('a, button, input')].length")
    seen = []
    for _ in range(wanted):
        browser.driver.switch_to.active_element.send_keys(Keys.TAB)
        element = browser.driver.switch_to.active_element
        assert element.value_of_css_property("outline-style") == "solid", element.get_attribute("outerHTML")
        seen.append(element)
    assert len(set(seen)) == wanted
    assert seen[0].get_attribute("class") == "skip"


def test_nothing_comes_from_anywhere_else(server, browser):
    for path in PAGES:
        browser.open(server, path)
        origins = browser.run("return performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)")
        assert set(origins) == {f"http://127.0.0.1:{server.address[1]}"}


@pytest.fixture
def listed(site, serve):
    """A server that lists folders, with all sorts of names in one."""
    (site.path / "index.html").unlink()
    for name, size in (("a large film.mp4", 3_000_000), ("notes.txt", 10), ("<b>&amp;", 2000), ("größe 100%.csv", 70_000),
                       ("folder/inside.txt", 4), ("zoo/x.txt", 4), ("a?b#c.txt", 5), ("x" * 120 + ".bin", 1)):
        site.put(f"files/{name}", size)
    return serve("--list")


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_a_folder_is_shown_sorted_and_can_be_walked(listed, browser, scheme):
    browser.view(1280, scheme).open(listed, "/files/")
    assert browser.status == 200 and browser.driver.title == "Index of files/"
    names = browser.texts("tbody th")
    assert names[:3] == ["Parent folder", "folder/", "zoo/"] and "<b>&amp;" in names
    assert browser.find("table").value_of_css_property("border-top-style") == "solid", "the style was not applied"
    paper = browser.find("body").value_of_css_property("background-color")
    assert (luminance(paper) < 0.1) == (scheme == "dark")
    for selector in ("h1", "p", "thead a", "tbody a", "tbody td"):
        assert contrast(browser.find(selector).value_of_css_property("color"), paper) >= 4.5, selector
    browser.find("thead th:nth-child(2) a").click()
    browser.wait(lambda: browser.run("return location.search") == "?sort=size&order=desc", "the order by size")
    assert browser.texts("tbody th")[3] == "a large film.mp4"
    assert browser.find("thead th:nth-child(2)").get_attribute("aria-sort") == "descending"
    for link, path in (("folder/", "/files/folder/"), ("Parent folder", "/files/"), ("a?b#c.txt", "/files/a%3Fb%23c.txt")):
        browser.driver.find_element(By.LINK_TEXT, link).click()
        browser.wait(lambda: browser.path == path, path)  # noqa: B023
        assert browser.status == 200
    # The first file was not asked for an icon that is not there, and nothing else was refused by the policy.
    assert not [message for message in browser.console() if "favicon" not in message]


@pytest.mark.parametrize("width", (320, 390, 1280))
def test_a_folder_fits_the_window(listed, browser, width):
    browser.view(width).open(listed, "/files/")
    assert browser.run("return document.documentElement.scrollWidth") <= width


APPLICATION = """<!doctype html>
<title>Application</title>
<link rel="icon" href="data:,">
<script type="module" src="/app.js"></script>
<nav><a href="/users/17">A user</a></nav>
<main></main>
"""
SCRIPT = """\
const show = () => document.querySelector('main').textContent = `This is ${location.pathname}`;
document.querySelector('a').addEventListener('click', (event) => {
  event.preventDefault();
  history.pushState(null, '', event.target.href);
  show();
});
addEventListener('popstate', show);
show();
"""


def test_an_application_of_one_page(site, serve, browser):
    """Its addresses can be followed, reloaded and opened; what it loads and is not there is not itself again."""
    site.put("index.html", APPLICATION)
    site.put("app.js", SCRIPT)
    server = serve("--fallback", "/index.html")
    shows = lambda text: browser.wait(lambda: browser.find("main").text == text, text)  # noqa: E731
    browser.open(server)
    shows("This is /")
    browser.find("nav a").click()
    shows("This is /users/17")
    browser.driver.refresh()
    shows("This is /users/17")
    assert browser.status in (200, 304)
    browser.open(server, "/deep/er/link?a=b")
    shows("This is /deep/er/link")
    assert not browser.console()
    statuses = browser.run("return Promise.all(['/missing.js', '/missing'].map((path) => fetch(path)"
                           ".then((answer) => answer.status)))")
    assert statuses == [404, 404]


def test_a_chat(chat, browser):
    browser.open(chat)
    browser.wait(lambda: browser.find("#state").text == "connected", "the WebSocket")
    for text in ("Hello, Chromium", "Grüße \U0001f600 <b>", "long " * 99):
        browser.run("document.forms[0].text.value = arguments[0]; document.forms[0].requestSubmit()", text)
        browser.wait(lambda: text.strip() in browser.texts("#said li"), text)
    assert "somebody has come" in browser.texts("#said li")
    assert not browser.console()


def fill_in(browser, **fields):
    for name, text in fields.items():
        browser.find(f"[name={name}]").send_keys(text)
    browser.find("form button").click()


def entries(browser, element):
    """By a script: the elements may be replaced at any moment."""
    return browser.run("return [...document.querySelectorAll('#entries ' + arguments[0])].map((one) => one.innerText)",
                       element)


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_a_guest_book(guestbook, browser, scheme):
    server = guestbook()
    browser.view(1280, scheme).open(server)
    reader = browser.driver.current_window_handle
    browser.driver.switch_to.new_window("tab")
    browser.view(1280, scheme).open(server)
    fill_in(browser, name="Ada <b>", text="Hello, <script>document.title = 'taken'</script>\nsecond line")
    browser.wait(lambda: entries(browser, "cite") == ["Ada <b>"], "the entry")
    assert browser.path == "/" and browser.status == 200
    browser.driver.refresh()  # signs nothing twice
    browser.wait(lambda: entries(browser, "cite") == ["Ada <b>"], "the entry")
    paper = browser.find("body").value_of_css_property("background-color")
    for selector in ("h1", "label", "#entries p", "time"):
        color = browser.run("return getComputedStyle(document.querySelector(arguments[0])).color", selector)
        assert contrast(color, paper) >= 4.5, selector
    assert not browser.console()
    browser.driver.close()
    browser.driver.switch_to.window(reader)  # who has had the page open all the time
    browser.wait(lambda: entries(browser, "cite") == ["Ada <b>"], "the news")
    assert entries(browser, "p") == ["Hello, <script>document.title = 'taken'</script>\nsecond line"]
    assert browser.driver.title == "Guest book"
    assert browser.run("return document.documentElement.scrollWidth") <= 1280
    assert not browser.console()


@pytest.mark.parametrize("scheme", ("light", "dark"))
def test_an_upload(uploads, scratch, browser, scheme):
    server = uploads()
    name = "film <img src=x onerror=alert(1)>.bin"
    (scratch / name).write_bytes(os.urandom(20 << 20))
    browser.view(1280, scheme).open(server)
    browser.run("""window.steps = [];
        new MutationObserver(() => steps.push(document.querySelector('progress').value))
            .observe(document.getElementById('state'), { childList: true })""")
    browser.find("[type=file]").send_keys(str(scratch / name))
    browser.find("form button").click()
    browser.wait(lambda: browser.find("#state").text == f"{name} is there.", "the end of the upload")
    browser.wait(lambda: browser.run("return document.querySelectorAll('#files tr').length") == 1, "the list")
    steps = browser.run("return steps")
    assert steps == sorted(steps) and steps[-1] == 1, steps
    assert browser.texts("#files td") == [name, "20,971,520"]
    assert (scratch / "uploads" / "1").read_bytes() == (scratch / name).read_bytes()
    link = browser.find("#files a")
    assert (link.get_attribute("download"), link.get_attribute("href").rpartition("/")[2]) == (name, "1")
    paper = browser.find("body").value_of_css_property("background-color")
    for selector in ("h1", "label", "#state", "#files a", "#files td"):
        assert contrast(browser.find(selector).value_of_css_property("color"), paper) >= 4.5, selector
    assert not browser.console()


def test_an_upload_that_is_refused_or_cancelled(uploads, browser):
    server = uploads()
    browser.open(server)
    browser.run("""const file = new File(['x'], 'x'.repeat(300)), all = new DataTransfer();
        all.items.add(file);
        document.querySelector('[type=file]').files = all.files""")
    browser.find("form button").click()
    browser.wait(lambda: "a name of up to 255 bytes" in browser.find("#state").text, "the refusal")
    assert browser.find("form button").is_enabled()
    server.tell(signal.SIGSTOP)
    try:
        browser.find("form button").click()
        browser.find("#cancel").click()
        browser.wait(lambda: browser.find("#state").text == "Cancelled.", "the end")
    finally:
        server.tell(signal.SIGCONT)
    assert browser.texts("#files td") == []


ECHO = """
const [path, messages, done] = arguments;
const socket = new WebSocket(location.href.replace(/^http/, 'ws').replace(/[^/]*$/, path)), heard = [];
socket.binaryType = 'arraybuffer';
socket.onopen = () => messages.forEach((size) => socket.send(size < 0 ? new Uint8Array(-size) : 'x'.repeat(size)));
socket.onmessage = (event) => {
  heard.push(typeof event.data === 'string' ? event.data.length : -event.data.byteLength);
  if (heard.length === messages.length)
    socket.close(3000, 'enough');
};
socket.onclose = (event) => done([heard, socket.extensions, event.code, event.reason, event.wasClean]);
"""


def test_an_echo_over_a_websocket(start, browser):
    program = RAWHTTPD.parent / "tests" / "e2e" / "sockets"
    if not program.exists():
        pytest.skip("the tests' own programs were not built")
    server = start([program], ready=r"listening on http://[^:]*:(\d+)")
    browser.open(server, "/state")
    messages = [0, 1, 125, 126, 65535, 65536, 1 << 20, -1, -300, -(1 << 20)]
    heard, extensions, code, reason, clean = browser.driver.execute_async_script(ECHO, "echo", messages)
    assert heard == messages
    assert "permessage-deflate" in extensions
    assert (code, reason, clean) == (3000, "", True)
    assert browser.driver.execute_async_script(ECHO, "plain", messages)[:2] == [messages, ""]
    assert browser.driver.execute_async_script(ECHO, "echo", [(1 << 20) + 1])[2] == 1009


def test_opens_over_tls(browser, serve):
    """By HTTP/2, with a certificate that nobody trusts, of which this browser was told not to mind it."""
    server = serve("--tls-self-signed", "--listen", "https://127.0.0.1:0", root=SITE,
                   ready=r"listening on https://[^:]*:(\d+)")
    browser.driver.execute_cdp_cmd("Security.setIgnoreCertificateErrors", {"ignore": True})
    browser.open(server, "/about", scheme="https")
    assert browser.status == 200 and browser.console() == []
    loaded = browser.run("return performance.getEntries().filter(e => e.nextHopProtocol !== undefined)"
                         ".map(e => [e.name, e.nextHopProtocol])")
    assert len(loaded) > 1 and {protocol for _, protocol in loaded} == {"h2"}, loaded


def test_a_hundred_resources_over_one_connection(browser, serve, site):
    """All of them come by HTTP/2, and are whole."""
    count = 100
    for number in range(count):
        site.put(f"{number}.js", f"window.loaded = (window.loaded || 0) + 1; // {'x' * 500 * number}\n")
    scripts = "".join(f"<script src='/{number}.js'></script>" for number in range(count))
    site.put("index.html", f"<!doctype html><title>many</title><link rel=icon href='data:,'>{scripts}")
    server = serve("--tls-self-signed", "--listen", "https://127.0.0.1:0", ready=r"listening on https://[^:]*:(\d+)")
    browser.driver.execute_cdp_cmd("Security.setIgnoreCertificateErrors", {"ignore": True})
    browser.open(server, "/", scheme="https")
    assert browser.run("return window.loaded") == count and browser.console() == []
    loaded = browser.run("return performance.getEntriesByType('resource')"
                         ".map(e => [e.nextHopProtocol, e.responseStatus])")
    assert loaded == [["h2", 200]] * count
