"""The example token.c: a JSON API with middleware before it, as a client sees it."""
import json
import re
import subprocess
from urllib.parse import urlencode

from program import EXAMPLES, wait_until

ADA, ALAN = "Bearer sesame", "bearer enigma"


def ask(server, token=None, method="GET", text=None, path="/api/notes", **fields):
    if token:
        fields["authorization"] = token
    if text is None:
        return server.ask(path, method=method, **fields)
    return server.ask(path, method="POST", body=urlencode({"text": text}).encode(),
                      content_type="application/x-www-form-urlencoded", **fields)


def test_each_sees_their_own_notes(notes):
    strange = "\"Milk\" & <eggs> + \\ ü \U0001f600\n"
    for token, text in ((ADA, "one"), (ALAN, "two"), (ADA, strange)):
        created = ask(notes, token, text=text)
        assert (created.status, json.loads(created.body)) == (201, text)
    assert json.loads(ask(notes, ADA).body) == ["one", strange]
    assert json.loads(ask(notes, ALAN).body) == ["two"]


def test_nobody_comes_without_a_token(notes):
    for token in (None, "sesame", "Bearer", "Bearer ", "Bearer sesam", "Bearer sesames", "Bearer Sesame",
                  "Basic sesame", "Bearer sesame sesame"):
        refused = ask(notes, token, text="mine")
        assert (refused.status, refused["www-authenticate"]) == (401, "Bearer")
    assert ask(notes, path="/api/nothing").status == 401
    assert ask(notes, path="/nothing").status == 404
    assert json.loads(ask(notes, ADA).body) == []


def test_notes_have_limits(notes):
    assert [ask(notes, ADA, text=text).status for text in ("", "x" * 200, "x" * 201)] == [422, 201, 422]
    assert ask(notes, ADA, method="PUT").status == 405


def test_every_request_has_a_name_and_a_line(notes):
    names = set()
    for token in (ADA, None):
        response = ask(notes, token, x_request_id="mine")
        assert re.fullmatch("[0-9a-f]{32}", response["x-request-id"])
        names.add(response["x-request-id"])
    assert len(names) == 2
    wait_until(lambda: len(re.findall(r"^token: (\w{32}) (ada|-) /api/notes: (200|401), \d+ ms$", notes.log, re.M)) == 2,
               "the lines")
    assert set(re.findall(r"^token: (\w{32})", notes.log, re.M)) == names


def test_scripts_of_one_origin_may_use_it(notes):
    origin = "http://localhost:3000"
    asked = ask(notes, method="OPTIONS", origin=origin, access_control_request_method="POST",
                access_control_request_headers="authorization")
    assert (asked.status, asked["access-control-allow-origin"]) == (204, origin)
    assert asked["access-control-allow-methods"] == "GET, HEAD, POST, OPTIONS"
    assert asked["access-control-allow-headers"] == "authorization"
    for token, status in ((ADA, 200), (None, 401)):
        response = ask(notes, token, origin=origin)
        assert (response.status, response["access-control-expose-headers"]) == (status, "X-Request-Id")


def test_a_client_may_not_ask_too_often(notes):
    statuses = [ask(notes).status for _ in range(40)]
    assert set(statuses) == {401}
    with notes.connect() as connection:
        last = None
        for _ in range(5000):
            last = connection.get("/api/notes")
            if last.status == 429:
                break
    assert last.status == 429 and int(last["retry-after"]) == 1 and "x-request-id" in last
    assert notes.ask("/nothing").status == 404


def test_somebody_has_to_be_let_in():
    for tokens in ({}, {"TOKENS": ""}, {"TOKENS": "ada alan:"}):
        ended = subprocess.run([EXAMPLES / "token"], env=tokens, capture_output=True, text=True, timeout=30, check=False)
        assert ended.returncode == 2 and "say who may come" in ended.stderr
