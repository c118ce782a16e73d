"""Modules: shared objects that rawhttpd loads. Each is compiled here against the source tree's headers, as its author
would do it; and the example users in both of its forms."""
import json
import os
import re
import shutil
import signal
import subprocess

import pytest
from client import make_request
from program import EXAMPLES, RAWHTTPD, ROOT, run, sanitizer, wait_until

GREET = """\
#include <rawhttp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void greet(rh_request *request, void *user)
{
    rh_json(request, "{\\"name\\":%S,\\"settings\\":%s}", rh_param(request, "name"), (char *)user);
}

static void mark(rh_request *request, void *user)
{
    rh_set(request, "X-Marked", user);
    rh_next(request);
}

static int begin(rh_server *server, const char *settings, void **user)
{
    char pattern[100];
    *user = strdup(settings);
    snprintf(pattern, sizeof pattern, "GET /%.20s/{name}", *settings ? settings : "greet");
    rh_use(server, "/marked", mark, *user);
    return rh_route(server, pattern, greet, *user);
}

static void end(void *user)
{
    fprintf(stderr, "the end of %s\\n", (char *)user);
    free(user);
}

const rh_module rawhttp_module = { .abi = RH_ABI, .size = sizeof(rh_module), .name = "greet", .version = "1.2",
                                   .begin = begin, .end = end };
"""

# Begins in the way that its settings say, and always ends.
MOODS = """\
#include <rawhttp.h>
#include <stdio.h>
#include <string.h>

static void nothing(rh_request *request, void *user) { (void)user; rh_text(request, "nothing"); }

static int begin(rh_server *server, const char *settings, void **user)
{
    *user = (void *)settings;
    if (strcmp(settings, "refuse") == 0)
        return rh_module_refuse(server, "there is no %s\\n in sight", "database");
    if (strcmp(settings, "pattern") == 0)
        rh_route(server, "GET nowhere", nothing, NULL);
    return strcmp(settings, "silent") == 0;
}

static void end(void *user) { fprintf(stderr, "the end of %s\\n", (char *)user); }

const rh_module rawhttp_module = { RH_ABI, sizeof(rh_module), "moods", NULL, begin, end };
"""

# A WebSocket, whose room is freed after the server; and answers that others finish.
ROOM = """\
#include <rawhttp.h>
#include <stdio.h>
#include <time.h>

static void opened(rh_socket *socket, void *room) { rh_topic_join(room, socket); }

static void message(rh_socket *socket, void *room, enum rh_message_kind kind, rh_slice text)
{
    (void)socket;
    rh_topic_send(room, kind, text.data, text.size);
}

static void enter(rh_request *request, void *room)
{
    static const rh_websocket_options options = { .opened = opened, .message = message };
    rh_websocket(request, &options, room);
}

static void take_a_while(rh_request *request, void *user)
{
    (void)user;
    fprintf(stderr, "at work\\n");
    nanosleep(&(struct timespec){ .tv_nsec = 300 * 1000 * 1000 }, NULL);
    rh_text(request, "done");
}

static void slow(rh_request *request, void *user) { rh_background(request, take_a_while, user); }

static int begin(rh_server *server, const char *settings, void **user)
{
    (void)settings;
    rh_topic *room = *user = rh_topic_new(server, (rh_topic_options){ 0 });
    rh_route(server, "GET /slow", slow, NULL);
    return rh_route(server, "GET /room", enter, room);
}

static void end(void *user) { rh_topic_free(user); }

const rh_module rawhttp_module = { .abi = RH_ABI, .size = sizeof(rh_module), .name = "room", .begin = begin, .end = end };
"""

# What it has to say stands in the log of the program.
TALKER = """\
#include <rawhttp.h>

static void talk(rh_request *request, void *server)
{
    rh_log_write(server, RH_LOG_WARN, "talker: asked by %s", "somebody");
    rh_empty(request);
}

static int begin(rh_server *server, const char *settings, void **user)
{
    (void)user;
    rh_log_write(server, RH_LOG_INFO, "talker: begins with \\"%s\\"", settings);
    return rh_route(server, "GET /talk", talk, server);
}

const rh_module rawhttp_module = { .abi = RH_ABI, .size = sizeof(rh_module), .name = "talker", .begin = begin };
"""

