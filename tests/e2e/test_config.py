"""The configuration file, the environment and the command line together: what is checked, what holds, what is said."""
import os
import re
import subprocess

import pytest
from program import RAWHTTPD, run

EXAMPLE = """\
# The site of the manual page.
listen     = {"http://127.0.0.1:0"}
root       = "www"
cache_size = "16M"                      # enough

rule "/assets/*"      { cache_control = "public, max-age=31536000, immutable" }
rule "/old/{rest...}" { redirect = "/new/{rest}"  status = 301 }
rule "/private/*"     { basic_auth = "htpasswd" }
rule "/*"             { headers = {"X-Frame-Options: DENY",   # no frames
                                   "X-Quote: \\"a\\" \\\\ ${b}"}
                        cors    = "https://app.example" }

host "docs.example.org *.docs.example.org" {
    root        = "docs"
    fallback    = "/index.html"
    types       = {"mjs text/javascript"}
    error_pages = {"404 /lost.html"}
}
"""


@pytest.fixture
def config(scratch):
    """config(text): a file with that text, beside folders that it may name."""
    for name in ("www", "docs"):
        (scratch / name).mkdir()
        (scratch / name / "index.html").write_text(f"{name}\n")
    (scratch / "htpasswd").write_text("anna:$2b$05$abcdefghijklmnopqrstuupx2xBUC4954936wVIjyyPHmUBFu0wCW\n")

    def write(text, name="site.conf"):
        path = scratch / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def shown(*arguments, **variables):
    """What --print-config shows: {key: (value, origin)} of the lines that begin with a key, and all of it."""
    done = run("--print-config", *arguments, env=variables)
    assert (done.returncode, done.stderr) == (0, ""), done
    rows = re.findall(r"^(\w+) = (.*?) +# (.*)$", done.stdout, re.MULTILINE)
    return {key: (value, origin) for key, value, origin in rows}, done.stdout


def checked(path, status, *lines):
    """-t says exactly this, each line behind the name of the file."""
    done = run("-t", "-c", path)
    assert done.returncode == status, done
    assert done.stderr.splitlines() == [f"{path}:{line}" for line in lines]
    return done.stdout


# ---- Checking ----

def test_a_file_without_mistakes_whose_parts_are_all_served(config):
    path = config('root = www\nlisten = "127.0.0.1:0"\nno_encodings = true\n')
    assert checked(path, 0) == f"{path}: ok\n"


def test_every_mistake_in_one_go(config):
    path = config("""\
cashe_size = "1M"
workers = many
listen = {":80", ":81 https://:443"}
root = 'www'
rule "/a" { redirect = nowhere
            headers = {"Date: today"} }
location / { deny all; }
host "" { status = 404 }
""")
    assert checked(
        path, 2,
        "1: unknown key cashe_size; did you mean cache_size?",
        '2: workers: "many" is not a number from 1 to 256',
        '3: listen: ":81 https://:443" has a space in it; for several addresses write {":80", ":81"}',
        '4: a text stands in double quotes: "www"',
        "5: redirect: /a: it redirects to a path, which begins with /, or to a URL, which begins with https://",
        "6: headers: Date: the server writes it itself",
        "7: unknown key location; did you mean rule?",
        '7: ";" has no meaning here; a statement ends by itself',
        '8: unknown key status; it belongs into rule "/path" { ... }',
        "8: host: it has no name; what is for all others stands at the top of the file",
    ) == ""


@pytest.mark.parametrize("text, line", [
    ("root =", "1: the file ends in the middle of a statement"),
    ("}", '1: this "}" closes nothing'),
    ("# a\n# b\nroot\n", "4: the file ends in the middle of a statement"),
    ("# a\n\nroot www\n", "3: root has no value; write an equals sign and the value behind it"),
    ("rule { }", '1: rule has no name; write one in double quotes before the "{"'),
    ('rule "/a" = b', "1: rule has no content; write { ... } behind its name"),
    ("\nlist = true\nlist = true", "3: list stands here a second time, after line 2"),
    ('\nhost "a" {', '2: the "{" in this line is never closed'),
    ('root = "www', "1: the text that begins here has no closing quote in its line"),
    ('fallback = "/a\\n"', '1: "\\" in a text goes before a quote or another "\\" only'),
    ("root = a\0", "1: a NUL byte: this is not a text"),
])
def test_one_mistake(config, text, line):
    assert checked(config(text), 2, line) == ""


