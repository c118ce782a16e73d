"""What an idle connection costs a server in memory: the difference that thousands of them make, each after one request.
What the kernel needs for them is not in it; no server can do anything about that."""
import contextlib
import select
import time

import answers
import h2
import machine
import websocket
from contenders import FLOOR

WARM_CONNECTIONS = 64
SETTLE_S = 1
SPARE_FILES = 512


def connect(server, scenario):
    if scenario.websocket:
        return websocket.Connection(server.port, bare=server.name == FLOOR)
    if scenario.streams:
        return h2.Connection(server.port, scenario.tls)
    return answers.Connection(server.port, scenario.tls)


def open_connections(stack, server, scenario, count):
    opened = []
    for _ in range(count):
        connection = stack.enter_context(connect(server, scenario))
        fault = connection.ask(scenario.asks[0])
        if fault:
            raise ConnectionError(fault)
        opened.append(connection)
    return opened


def closed(connections):
    """How many have been closed by the server: nothing else can be read from an idle one, but for what HTTP/2 says of
    the connection, or TLS of a ticket."""
    poll = select.poll()
    for connection in connections:
        poll.register(connection.socket, select.POLLIN)
    readable = {fd for fd, _ in poll.poll(0)}
    return sum(connection.socket.fileno() in readable and connection.ended() for connection in connections)


def measure(server, scenario, count):
    """Bytes for each of count connections."""
    if count > server.setting.connections or count > server.setting.files - SPARE_FILES:
        machine.fail(f"{count} connections need a higher limit of open files (ulimit -Hn) than {server.setting.files}")
    try:
        with contextlib.ExitStack() as stack:
            open_connections(stack, server, scenario, WARM_CONNECTIONS)
        time.sleep(SETTLE_S)
        before = machine.pss_bytes(server.pid)
        with contextlib.ExitStack() as stack:
            opened = open_connections(stack, server, scenario, count)
            time.sleep(SETTLE_S)
            after = machine.pss_bytes(server.pid)
            lost = closed(opened)
    except OSError as error:
        machine.fail(f"{server.name}, idle: {error}")
    if lost:
        machine.fail(f"{server.name} has closed {lost} of {count} idle connections: nothing was measured")
    return {"connections": count, "pss_before_bytes": before, "pss_after_bytes": after,
            "bytes_per_connection": (after - before) / count}