pytestmark = pytest.mark.skipif(b"cannot load modules" in RAWHTTPD.read_bytes(), reason="a static program has no modules")


@pytest.fixture
def build(scratch):
    """build(name, source, options...): compiles NAME.so, in a folder of modules."""
    folder = scratch / "modules"
    folder.mkdir()

    def compile_module(name, source, *options, compiler=os.environ.get("CC", "cc"), language="c"):
        path = folder / f"{name}.so"
        subprocess.run([*compiler.split(), "-shared", "-fPIC", "-Wall", "-Wextra", "-Werror", "-I", ROOT / "include",
                        *options, "-x", language, "-", "-o", path], input=source, text=True, check=True)
        return path

    return compile_module


def refusal(*arguments, **how):
    """What rawhttpd says when it does not start: one line."""
    ended = run("--listen", "127.0.0.1:0", "--access-log", "off", *arguments, **how)
    assert ended.returncode == 2, ended
    return ended.stderr


# ---- Loaded ----

def test_a_module_answers_beside_pages(build, serve):
    path = build("greet", GREET)
    server = serve("--module", path)
    response = server.ask("/greet/Ada%20L")
    assert (response.status, json.loads(response.body)) == (200, {"name": "Ada L", "settings": ""})
    assert server.ask("/").text == "<h1>home</h1>\n"
    assert server.ask("/greet/Ada", method="POST").status == 405
    assert re.search(r"module greet 1\.2, .*/greet\.so", server.log)
    assert server.stop() == 0
    assert server.log.count("the end of ") == 1


def test_settings_and_two_of_them(build, serve, scratch):
    build("greet", GREET)
    server = serve("--module", "greet.so first", "--module=./greet.so  second", cwd=scratch / "modules")
    for settings in ("first", "second"):
        assert json.loads(server.ask(f"/{settings}/x").body) == {"name": "x", "settings": settings}
    server.stop()
    assert re.findall("the end of (.*)", server.log) == ["second", "first"]


def test_middleware_comes_before_pages(build, serve, site):
    site.put("marked/page.html", "a page\n")
    server = serve("--module", f"{build('greet', GREET)} yes")
    assert server.ask("/marked/page")["x-marked"] == "yes"
    assert server.ask("/marked/nothing")["x-marked"] == "yes"
    assert "x-marked" not in server.ask("/")


def test_named_by_the_configuration(build, serve_config):
    build("greet", GREET)
    server = serve_config('module "modules/greet.so" { settings = "of-a-file" }\nroot = "site"\n')
    assert json.loads(server.ask("/of-a-file/x").body)["settings"] == "of-a-file"


def test_named_by_the_environment(build, serve):
    server = serve(env={"RAWHTTP_MODULE": f"{build('greet', GREET)} variable"})
    assert server.ask("/variable/x").status == 200


def test_one_that_is_linked_with_the_library(build, serve):
    """It need not be; what it calls is the program's all the same."""
    folder = RAWHTTPD.parent / "src"
    if not (folder / "librawhttp.so").exists() or sanitizer():
        pytest.skip("no library without sanitizers to link with")
    server = serve("--module", build("greet", GREET, f"-L{folder}", f"-Wl,-rpath,{folder}", "-Wl,--no-as-needed",
                                     "-lrawhttp"))
    assert server.ask("/greet/x").status == 200


@pytest.mark.skipif(shutil.which("g++") is None, reason="no compiler of C++")
def test_one_in_cpp(build, serve):
    source = (ROOT / "tests/languages/program.cpp").read_text()
    server = serve("--module", f"{build('cpp', source, compiler='g++', language='c++')} world")
    assert json.loads(server.ask("/hello").body) == {"hello": "world"}