def test_what_is_not_on_the_disk(config, scratch):
    path = config('root = "wwww"\nrule "/a" { basic_auth = "nobody" }\nhost "a" { root = "htpasswd" }\n')
    assert checked(path, 2, f"1: root: {scratch}/wwww: No such file or directory",
                   f"2: basic_auth: {scratch}/nobody: No such file or directory",
                   f"3: root: {scratch}/htpasswd: Not a directory") == ""


def test_what_is_wrong_in_the_text_and_on_the_disk(config, scratch):
    """In one run, whatever came first; also what the command line names."""
    text = ('root = "wwww"\nworkers = many\nrule "/a" { basic_auth = "nobody" staus = 1 }\n'
            'rule "/b" { basic_auth = "" }\nmodule "none.so" {}\nhost "a" { root = "gone" }\nhost "b" {\n')
    path = config(text)
    lines = [f"1: root: {scratch}/wwww: No such file or directory", '2: workers: "many" is not a number from 1 to 256',
             "3: unknown key staus; did you mean status?", f"3: basic_auth: {scratch}/nobody: No such file or directory",
             "4: rule: /b: basic_auth names no file; write the path of one with name:hash lines",
             f"5: module: {scratch}/none.so: No such file or directory", f"6: root: {scratch}/gone: No such file or directory",
             '7: the "{" in this line is never closed']
    assert checked(path, 2, *lines) == ""
    done = run("-t", "-c", path, scratch / "missing")
    assert done.stderr.splitlines() == [*(f"{path}:{line}" for line in lines[1:]),
                                        f"rawhttpd: root: {scratch}/missing: No such file or directory"]


@pytest.mark.parametrize("text, message", [
    (None, ": No such file or directory"),
    ("", ": no entry, so nobody could get in; write one with htpasswd -B"),
    ("# nobody yet\n", ": no entry, so nobody could get in; write one with htpasswd -B"),
    ("a\n", ":1: no colon; write name:hash, as htpasswd -B does"),
])
def test_passwords_that_cannot_be_used(config, scratch, text, message):
    """A start and an explanation say what -t says, and where."""
    if text is not None:
        (scratch / "users").write_text(text)
    path = config('root = "www"\nlisten = "127.0.0.1:0"\n\nrule "/a" { basic_auth = "users" }\n')
    line = f"4: basic_auth: {scratch}/users{message}"
    assert checked(path, 2, line) == ""
    for arguments in ((), ("--explain", "GET /")):
        done = run("-c", path, *arguments)
        assert (done.returncode, done.stdout, done.stderr) == (1, "", f"{path}:{line}\n"), arguments


