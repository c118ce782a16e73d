"""Certificates, keys and what belongs to them while the server runs: what is new is used by new connections, what is
wrong never takes the place of what is right, and nobody notices but by what he is shown."""
import os
import shutil
import ssl
import subprocess
import threading

import pytest
from certificates import Authority, Place
from client import PATIENCE, Ended
from program import wait_until
from secure import SecureConnection, context, serial_of


def shows(server, authority, pair, name="localhost"):
    wait_until(lambda: serial_of(server.address, authority, name) == pair.serial, f"{pair.cert.name} to be shown")


def test_a_new_pair_is_taken(serve_tls, authority, place):
    """New connections get it, those that are there go on."""
    server = serve_tls(*place.options)
    second = authority.pair("localhost", kind="rsa")
    with SecureConnection(server.address, context(authority)) as early:
        before = early.serial
        place.put(second)
        shows(server, authority, second)
        assert "cert.pem: this certificate is used from now on; for localhost, until " in server.log
        assert early.get("/").status == 200 and early.serial == before != second.serial


def test_links_are_followed_as_certbot_turns_them(serve_tls, authority, scratch):
    live, archive = scratch / "live", scratch / "archive"
    live.mkdir()
    archive.mkdir()
    pairs = [authority.pair("localhost"), authority.pair("localhost")]
    for number, pair in enumerate(pairs, 1):
        shutil.copy(pair.cert, archive / f"fullchain{number}.pem")
        shutil.copy(pair.key, archive / f"privkey{number}.pem")
    cert, key = live / "fullchain.pem", live / "privkey.pem"
    cert.symlink_to("../archive/fullchain1.pem")
    key.symlink_to("../archive/privkey1.pem")
    server = serve_tls("--tls-cert", cert, "--tls-key", key)
    assert serial_of(server.address, authority) == pairs[0].serial
    for name in (key, cert):
        name.unlink()
        name.symlink_to(f"../archive/{'privkey' if name == key else 'fullchain'}2.pem")
    shows(server, authority, pairs[1])


@pytest.mark.parametrize("spoil", ("mismatch", "garbage", "missing", "encrypted", "half"))
def test_a_bad_pair_never_replaces_a_good_one(serve_tls, authority, place, spoil):
    server = serve_tls(*place.options)
    good = serial_of(server.address, authority)
    other = authority.pair("localhost")
    if spoil == "mismatch":
        shutil.copy(other.key, place.key)
    elif spoil == "garbage":
        place.cert.write_text("this is no certificate\n")
    elif spoil == "missing":
        place.key.unlink()
    elif spoil == "encrypted":
        shutil.copy(authority.encrypt(other).key, place.key)
    else:
        place.cert.write_bytes(other.cert.read_bytes()[:300])
    kept = "what was used before is still used"
    wait_until(lambda: kept in server.log, "the mistake to be told")
    assert serial_of(server.address, authority) == good
    place.put(other)
    shows(server, authority, other)
    lines = [line for line in server.log.splitlines() if kept in line]
    assert len(lines) <= 2, lines  # it may have been looked at between the two files, but is not told again and again


def test_one_bad_pair_keeps_no_other_from_being_taken(serve_tls, authority, scratch):
    one = Place(scratch / "one", authority.pair("one.example"))
    two = Place(scratch / "two", authority.pair("two.example"))
    server = serve_tls(*one.options, *two.options)
    good = serial_of(server.address, authority, "one.example")
    one.cert.write_text("spoilt")
    wait_until(lambda: "is still used" in server.log, "the mistake to be told")
    fresh = authority.pair("two.example")
    two.put(fresh)
    shows(server, authority, fresh, "two.example")
    assert serial_of(server.address, authority, "one.example") == good


def test_swaps_under_a_load_of_handshakes(serve_tls, authority, place):
    """Not one of them fails, and each is shown one of the pairs. tests/unit/test_certificates.c does it 100 times."""
    server = serve_tls(*place.options)
    pairs = [authority.pair("localhost", kind=kind) for kind in ("rsa", "ec") * 3]
    known = {pair.serial for pair in pairs} | {serial_of(server.address, authority)}
    over, failed, shown = threading.Event(), [], set()

    def shake():
        while not over.is_set():
            try:
                with SecureConnection(server.address, context(authority)) as connection:
                    shown.add(connection.serial)
                    assert connection.get("/").status == 200
            except (OSError, AssertionError) as problem:
                failed.append(problem)

    threads = [threading.Thread(target=shake) for _ in range(3)]
    for thread in threads:
        thread.start()
    try:
        for pair in pairs:
            place.put(pair)
            wait_until(lambda pair=pair: pair.serial in shown, "the next pair to be shown")
    finally:
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
    assert not failed, failed[:3]
    assert shown <= known


# ---- Sessions --------------------------------------------------------------------------------------------------------