def test_what_it_says_stands_in_the_log(build, serve):
    server = serve("--module", f"{build('talker', TALKER)} words")
    assert server.ask("/talk").status == 204
    lines = server.log.splitlines()
    assert lines[0] == 'rawhttpd: talker: begins with "words"'
    assert "rawhttpd: warning: talker: asked by somebody" in lines


def test_what_is_in_flight_is_finished(build, serve):
    server = serve("--module", build("room", ROOM))
    with server.connect() as connection:
        connection.send(make_request(target="/slow"))
        wait_until(lambda: "at work" in server.log, "the work to begin")
        server.tell(signal.SIGTERM)
        response = connection.read()
    assert (response.status, response.text) == (200, "done")
    assert server.wait() == 0


def test_a_room_outlives_the_server(build, serve):
    """A topic with a member that is still connected when the server ends."""
    server = serve("--module", build("room", ROOM))
    upgrade = {"connection": "Upgrade", "upgrade": "websocket", "sec_websocket_version": "13",
               "sec_websocket_key": "dGhlIHNhbXBsZSBub25jZQ=="}
    with server.connect() as connection:
        connection.send(make_request(target="/room", **upgrade))
        assert connection.read_head().status == 101
        connection.send(b"\x81\x82\x00\x00\x00\x00hi")
        assert connection.read_bytes(4) == b"\x81\x02hi"
        server.tell(signal.SIGTERM)
        server.tell(signal.SIGINT)
        assert connection.read_to_end() is not None
    server.expected_status = server.wait()
    assert server.expected_status in (0, 1)


# ---- Checked and shown ----

def test_checking_loads_and_does_not_begin(build, scratch):
    build("moods", MOODS)
    config = scratch / "site.conf"
    config.write_text('module "modules/moods.so" { settings = "refuse" }\n')
    checked = run("-t", "-c", config)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, f"{config}: ok\n", "")
    config.write_text('\nmodule "modules/moods.so" { }\nmodule "modules/none.so" { }\nmodule "site.conf" { }\n')
    checked = run("-t", "-c", config)
    assert (checked.returncode, checked.stderr) == (
        2, f"{config}:3: module: {scratch}/modules/none.so: No such file or directory\n"
           f"{config}:4: module: {config}: it is no shared object; make one of its source: cc -shared -fPIC\n")


def test_explaining_knows_its_routes(build):
    ended = run("--module", build("greet", GREET), "--explain", "GET /greet/x")
    assert ended.returncode == 0 and "a handler answers" in ended.stdout and '"name":"x"' not in ended.stderr
    assert "the end of" in ended.stderr


def test_what_holds_is_shown(build):
    path = build("greet", GREET)
    shown = run("--print-config", "--module", f"{path} a b")
    assert re.search(rf'\nmodule "{path}" {{ +# flag\n    settings = "a b"\n}}\n', shown.stdout)


# ---- Refused ----

def test_what_is_no_module_is_refused(build, scratch):
    plain = build("plain", "int x;\n")
    assert refusal("--module", plain) == \
        f"rawhttpd: --module: {plain}: it is no module for rawhttpd: it has no rawhttp_module\n"
    missing = scratch / "none.so"
    assert refusal("--module", missing) == f"rawhttpd: --module: {missing}: No such file or directory\n"
    assert refusal("--module", RAWHTTPD).startswith(f"rawhttpd: --module: {RAWHTTPD}: it cannot be loaded: "), \
        "a program is no shared object"


def test_another_interface_is_refused(build):
    for abi, why in (("RH_ABI + 1", "1, this"), ("77", "77, this")):
        path = build("other", GREET.replace(".abi = RH_ABI", f".abi = {abi}"))
        said = refusal("--module", path)
        assert re.fullmatch(rf"rawhttpd: --module: {path}: it was built for interface {why} rawhttpd \(.*\) has 0; "
                            r"rebuild it with this version's rawhttp\.h\n", said)