def test_a_folder_that_is_not_there_at_the_start(config, scratch):
    path = config('listen = "127.0.0.1:0"\nroot = "wwww"\nhost "a" { root = "www2" }\n')
    done = run("-c", path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (f"{path}:2: root: {scratch}/wwww: No such file or directory\n"
                           f"{path}:3: root: {scratch}/www2: No such file or directory\n")
    for arguments, status in (("-t",), 2), ((), 1):
        done = run("-c", path, scratch / "missing", *arguments)
        assert (done.returncode, done.stdout) == (status, "")
        assert done.stderr == (f"{path}:3: root: {scratch}/www2: No such file or directory\n"
                               f"rawhttpd: root: {scratch}/missing: No such file or directory\n")


def test_what_several_options_make_together(config):
    path = config("root = www\nbuffer_memory = 1M\n")
    done = run("-t", "-c", path)
    assert done.returncode == 2 and "buffer_memory" in done.stderr and done.stdout == ""


def test_files_that_are_none(config, scratch):
    for name, message in ((scratch / "missing.conf", "No such file"), (scratch, "Is a directory"),
                          (config(b"#" * (1024 * 1024 + 1)), "larger than 1 MiB")):
        done = run("-t", "-c", name)
        assert done.returncode == 2 and done.stdout == ""
        assert re.fullmatch(f"rawhttpd: {name}: .*{message}.*\n", done.stderr)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read(config):
    path = config("root = www")
    path.chmod(0)
    done = run("-c", path)
    assert done.returncode == 2 and "Permission denied" in done.stderr


def test_a_wrong_file_is_not_served(config):
    path = config("rot = www")
    done = run("-c", path)
    assert (done.returncode, done.stdout, done.stderr) == (2, "", f"{path}:1: unknown key rot; did you mean root?\n")


def test_ten_thousand_mistakes_are_not_all_told(config):
    done = run("-t", "-c", config("nonsense = 1\n" * 10000))
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 51 and done.stderr.endswith(": and more\n")


# ---- What holds ----

def test_every_value_and_where_it_comes_from(config, scratch):
    path = config(EXAMPLE)
    values, page = shown("-c", path, "--workers", "3", RAWHTTP_BACKGROUND="7", RAWHTTP_WORKERS="9")
    assert values["workers"] == ("3", "flag")
    assert values["background"] == ("7", "environment RAWHTTP_BACKGROUND")
    assert values["cache_size"] == ('"16M"', f"file {path}:4")
    assert values["root"] == (f'"{scratch}/www"', f"file {path}:3")
    assert values["idle_timeout"] == ('"1m"', "default")
    assert f'rule "/assets/*" {{                              # file {path}:6\n' in page
    assert '    headers = {"X-Frame-Options: DENY", "X-Quote: \\"a\\" \\\\ ${b}"}\n' in page
    assert f'    root = "{scratch}/docs"\n' in page


def test_what_is_shown_is_a_file_that_says_the_same(config, scratch):
    def without_origins(page):
        return re.sub(r" +# .*$", "", page, flags=re.MULTILINE)

    _, page = shown("-c", config(EXAMPLE), "--max-connections", "100")
    again = scratch / "elsewhere"
    again.mkdir()
    (again / "shown.conf").write_text(page)
    _, page_again = shown("-c", again / "shown.conf")
    assert without_origins(page) == without_origins(page_again)
    assert 'host "docs.example.org *.docs.example.org" {' in page_again


def test_flag_over_environment_over_file_over_default(config):
    path = config("workers = 2\nbackground = 2\nfields_max = 2\n")
    values, _ = shown("-c", path, "--workers", "4", RAWHTTP_WORKERS="3", RAWHTTP_BACKGROUND="3")
    assert [values[key][0] for key in ("workers", "background", "fields_max", "pipelined_max")] == ["4", "3", "2", "64"]


def test_port_is_for_all_interfaces_and_yields_to_what_is_said_by_name(config):
    path = config('listen = "127.0.0.1:1"')
    assert shown("-c", path)[0]["listen"] == ('{"127.0.0.1:1"}', f"file {path}:1")
    assert shown("-c", path, PORT="3000")[0]["listen"] == ('{":3000"}', "environment PORT")
    assert shown("-c", path, PORT="3000", RAWHTTP_LISTEN="[::1]:1 unix:/x")[0]["listen"] == \
        ('{"[::1]:1", "unix:/x"}', "environment RAWHTTP_LISTEN")
    assert shown("-c", path, "-l", ":4", PORT="3000")[0]["listen"] == ('{":4"}', "flag")
    done = run("--print-config", env={"PORT": "http"})
    assert done.returncode == 2 and "PORT" in done.stderr


def test_a_variable_that_sets_nothing_is_told(config):
    """As a warning, whatever is done; its value, which may be a secret, stays where it is."""
    path = config('root = "www"\n')
    variables = {"RAWHTTP_CASHE_SIZE": "secret", "RAWHTTP_SERVICE_HOST": "10.0.0.1"}
    warning = "rawhttpd: warning: RAWHTTP_CASHE_SIZE sets nothing; did you mean RAWHTTP_CACHE_SIZE?\n"
    for arguments in (("-t", "-c", path), ("--print-config", "-c", path), ("-q", "--explain", "GET /", "-c", path)):
        done = run(*arguments, env=variables)
        assert (done.returncode, done.stderr) == (0, warning), arguments
    for arguments in (("--help",), ("--version",)):
        assert run(*arguments, env=variables).stderr == ""


def test_into_a_full_disk_is_an_error():
    with open("/dev/full", "w", encoding="ascii") as full:
        assert subprocess.run([RAWHTTPD, "--print-config"], stdout=full, check=False).returncode == 1


# ---- Serving by it ----

def test_served_by_a_file(start, config):
    path = config('listen = "127.0.0.1:0"\nroot = "www"\naccess_log = off\n')
    server = start([RAWHTTPD, "-c", path], ready=r"listening on http://[^:]*:(\d+)", cwd="/")
    assert server.ask("/").body == b"www\n"


def test_served_by_the_environment(start, config, scratch):
    config("")
    server = start([RAWHTTPD], ready=r"listening on http://[^:]*:(\d+)", cwd="/",
                   env={"RAWHTTP_LISTEN": "127.0.0.1:0", "RAWHTTP_ROOT": str(scratch / "docs"),
                        "RAWHTTP_ACCESS_LOG": "off"})
    assert server.ask("/").body == b"docs\n"