def session_of(address, authority, version, name="localhost"):
    """What a client keeps of a connection, to resume it."""
    with SecureConnection(address, context(authority, version=version), name) as connection:
        connection.get("/")  # in TLS 1.3 the ticket comes behind the handshake
        return connection.socket.context, connection.socket.session


def resumes(address, kept, name="localhost"):
    with SecureConnection(address, kept[0], name, kept[1]) as connection:
        assert connection.get("/").status == 200
        return connection.socket.session_reused


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
def test_sessions_are_resumed_across_a_swap(serve_tls, authority, place, version):
    server = serve_tls(*place.options)
    kept = session_of(server.address, authority, version)
    assert resumes(server.address, kept)
    fresh = authority.pair("localhost")
    place.put(fresh)
    shows(server, authority, fresh)
    assert resumes(server.address, kept)


@pytest.mark.parametrize("version", (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3))
def test_servers_with_the_same_keys_resume_each_others_sessions(serve_tls, authority, place, scratch, version):
    keys, old = scratch / "tickets", os.urandom(80)
    keys.write_bytes(os.urandom(80) + old)
    keys.chmod(0o600)
    one, two, alone = (serve_tls(*place.options, *shared)
                       for shared in (("--tls-ticket-keys", keys), ("--tls-ticket-keys", keys), ()))
    kept = session_of(one.address, authority, version)
    assert resumes(two.address, kept)
    assert not resumes(alone.address, kept)
    issued = keys.read_bytes()[:80]
    keys.write_bytes(os.urandom(80))  # without the key that it was issued with
    wait_until(lambda: not resumes(two.address, kept), "the key to go")
    keys.write_bytes(os.urandom(80) + issued)
    wait_until(lambda: resumes(two.address, kept), "the key to come back")


def test_bad_ticket_keys(serve_tls, authority, place, scratch):
    keys = scratch / "tickets"
    keys.write_bytes(os.urandom(80))
    keys.chmod(0o600)
    server = serve_tls(*place.options, "--tls-ticket-keys", keys)
    kept = session_of(server.address, authority, ssl.TLSVersion.TLSv1_3)
    keys.write_bytes(os.urandom(81))
    wait_until(lambda: "openssl rand 80 makes one; what was used before is still used" in server.log, "it to be told")
    assert resumes(server.address, kept)


# ---- OCSP ------------------------------------------------------------------------------------------------------------


def stapled(address):
    """What openssl says of the authority's answer that comes with the handshake."""
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{address[1]}", "-servername", "localhost",
                           "-status"], stdin=subprocess.DEVNULL, capture_output=True, check=False, timeout=PATIENCE)
    text = done.stdout.decode(errors="replace")
    return "Cert Status: good" in text


def test_staples_what_lies_in_a_file(serve_config, authority, scratch):
    pair, other = authority.pair("localhost"), authority.pair("localhost")
    ocsp = scratch / "staple.der"
    shutil.copy(authority.staple(pair), ocsp)
    server = serve_config(f'certificate "{pair.cert}" {{ key = "{pair.key}" ocsp = "staple.der" }}\nroot = "site"\n',
                          "--listen", "https://127.0.0.1:0", ready=r"listening on https://[^:]*:(\d+)")
    assert stapled(server.address)
    shutil.copy(authority.staple(other), ocsp)
    wait_until(lambda: not stapled(server.address), "another one's answer to be left out")
    assert "staple.der" in server.log and "another certificate" in server.log
    shutil.copy(authority.staple(pair), ocsp)
    wait_until(lambda: stapled(server.address), "its own to be back")
    shutil.copy(authority.staple(pair, expired=True), ocsp)
    wait_until(lambda: not stapled(server.address), "an old answer to be left out")
    assert "expired" in server.log


# ---- Clients that prove themselves -------------------------------------------------------------------------------------


def test_whose_clients_are_good_is_followed(serve_tls, authority, place, scratch, tmp_path):
    strangers = Authority(tmp_path, "strangers")
    ada, eve = authority.client("ada"), strangers.client("eve")
    ca = scratch / "ca.pem"
    shutil.copy(authority.cert, ca)
    server = serve_tls(*place.options, "--tls-client-cert", "required", "--tls-client-ca", ca)

    def admits(client):
        try:
            with SecureConnection(server.address, context(authority, client)) as connection:
                return connection.get("/").status == 200
        except (OSError, Ended):  # in TLS 1.3 the refusal comes behind the handshake
            return False

    assert admits(ada) and not admits(eve)
    ca.write_bytes(strangers.cert.read_bytes())
    wait_until(lambda: admits(eve), "the others to be trusted")
    assert not admits(ada)
    ca.write_text("nobody\n")
    wait_until(lambda: "ca.pem" in server.log and "is still used" in server.log, "it to be told")
    assert admits(eve)
