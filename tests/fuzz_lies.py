"""What a store may say to a command where other programs write to it too: part of `make fuzz`."""

from __future__ import annotations

import json
import random
from dataclasses import astuple, replace
from typing import Any

from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from khazad_mitm.cache.budget import SLOTS
from khazad_mitm.cache.commands import Asked
from khazad_mitm.store import inventory, leases, scripts, sealed, vectorset
from khazad_mitm.store.codec import VERSION
from khazad_mitm.store.seal import Seal
from tests.store.entries import digest, entry

WORDS = (
    b"",
    b"1",
    b"\x00",
    b"\xff\xfe",
    b"[]",
    b"{",
    b"nan",
    b"-1",
    b"a" * 33,
    b"0" * 32,
    b":",
    b"*",
)
NUMBERS = (b"", b"nan", b"inf", b"-inf", b"1e400", b"-1", b"9" * 400, b"9" * 5_000, b"\xff", b"1_0")
SEAL, OTHER_SEAL = Seal((bytes(range(32)),), "fuzz"), Seal((bytes(range(1, 33)),), "fuzz")
POOL = digest(7)
ASKED = Asked(digest(9), "why?", "messages[0].content", 0.9, 1e9, "t")
STREAM, BLOCK = "5" * 32, b"dblock"
TIMES = {"stored_at": 1.0, "expires_at": None}


def reply(command: vectorset.RedisCommand, rng: random.Random, seal: Seal | None) -> Any:
    if rng.randrange(20) == 0:
        kind = rng.choice((ResponseError, NoScriptError, OutOfMemoryError))
        return kind("WRONGTYPE Operation against a key holding the wrong kind of value")
    match command[0]:
        case "MGET":
            return [_value(rng, str(name), seal) for name in command[1:]]
        case "VSIM":
            return [
                part
                for _ in range(rng.randrange(4))
                for part in (_word(rng), repr(rng.uniform(0, 1)).encode())
            ]
        case "SMEMBERS":
            return {_word(rng) for _ in range(rng.randrange(4))}
        case "VCARD" | "EXISTS" | "DEL" | "ZADD" | "HDEL" | "HSET" | "EXPIRE" | "SADD" | "SCARD":
            return rng.choice((0, 1, 2**40))
        case "GET":
            return rng.choice((None, b"1", *NUMBERS))
        case "HMGET" if ":s:" in f":{command[1]}":
            return _blocks(rng, command, seal)
        case "HMGET":
            return [rng.choice((None, b"0.9", *NUMBERS)) for _ in command[2:]]
        case "HSCAN":
            return [rng.choice((b"0", 0, b"7")), [part for _ in range(3) for part in _line(rng)]]
        case "HGET":
            return rng.choice((None, b"0.9", *NUMBERS))
        case "LRANGE":
            return [_asked(rng, str(command[1]), seal) for _ in range(rng.randrange(4))]
        case "SCAN":
            return [rng.choice((b"0", 0, b"7")), [b"e:" + _word(rng) for _ in range(3)]]
        case "PTTL":
            return rng.choice((-2, -1, 0, 9_000))
        case "SPOP":
            return [_word(rng)]
        case "SET":
            return rng.choice((True, None))
        case "EVALSHA" | "EVAL" if command[1] in (scripts.WEIGH.digest, scripts.WEIGH.source):
            return _counts(rng)
        case "EVALSHA" | "EVAL" if command[1] in (leases.LEASE.digest, leases.LEASE.source):
            return rng.choice((None, _word(rng), b"us:" + _word(rng), b"us:" + STREAM.encode()))
        case "EVALSHA" | "EVAL" if command[1] in (scripts.FORGET.digest, scripts.FORGET.source):
            return rng.choice((0, 1))
        case "EVALSHA" | "EVAL":
            return _of_script(rng, seal)
        case other:
            raise AssertionError(f"no reply known to {other!r}")


