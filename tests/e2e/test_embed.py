"""The example embed.c: a server in a program that has a loop of its own, which is the program's one thread for all."""
import json
import signal
import subprocess
from pathlib import Path

import pytest
from program import EXAMPLES, wait_until


@pytest.fixture
def embed(start):
    """embed(): the example, whose standard input is a pipe of ours."""
    def start_embed(stdin=subprocess.PIPE):
        return start([EXAMPLES / "embed"], ready=r"serving http://localhost:(\d+)/", env={"LISTEN": "127.0.0.1:0"},
                     stdin=stdin)

    return start_embed


def say(program, text):
    program.process.stdin.write(text.encode())
    program.process.stdin.flush()


def last(program):
    response = program.ask("/last")
    assert response.status == 200
    return json.loads(response.body)


def test_what_is_typed_is_served(embed):
    program = embed()
    assert last(program)["line"] == ""
    for line in ["one", "two three", "", 'quotes " and ümläuts']:
        say(program, line + "\n")
        wait_until(lambda: last(program)["line"] == line, "the line")
    say(program, "a half")
    say(program, " line\nand another\nrest")
    wait_until(lambda: last(program)["line"] == "and another", "the last of two")
    say(program, "x" * 3000 + "\n")
    wait_until(lambda: set(last(program)["line"]) == {"x"}, "a part of the line that is too long")


def test_the_timer_of_the_program_goes_on(embed):
    program = embed()
    before = last(program)["seconds"]
    wait_until(lambda: last(program)["seconds"] >= before + 2, "two seconds")


def test_the_next_line_is_awaited(embed):
    program = embed()
    clients = [program.connect().ask("/next") for _ in range(50)]
    assert last(program)["line"] == ""
    assert not any(client.has_input() for client in clients)
    clients.pop().reset()
    clients.pop().close()
    clients[0].half_close()  # it counts as gone, and is answered with what there is
    say(program, "here\n")
    answers = [json.loads(client.read().body)["line"] for client in clients]
    assert set(answers[1:]) == {"here"} and answers[0] in ("", "here")
    for client in clients:
        client.close()


def test_whoever_still_waits_is_answered_at_the_end(embed):
    program = embed()
    say(program, "before\n")
    wait_until(lambda: last(program)["line"] == "before", "the line")
    with program.connect() as client:
        client.ask("/next")
        last(program)
        program.tell(signal.SIGINT)
        assert json.loads(client.read().body)["line"] == "before"
        assert client.ends()
    assert program.wait() == 0


@pytest.mark.parametrize("stdin", ["/dev/null", "/etc/passwd"])
def test_its_input_may_be_a_file_or_end(embed, stdin):
    with open(stdin, "rb") as file:
        program = embed(stdin=file)
    assert program.works()
    assert program.cpu_share() < 0.5  # it does not spin


def test_there_is_no_thread_for_requests(embed):
    program = embed()
    names = [path.read_text().strip() for path in Path(f"/proc/{program.pid}/task").glob("*/comm")]
    assert "embed" in names and "rawhttp-worker" not in names
