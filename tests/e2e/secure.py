"""A client of TLS for the tests: Python's own, and what other clients are asked by."""
import contextlib
import os
import re
import ssl

from client import Connection

LISTENING = "0A"  # of /proc/net/tcp


def context(authority=None, client=None, version=None):
    """What to connect with: `authority` is whom to trust (nobody: everybody), `client` a pair to prove oneself with."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if authority:
        made.load_verify_locations(authority.cert)
    else:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    if client:
        made.load_cert_chain(client.cert, client.key)
    if version:
        made.minimum_version = made.maximum_version = version
    return made


class SecureConnection(Connection):
    """As a Connection, for ("127.0.0.1", port)."""

    def __init__(self, address, with_context, name="localhost", session=None):
        super().__init__(address)
        try:
            self.socket = with_context.wrap_socket(self.socket, server_hostname=name, session=session)
        except BaseException:
            self.socket.close()
            raise

    @property
    def serial(self):
        """Of the certificate that the server has shown, as openssl writes it."""
        return self.socket.getpeercert()["serialNumber"]


def serial_of(address, authority, name="localhost"):
    with SecureConnection(address, context(authority), name) as connection:
        return connection.serial


def listening_ports(pid):
    """Those of TCP on which the process listens, each once."""
    inodes = set()
    for fd in os.listdir(f"/proc/{pid}/fd"):
        with contextlib.suppress(FileNotFoundError):
            inodes.update(re.findall(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{fd}")))
    ports = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError), open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:
            for fields in map(str.split, list(lines)[1:]):
                if fields[3] == LISTENING and fields[9] in inodes:
                    ports.add(int(fields[1].rpartition(":")[2], 16))
    return ports
