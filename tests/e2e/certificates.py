"""Certificates for tests: an authority and what it signs, made by the openssl command in a folder. Nobody outside of that
folder trusts it."""
import itertools
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

KEYS = {"ec": ("EC", "ec_paramgen_curve:P-256"), "rsa": ("RSA", "rsa_keygen_bits:2048")}
LONG_AGO, SINCE_THEN = "20000101000000Z", "20000102000000Z"
PASSPHRASE = "sesame"


def openssl(*arguments, given=None):
    """What the command says on its standard output, as bytes."""
    done = subprocess.run(["openssl", *map(str, arguments)], input=given, capture_output=True, check=False)
    assert done.returncode == 0, f"openssl {' '.join(map(str, arguments))}: {done.stderr.decode(errors='replace')}"
    return done.stdout


def bounds(der, at):
    """Where the content of the DER element at `at` begins and ends."""
    size, start = der[at + 1], at + 2
    if size >= 0x80:
        start += size - 0x80
        size = int.from_bytes(der[at + 2:start], "big")
    return start, start + size


def elements(der, at):
    """Where those inside of it begin."""
    start, end = bounds(der, at)
    found = []
    while start < end:
        found.append(start)
        start = bounds(der, start)[1]
    return found


@dataclass
class Pair:
    """The files of a certificate, with those that vouch for it, and of its key."""
    cert: Path
    key: Path

    @property
    def options(self):
        """For the command line."""
        return ("--tls-cert", self.cert, "--tls-key", self.key)

    @property
    def serial(self):
        """As Python's ssl module writes it, which is in pairs of digits."""
        return openssl("x509", "-in", self.cert, "-noout", "-serial").decode().strip().partition("=")[2]


class Authority:
    """Signs what it is asked to. Its own certificate, which clients trust, is the file `cert`."""

    def __init__(self, folder, name="rawhttp tests"):
        self.folder, self.count = folder, itertools.count(1)
        self.base = int.from_bytes(os.urandom(8), "big") >> 1 << 16  # of serial numbers: no two authorities share any
        self.index = folder / "index.txt"
        self.index.touch()
        self.cert, self.key = folder / "ca.pem", folder / "ca.key"
        self._make_key(self.key, "rsa")  # whose signatures all have one size: see expire()
        openssl("req", "-x509", "-new", "-key", self.key, "-out", self.cert, "-days", 30, "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature")
        self.config = folder / "ca.conf"
        self.config.write_text(f"""[ca]
default_ca = tests
[tests]
database = {self.index}
new_certs_dir = {folder}
certificate = {self.cert}
private_key = {self.key}
default_md = sha256
policy = any
unique_subject = no
rand_serial = yes
[any]
commonName = supplied
""")

    @staticmethod
    def _make_key(path, kind):
        algorithm, option = KEYS[kind]
        openssl("genpkey", "-algorithm", algorithm, "-pkeyopt", option, "-out", path)

    def pair(self, *names, kind="ec", subject=None, usage="serverAuth", expired=False):
        """For these names, the first of which is the subject, unless there is another. Addresses are told apart."""
        stem = self.folder / f"{next(self.count)}"
        made = Pair(stem.with_suffix(".pem"), stem.with_suffix(".key"))
        request, extensions = stem.with_suffix(".csr"), stem.with_suffix(".ext")
        alternatives = ",".join(("IP:" if name[0].isdigit() or ":" in name else "DNS:") + name for name in names)
        extensions.write_text(f"basicConstraints=CA:FALSE\nextendedKeyUsage={usage}\n"
                              + (f"subjectAltName={alternatives}\n" if names else ""))
        dates = ["-startdate", LONG_AGO, "-enddate", SINCE_THEN] if expired else ["-days", 10]
        self._make_key(made.key, kind)
        openssl("req", "-new", "-key", made.key, "-out", request, "-subj", f"/CN={subject or names[0]}")
        openssl("ca", "-batch", "-notext", "-config", self.config, "-in", request, "-out", made.cert, "-extfile",
                extensions, *dates)
        return made

    def client(self, name, **how):
        return self.pair(subject=name, usage="clientAuth", **how)

    def encrypt(self, pair):
        """The same with a key that needs a passphrase."""
        path = pair.key.with_suffix(".encrypted")
        openssl("pkey", "-in", pair.key, "-aes256", "-passout", f"pass:{PASSPHRASE}", "-out", path)
        return Pair(pair.cert, path)

    def staple(self, pair, expired=False):
        """A file with what this authority answers when it is asked about the pair (OCSP)."""
        request, response = pair.cert.with_suffix(".ocsp-request"), pair.cert.with_suffix(".ocsp")
        openssl("ocsp", "-issuer", self.cert, "-cert", pair.cert, "-reqout", request, "-no_nonce")
        openssl("ocsp", "-index", self.index, "-rsigner", self.cert, "-rkey", self.key, "-CA", self.cert, "-reqin",
                request, "-respout", response, "-ndays", 7)
        if expired:
            response.write_bytes(self._expire(response.read_bytes()))
        return response

    def _expire(self, response):
        """The command answers for the future only: the dates are put into the past, and it is signed again."""
        _, answer = elements(response, 0)
        _, octets = elements(response, elements(response, answer)[0])
        told, _, signature = elements(response, elements(response, octets)[0])[:3]
        told_end, end = bounds(response, told)[1], bounds(response, signature)[1]
        data = re.sub(rb"\x18\x0f\d{14}Z", b"\x18\x0f" + SINCE_THEN.encode(), response[told:told_end])
        signed = openssl("dgst", "-sha256", "-sign", self.key, given=data)
        return response[:told] + data + response[told_end:end - len(signed)] + signed + response[end:]


class Place:
    """Where a server looks for its certificate: two names, and what they lead to."""

    def __init__(self, folder, pair):
        self.folder, self.cert, self.key = folder, folder / "cert.pem", folder / "key.pem"
        folder.mkdir()
        self.put(pair)

    def put(self, pair):
        """As careful people do: each of the two at once, but one after the other."""
        for source, name in ((pair.cert, self.cert), (pair.key, self.key)):
            fresh = name.with_suffix(".new")
            shutil.copy(source, fresh)
            os.replace(fresh, name)

    @property
    def options(self):
        return ("--tls-cert", self.cert, "--tls-key", self.key)
