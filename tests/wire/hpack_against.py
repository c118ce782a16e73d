#!/usr/bin/python3
"""Our HPACK against python3-hpack's, both ways: what one has written the other one reads, over thousands of blocks on many
connections, with sizes of the table changing. Run: hpack_against.py CODER, which is hpack_coder; 77: there is no other HPACK.
"""
import random
import subprocess
import sys

try:
    from hpack import Decoder, Encoder, HPACKError
    from hpack.struct import HeaderTuple, NeverIndexedHeaderTuple
except ImportError:
    sys.exit(77)

CONNECTIONS, BLOCKS = 150, 20

NAMES = [b":status", b":method", b":path", b":authority", b":scheme", b"accept-encoding", b"accept", b"cache-control", b"cookie",
         b"content-type", b"content-length", b"date", b"etag", b"set-cookie", b"user-agent", b"vary", b"x-request-id",
         b"x-frame-options", b"a", b"some-name-that-nobody-knows", b"strict-transport-security", b"te", b""]
VALUES = [b"", b"200", b"404", b"GET", b"/", b"https", b"gzip, deflate", b"text/html; charset=utf-8", b"no-store",
          b"Mon, 21 Oct 2013 20:13:21 GMT", b"\"abcdef\"", b"www.example.com", b"{}[]|~^`", b"\xc3\xa4\xff\x00\x01"]


def value(dice):
    if dice.random() < 0.7:
        return dice.choice(VALUES)
    size = dice.choice([1, 5, 30, 126, 127, 128, 300, 3000])
    letters = dice.choice([b"abcdefghij0123456789-/", bytes(range(256))])
    return bytes(dice.choice(letters) for _ in range(size))


def fields(dice):
    return [(dice.choice(NAMES), value(dice)) for _ in range(dice.randrange(12))]


class Coder:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def tell(self, line):
        self.process.stdin.write(line + "\n")

    def answer(self):
        return self.process.stdout.readline().rstrip("\n")

    def decode(self, block):
        """The fields, and whether it was well-formed."""
        self.tell("decode " + block.hex())
        self.process.stdin.flush()
        found = []
        while "=" in (line := self.answer()):
            name, _, text = line.partition("=")
            found.append((bytes.fromhex(name), bytes.fromhex(text)))
        return found, line

    def encode(self, block, plain):
        for name, text in block:
            self.tell(f"{'plain' if plain else 'field'} {name.hex() or '-'} {text.hex() or '-'}")
        self.tell("write")
        self.process.stdin.flush()
        return bytes.fromhex(self.answer())

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def theirs_to_ours(coder, dice):
    encoder = Encoder()
    for _ in range(BLOCKS):
        if dice.random() < 0.2:
            encoder.header_table_size = dice.choice([0, 64, 500, 4096])
        said = fields(dice)
        kinds = [dice.choice([HeaderTuple, HeaderTuple, NeverIndexedHeaderTuple]) for _ in said]
        block = encoder.encode([kind(*field) for kind, field in zip(kinds, said)], huffman=dice.random() < 0.7)
        understood = coder.decode(block)
        assert understood == (said, "."), (block.hex(), said, understood)


def ours_to_theirs(coder, dice):
    decoder = Decoder(max_header_list_size=1 << 20)
    for _ in range(BLOCKS):
        if dice.random() < 0.2:
            size = dice.choice([0, 64, 500, 4096, 100000])
            decoder.max_allowed_table_size = size
            coder.tell(f"limit {size}")
        said = fields(dice)
        block = coder.encode(said, plain=dice.random() < 0.2)
        understood = [tuple(field) for field in decoder.decode(block, raw=True)]
        assert understood == said, (block.hex(), said, understood)


def verdict_of_theirs(block):
    try:
        return [tuple(field) for field in Decoder(max_header_list_size=1 << 20).decode(block, raw=True)], "."
    except (HPACKError, IndexError, OverflowError, ValueError):  # theirs does not catch all of its own
        return None, "malformed"


def damaged(coder, dice):
    """A block with some octets changed or cut. Ours is stricter (numbers of more than 32 bits), theirs is never."""
    block = bytearray(Encoder().encode(fields(dice), huffman=dice.random() < 0.7))
    for _ in range(dice.randrange(1, 4)):
        if block:
            block[dice.randrange(len(block))] = dice.randrange(256)
    block = bytes(block[:dice.randrange(len(block) + 1)])
    coder.tell("new")
    ours, result = coder.decode(block)
    theirs, expected = verdict_of_theirs(block)
    if result == ".":
        assert (ours, result) == (theirs, expected), (block.hex(), ours, theirs)
    return result == expected


def main():
    coder = Coder(sys.argv[1])
    dice = random.Random(7541)
    for _ in range(CONNECTIONS):
        for direction in theirs_to_ours, ours_to_theirs:
            coder.tell("new")
            direction(coder, dice)
    agreed = sum(damaged(coder, dice) for _ in range(CONNECTIONS * BLOCKS))
    print(f"{2 * CONNECTIONS * BLOCKS} blocks both ways; of {CONNECTIONS * BLOCKS} damaged ones the same verdict on {agreed}")
    return coder.close()


sys.exit(main())
