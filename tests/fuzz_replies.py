"""What other programs may have written into our keys, read back as answers: part of `make fuzz`.

Redis keeps the types of its replies whatever lies in a key: a string is bytes or nothing, a script
returns what it was written to return, and a key of another type is an error reply. What must hold:
a program ends, raises nothing but the error it was given, and finds no entry that is damaged or
lies under another's key. Half of the time the namespace is sealed, and then nothing is found that
was not sealed with its key.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import astuple, replace
from typing import Any

from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from khazad_mitm.cache.budget import SLOTS, Earned
from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Asked,
    Block,
    Find,
    Forget,
    ForgetMany,
    Get,
    GetMany,
    Inventory,
    IsAccepted,
    IsRefuted,
    Label,
    Nearest,
    Occupied,
    Put,
    PutMany,
    Recall,
    Refuse,
    Remember,
    Resolve,
    Settle,
    Standing,
    StoreCommand,
    Weigh,
)
from khazad_mitm.cache.facts import Facts
from khazad_mitm.exchange import Entry, Neighbour
from khazad_mitm.store import inventory, scripts, sealed, vectorset
from khazad_mitm.store.codec import VERSION
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.seal import Seal
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
NUMBERS = (b"", b"nan", b"inf", b"-inf", b"1e400", b"-1", b"9" * 400, b"9" * 5_000, b"\xff", b"1_0")
SEAL, OTHER_SEAL = Seal((bytes(range(32)),), "fuzz"), Seal((bytes(range(1, 33)),), "fuzz")
POOL = digest(7)
ASKED = Asked(digest(9), "why?", "messages[0].content", 0.9, 1e9, "t")
TIMES = {"stored_at": 1.0, "expires_at": None}
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
        space = Space((Keys("fuzz", ""),), 100, 2**20, seal=rng.choice((None, SEAL)))
        if isinstance(command, Nearest) and rng.randrange(2):
            space.large.add(command.scope)
        try:
            found = play(command, space, rng)
            check(command, found, space.seal)
        except Exception as error:
            raise AssertionError(f"{kind}: {type(error).__name__}: {error}") from error
        told["cases"] += 1
        told[kind] += 1
        told["found"] += bool(found)
        told[f"found by {kind}"] += bool(found)
        told["found sealed"] += bool(found) and space.seal is not None and kind == "Get"
        told["found nearby"] += kind == "Nearest" and any(one.entry for one in found or ())
    return told


def play(command: StoreCommand, space: Space, rng: random.Random) -> Any:
    """The result of a command under made-up replies; None where it raised one of them."""
    given: list[Exception] = []
    steps = program(command, space, NOW_MS)
    try:
        asked = next(steps)
        for _ in range(MOST_TRIPS):
            replies = [_reply(one, rng, space.seal) for one in asked]
            given += [reply for reply in replies if isinstance(reply, Exception)]
            asked = steps.send(replies)
    except StopIteration as end:
        return end.value
    except ResponseError as error:
        if error not in given:
            raise AssertionError("an error of its own") from error
        return None
    raise AssertionError("it never ends")


def check(command: StoreCommand, found: Any, seal: Seal | None) -> None:
    """Is this what `cache.commands` promises for it?"""
    if seal is not None:
        assert all(one == entry(int(one.id, 16), **TIMES) for one in _entries(found))
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
        case IsAccepted() | IsRefuted() | Occupied():
            assert found in (None, True, False)
        case Standing():
            assert found is None or (0.0 <= found.at <= 1.0 and 0.0 <= found.share <= 1.0)
        case Weigh():
            assert found is None or SLOTS == len(found)
            assert all(0 <= one.candidates and 0 <= one.wrong for one in found or ())
        case Recall():
            assert all(isinstance(one, Asked) for one in found or ())
            assert seal is None or all(one == ASKED for one in found or ())
        case Find():
            assert len(found or ()) <= 2
            assert all(isinstance(one, str) for one in found or ())
        case Forget():
            assert found in (None, True, False)
        case ForgetMany():
            assert found in (None, 0, 1, 2)
        case Inventory():
            assert all(isinstance(one, Facts) for one in found or ())
        case _:
            assert found is None


def _entries(found: Any) -> list[Entry]:
    listed = found if isinstance(found, list | tuple) else [found]
    whole = [one.entry if isinstance(one, Neighbour) else one for one in listed]
    return [one for one in whole if isinstance(one, Entry)]


def _command(rng: random.Random) -> StoreCommand:
    a, b, one = digest(rng.randrange(9)), digest(rng.randrange(9)), entry(rng.randrange(9))
    return rng.choice(
        (
            Get(a),
            Get(a, b),
            GetMany(tuple(map(digest, range(rng.randrange(1, 130))))),
            Resolve((a, b)),
            Occupied(a),
            Nearest(a, QUESTION, rng.choice((-1.0, 0.9, 1.0)), 10, rng.choice(("", b))),
            Put(one, a, QUESTION),
            PutMany((one,)),
            Alias(a, b, one),
            Get(a, b, POOL),
            Standing(POOL),
            Weigh(POOL, rng.randrange(SLOTS), rng.randrange(2), rng.randrange(2), 0, 0.5),
            Settle(POOL, rng.choice((None, Earned(0.9, 0.1)))),
            Weigh(POOL, rng.randrange(SLOTS), 1, 1, 1, 0.5, a[-16:]),
            IsRefuted(POOL, a[-16:]),
            Remember(a, ASKED),
            Recall(a),
            Find(rng.choice((a, a[:4], "0"))),
            Forget(a),
            Block(a, b),
            Label(a, ("x",)),
            ForgetMany((a, b)),
            Inventory(),
            IsAccepted(a),
            Accept(a, 60),
            Refuse(a),
        )
    )


def _reply(command: vectorset.RedisCommand, rng: random.Random, seal: Seal | None) -> Any:
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
        case "SPOP":
            return [_word(rng)]
        case "SET":
            return rng.choice((True, None))
        case "EVALSHA" | "EVAL" if command[1] in (scripts.WEIGH.digest, scripts.WEIGH.source):
            return _counts(rng)
        case "EVALSHA" | "EVAL" if command[1] in (scripts.FORGET.digest, scripts.FORGET.source):
            return rng.choice((0, 1))
        case "EVALSHA" | "EVAL":
            return _of_script(rng, seal)
        case other:
            raise AssertionError(f"no reply known to {other!r}")


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