def _blocks(rng: random.Random, command: Any, seal: Seal | None) -> list[bytes | None]:
    """The oldest block's number, and blocks: as published, damaged, moved, or somebody else's."""
    found: list[bytes | None] = [rng.choice((None, b"0", b"7", *NUMBERS))]
    for number in command[3:]:
        match rng.randrange(6):
            case 0:
                found.append(None)
            case 1:
                found.append(_word(rng))
            case 2 if seal is not None:
                found.append(OTHER_SEAL.close("s:other", BLOCK))
            case _ if seal is None:
                found.append(BLOCK)
            case _:
                flight = digest(rng.randrange(9))
                found.append(seal.close(f"s:{flight}:{STREAM}:{number}", BLOCK))
    return found


def _counts(rng: random.Random) -> list[bytes]:
    """A hash as WEIGH returns it, of which anybody may have written any field."""
    fields = [
        (f"{when}:{what}:{rng.randrange(-1, SLOTS + 1)}".encode(), rng.choice((b"3", *NUMBERS)))
        for when in ("new", "old", "")
        for what in ("c", "n", "k", "\xff")
    ]
    return [part for field in rng.sample(fields, rng.randrange(len(fields))) for part in field]


def _line(rng: random.Random) -> tuple[bytes, bytes]:
    """An entry's facts, or what somebody else wrote among them."""
    line = bytearray(inventory.written(entry(rng.randrange(9)), 9).encode())
    for _ in range(rng.randrange(3)):
        place = rng.randrange(len(line) + 1)
        line[place : place + rng.randrange(9)] = rng.choice((*WORDS, *NUMBERS))
    return _word(rng), bytes(line)


def _asked(rng: random.Random, name: str, seal: Seal | None) -> bytes:
    """What an entry has answered, as it was noted, damaged, or by somebody else."""
    noted = json.dumps(astuple(ASKED)).encode()
    if rng.randrange(4) == 0:
        noted = rng.choice((*WORDS, b"[" * 100_000, b'["a", 1, 2, 3, 4, 5]'))
        return noted if seal is None or rng.randrange(2) else SEAL.close("h:other", noted)
    if seal is not None:
        noted = seal.close(name if rng.randrange(4) else "h:other", noted)
    return noted if rng.randrange(3) else noted[: rng.randrange(len(noted))]


def _of_script(rng: random.Random, seal: Seal | None) -> Any:
    """As NEAREST returns them; the other scripts' returns are not looked at."""
    if rng.randrange(4) == 0:
        return None
    words = [_word(rng) for _ in range(rng.randrange(4))]
    return [
        part
        for word in words
        for part in (
            word,
            repr(rng.uniform(0, 1)).encode(),
            _value(rng, word.decode("ascii", "replace"), seal),
        )
    ]


def _word(rng: random.Random) -> bytes:
    known = digest(rng.randrange(9)).encode()
    return known if rng.randrange(2) else rng.choice((*WORDS, rng.randbytes(8)))


def _value(rng: random.Random, name: str, seal: Seal | None) -> bytes | None:
    """What lies in a key of that name: its entry, a damaged one, somebody else's, nothing."""
    if name.startswith(("a:", "p:")) and rng.randrange(2):
        id_, what = digest(rng.randrange(9)), rng.choice(("0.950000", "nan", "x", digest(3)))
        mark = sealed.target(name if rng.randrange(3) else "a:other", id_, what, seal)
        return f"{id_}:{mark}".encode()
    match rng.randrange(5):
        case 0:
            return None
        case 1:
            return _word(rng)
        case 2:
            return bytes([VERSION]) + rng.randbytes(rng.randrange(60))
        case _:
            changes: dict[str, Any] = dict(TIMES)
            # Whoever has no key cannot seal another answer.
            if seal is None and rng.randrange(2):
                changes["answer"] = rng.randbytes(3)
            number = int(name[-1]) if name[-1:].isdigit() and rng.randrange(4) else 9
            whose = seal if rng.randrange(4) else rng.choice((None, OTHER_SEAL))
            blob = bytearray(sealed.blob_of(replace(entry(number), **changes), whose))
            for _ in range(rng.randrange(3)):
                place = rng.randrange(len(blob))
                match rng.randrange(3):
                    case 0:
                        blob[place] = rng.randrange(256)
                    case 1:
                        del blob[place:]
                    case _:
                        blob[place:place] = rng.choice(WORDS)
                if not blob:
                    break
            return bytes(blob)
