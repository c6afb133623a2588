"""What other programs may have written into our keys, read back as answers: part of `make fuzz`.

Redis keeps the types of its replies whatever lies in a key: a string is bytes or nothing, a script
returns what it was written to return, and a key of another type is an error reply. What must hold:
a program ends, raises nothing but the error it was given, and finds no entry that is damaged or
lies under another's key. Half of the time the namespace is sealed, and then nothing is found that
was not sealed with its key.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable
from typing import Any

from redis.exceptions import ResponseError

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
from khazad_mitm.cache.worker_commands import Issue, Lease, Place, Publish, Read, Renew, Wanted
from khazad_mitm.exchange import Entry, Neighbour
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.seal import Seal
from khazad_mitm.store.vectorset import Space, program
from tests.fuzz_lies import ASKED, BLOCK, POOL, SEAL, STREAM, TIMES, reply
from tests.store.entries import QUESTION, digest, entry

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
            replies = [reply(one, rng, space.seal) for one in asked]
            given += [one for one in replies if isinstance(one, Exception)]
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
        case Lease():
            assert found in (None, "") or re.fullmatch("[0-9a-f]{32}", found)
        case Renew() | Wanted():
            assert found is None or all(isinstance(one, bool) for one in found)
        case Publish():
            assert found in (None, (True,), (False,))
        case Read(places):
            assert found is None or len(found) == len(places)
            blocks = [block for one in found or () if one for block in one.blocks]
            assert seal is None or all(block == BLOCK for block in blocks)
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
            Lease(a, "us", 1.0, rng.choice(("", STREAM))),
            Renew((a, b), "us", 1.0),
            Wanted((Place(a, STREAM), Place(b, digest(8)))),
            Publish((Issue(Place(a, STREAM), (b"block",), 0, 0),), 1.0),
            Read((Place(a, STREAM), Place(b, STREAM, 7)), 1.0),
        )
    )