def test_one_that_is_not_filled_in_is_refused(build):
    for change, why in (((".size = sizeof(rh_module), ", ""), "size has to be sizeof(rh_module)"),
                        ((".size = sizeof(rh_module)", ".size = sizeof(rh_module) - 1"), "size has to be sizeof(rh_module)"),
                        (('.name = "greet", ', ""), "it has no name"),
                        ((".begin = begin, ", ""), "it has no begin")):
        path = build("other", GREET.replace(*change), "-Wno-error=unused-function")
        assert refusal("--module", path) == \
            f"rawhttpd: --module: {path}: its rawhttp_module is not filled in: {why}\n"


def test_a_newer_one_that_knows_more(build, serve):
    """What this version does not know is allowed as long as it is not used."""
    source = GREET.replace("const rh_module rawhttp_module = {", "struct newer { rh_module known; long more; };\n"
                           "RH_API const struct newer newer __asm__(\"rawhttp_module\");\nconst struct newer newer = { {") \
        .replace(".size = sizeof(rh_module)", ".size = sizeof(struct newer)").replace(".end = end };", ".end = end }, MORE };")
    assert serve("--module", build("newer", source, "-DMORE=0")).ask("/greet/x").status == 200
    path = build("wanting", source, "-DMORE=1")
    assert re.fullmatch(rf"rawhttpd: --module: {path}: it was built for a newer rawhttpd, and asks for what this one \(.*\) "
                        r"does not know\n", refusal("--module", path))


def test_what_it_calls_is_not_there(build):
    call = GREET.replace("static void greet", "extern void NAME(void);\nvoid use(void);\nvoid use(void) { NAME(); }\n"
                         "static void greet", 1)
    path = build("newer", call, "-DNAME=rh_of_tomorrow")
    assert re.fullmatch(rf"rawhttpd: --module: {path}: it calls rh_of_tomorrow, which this rawhttpd \(.*\) does not have; "
                        r"it needs a newer one\n", refusal("--module", path))
    path = build("alone", call, "-DNAME=some_other_thing")
    assert refusal("--module", path) == f"rawhttpd: --module: {path}: it calls some_other_thing, which is nowhere; " \
                                        "link it with the library that has it\n"


def test_why_it_does_not_begin(build, scratch):
    path = build("moods", MOODS)
    assert refusal("--module", f"{path} refuse") == \
        f"rawhttpd: --module: {path}: there is no database\\x0a in sight\nthe end of refuse\n"
    assert refusal("--module", f"{path} silent") == \
        f"rawhttpd: --module: {path}: it does not begin, and does not say why\nthe end of silent\n"
    said = refusal("--module", f"{path} fine", "--module", f"{path} pattern", "--module", f"{path} never").splitlines()
    assert said[1].startswith(f"rawhttpd: --module: {path}: GET nowhere: ")
    assert said[2:] == ["the end of pattern", "the end of fine"]
    config = scratch / "site.conf"
    config.write_text('# settings\nmodule "modules/moods.so" { settings = "refuse" }\n')
    assert refusal("-c", config).startswith(f"{config}:2: module: {path}: there is no database")


# ---- The example ----

def test_the_example_as_a_module(serve, scratch):
    module = EXAMPLES / "users.so"
    if not module.exists():
        pytest.skip("the example users was not built: SQLite is missing")
    server = serve("--module", f"{module} {scratch / 'users.db'}")
    added = server.ask("/api/users", method="POST", body=b'{"name": "Grace Hopper", "email": "grace@example.org"}')
    assert added.status == 201
    assert json.loads(server.ask(added["location"]).body)["name"] == "Grace Hopper"
    assert len(json.loads(server.ask("/api/getusers").body)["users"]) == 4
    nowhere = scratch / "none" / "users.db"
    assert refusal("--module", f"{module} {nowhere}") == \
        f"rawhttpd: --module: {module}: {nowhere}: unable to open database file\n"
