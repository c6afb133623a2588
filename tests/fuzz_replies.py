"""What other programs may have written into our keys, read back as answers: part of `make fuzz`.

Redis keeps the types of its replies whatever lies in a key: a string is bytes or nothing, a script
returns what it was written to return, and a key of another type is an error reply. What must hold:
a program ends, raises nothing but the error it was given, and finds no entry that is damaged or
lies under another's key.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Get,
    GetMany,
    IsAccepted,
    Nearest,
    Put,
    PutMany,
    Refuse,
    Resolve,
    StoreCommand,
)
from khazad_mitm.exchange import Entry, Neighbour
from khazad_mitm.store import vectorset
from khazad_mitm.store.codec import VERSION, encode
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.vectorset import Space, program
from tests.store.entries import QUESTION, digest, entry

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
# A round trip more than this, and it would never end.
MOST_TRIPS = 100
NOW_MS = 1_000_000


def run(rng: random.Random, is_over: Callable[[int], bool]) -> Counter[str]:
    """Cases until it is over; how many of each command, and how many found something."""
    told: Counter[str] = Counter()
    while not is_over(told["cases"]):
        command = _command(rng)
        kind = type(command).__name__
        # Now and then the two-trip search of large sets.
        space = Space(Keys("fuzz", ""), 100)
        if isinstance(command, Nearest) and rng.randrange(2):
            space.large.add(command.scope)
        try:
            found = play(command, space, rng)
            check(command, found)
        except Exception as error:
            raise AssertionError(f"{kind}: {type(error).__name__}: {error}") from error
        told["cases"] += 1
        told[kind] += 1
        told["found"] += bool(found)
        told["found nearby"] += kind == "Nearest" and any(one.entry for one in found or ())
    return told


def play(command: StoreCommand, space: Space, rng: random.Random) -> Any:
    """The result of a command under made-up replies; None where it raised one of them."""
    given: list[Exception] = []
    steps = program(command, space, NOW_MS)
    try:
        asked = next(steps)
        for _ in range(MOST_TRIPS):
            replies = [_reply(one, rng) for one in asked]
            given += [reply for reply in replies if isinstance(reply, Exception)]
            asked = steps.send(replies)
    except StopIteration as end:
        return end.value
    except ResponseError as error:
        if error not in given:
            raise AssertionError("an error of its own") from error
        return None
    raise AssertionError("it never ends")


def check(command: StoreCommand, found: Any) -> None:
    """Is this what `cache.commands` promises for it?"""
    match command:
        case Get(fingerprint, alias):
            assert found is None or isinstance(found, Entry)
            assert found is None or alias is not None or found.id == fingerprint
        case GetMany(fingerprints):
            assert found is None or len(found) == len(fingerprints)
            assert all(
                one is None or one.id == asked
                for asked, one in zip(fingerprints, found or (), strict=False)
            )
        case Resolve(conversations):
            assert found is None or len(found) == len(conversations)
            assert all(one is None or isinstance(one, str) for one in found or ())
        case Nearest():
            assert all(isinstance(one, Neighbour) for one in found or ())
            assert all(one.entry is None or one.entry.id == one.id for one in found or ())
        case IsAccepted():
            assert found in (None, True, False)
        case _:
            assert found is None


def _command(rng: random.Random) -> StoreCommand:
    a, b, kept = digest(rng.randrange(9)), digest(rng.randrange(9)), entry(rng.randrange(9))
    return rng.choice(
        (
            Get(a),
            Get(a, b),
            GetMany(tuple(map(digest, range(rng.randrange(1, 130))))),
            Resolve((a, b)),
            Nearest(a, QUESTION, rng.choice((-1.0, 0.9, 1.0)), 10, rng.choice(("", b))),
            Put(kept, a, QUESTION),
            PutMany((kept,)),
            Alias(a, b, kept),
            IsAccepted(a),
            Accept(a, 60),
            Refuse(a),
        )
    )


def _reply(command: vectorset.RedisCommand, rng: random.Random) -> Any:
    if rng.randrange(20) == 0:
        kind = rng.choice((ResponseError, NoScriptError, OutOfMemoryError))
        return kind("WRONGTYPE Operation against a key holding the wrong kind of value")
    match command[0]:
        case "MGET":
            return [_value(rng, str(name)) for name in command[1:]]
        case "VSIM":
            return [
                part
                for _ in range(rng.randrange(4))
                for part in (_word(rng), repr(rng.uniform(0, 1)).encode())
            ]
        case "SMEMBERS":
            return {_word(rng) for _ in range(rng.randrange(4))}
        case "VCARD" | "EXISTS" | "DEL" | "ZADD":
            return rng.choice((0, 1, 2**40))
        case "SET":
            return rng.choice((True, None))
        case "EVALSHA" | "EVAL":
            return _of_script(rng)
        case other:
            raise AssertionError(f"no reply known to {other!r}")


def _of_script(rng: random.Random) -> Any:
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
            _value(rng, word.decode("ascii", "replace")),
        )
    ]


def _word(rng: random.Random) -> bytes:
    known = digest(rng.randrange(9)).encode()
    return known if rng.randrange(2) else rng.choice((*WORDS, rng.randbytes(8)))


def _value(rng: random.Random, name: str) -> bytes | None:
    """What lies in a key of that name: its entry, a damaged one, somebody else's, nothing."""
    match rng.randrange(5):
        case 0:
            return None
        case 1:
            return _word(rng)
        case 2:
            return bytes([VERSION]) + rng.randbytes(rng.randrange(60))
        case _:
            changes: dict[str, Any] = {"answer": rng.randbytes(3)} if rng.randrange(2) else {}
            number = int(name[-1]) if name[-1:].isdigit() and rng.randrange(4) else 9
            blob = bytearray(encode(replace(entry(number), **changes)))
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
