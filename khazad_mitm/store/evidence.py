"""What is known beside entries, as programs over Redis: credentials, what pools have earned, what
entries have answered by meaning, which pairs are blocked. See `vectorset`, which runs the others.

Every program may be begun twice where a connection breaks in the middle: a candidate may then be
counted twice, which is as likely for a right one as for a wrong one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import astuple
from typing import Any

from redis.exceptions import OutOfMemoryError

from khazad_mitm.cache.budget import EMPTY, MOST_DOUBT, SLOTS, WINDOW, Earned, Tally
from khazad_mitm.cache.commands import (
    Accept,
    Asked,
    Block,
    Find,
    Forget,
    IsRefuted,
    Recall,
    Remember,
    Settle,
    Weigh,
)
from khazad_mitm.store import scripts, weights
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.pools import place_of
from khazad_mitm.store.seal import Seal
from khazad_mitm.store.trips import Program, RedisCommand, call, checked

# A pool that nobody asks any more: after a quiet month it begins anew.
POOL_TTL_S = 30 * 24 * 3600
# "For good", as far as a store without end can: blocks outlive every entry.
BLOCK_TTL_S = 365 * 24 * 3600
MOST_BLOCKS = 64
# Of a credential: accepted, or else the millisecond of its refusal, which counts for as long as
# an answer to an older question may still be on its way.
ACCEPTED = b"1"
REFUSED_TTL_S = 3600
MOST_REMEMBERED = 8
# Keys looked at per trip, as in `namespace`.
SCANNED = 1_000


def cosine_of(value: bytes | str | None) -> float | None:
    """A threshold or a similarity as it is kept; None for what is missing, or none of ours."""
    try:
        cosine = float(value) if value else -1.0
    except ValueError:
        return None
    return cosine if 0.0 <= cosine <= 1.0 else None


def earned_of(at: bytes | None, share: bytes | None) -> Earned | None:
    """What a pool has earned as it is kept; None for what is closed, or none of ours."""
    cosine, checked_share = cosine_of(at), cosine_of(share or b"0")
    if cosine is None or checked_share is None:
        return None
    return Earned(cosine, checked_share)


def is_accepted(credential: str, keys: Keys) -> Program[bool]:
    (said,) = yield [("GET", keys.credential(credential))]
    return bool(checked(said) == ACCEPTED)


def accept(command: Accept, keys: Keys) -> Program[None]:
    asked_at_ms = int(command.asked_at * 1000)
    names = (keys.credential(command.credential),)
    yield from call(scripts.ACCEPT, names, (ACCEPTED, command.ttl_s, asked_at_ms))


def refuse(credential: str, keys: Keys, now_ms: int) -> Program[None]:
    """Leaves behind when that was: other workers may still wait for answers to older questions."""
    name = keys.credential(credential)
    (said,) = yield [("SET", name, now_ms, "EX", REFUSED_TTL_S)]
    if isinstance(said, OutOfMemoryError):
        # A full server denies writing it down, and not to forget the acceptance.
        (said,) = yield [("DEL", name)]
    checked(said)


def standing(pool: str, keys: Keys) -> Program[Earned | None]:
    (found,) = yield [("HMGET", keys.pool(pool), "at", "share")]
    at, share = checked(found)
    return earned_of(at, share)


def weigh(command: Weigh, keys: Keys) -> Program[tuple[Tally, ...]]:
    arguments = (
        *(command.slot, command.candidates, command.checked, command.wrong, command.doubted),
        *(WINDOW, MOST_DOUBT, POOL_TTL_S),
    )
    try:
        if command.refuted:
            pair = (place_of(command.refuted), command.refuted)
            yield from call(scripts.SETTLE, (keys.refuted(command.pool),), (POOL_TTL_S, *pair))
        fields = yield from call(scripts.WEIGH, (keys.expiry, keys.pool(command.pool)), arguments)
    except OutOfMemoryError:
        return EMPTY
    return _tallies(dict(zip(fields[::2], fields[1::2], strict=True)))


def settle(command: Settle, keys: Keys) -> Program[None]:
    pool = keys.pool(command.pool)
    if command.earned is None:
        (reply,) = yield [("HDEL", pool, "at", "share")]
        checked(reply)
        return
    fields = ("at", command.earned.at, "share", command.earned.share)
    try:
        yield from call(scripts.SETTLE, (pool,), (POOL_TTL_S, *fields))
    except OutOfMemoryError:
        return


def is_refuted(command: IsRefuted, keys: Keys) -> Program[bool]:
    (pair,) = yield [("HGET", keys.refuted(command.pool), place_of(command.pair))]
    return bool(checked(pair) == command.pair.encode())


def remember(
    command: Remember, keys: Keys, bounds: RedisCommand, seal: Seal | None
) -> Program[None]:
    said = json.dumps(astuple(command.asked)).encode()
    if seal is not None:
        said = seal.close(f"h:{command.id}", said)
    names = (keys.expiry, keys.history(command.id))
    arguments = (*bounds, command.id, said, MOST_REMEMBERED, weights.HISTORY)
    try:
        yield from call(scripts.REMEMBER, names, arguments)
    except OutOfMemoryError:
        return


def recall(command: Recall, keys: Keys, seal: Seal | None) -> Program[tuple[Asked, ...]]:
    (found,) = yield [("LRANGE", keys.history(command.id), 0, MOST_REMEMBERED - 1)]
    listed: list[bytes | None] = list(checked(found))
    if seal is not None:
        listed = [seal.open(f"h:{command.id}", one) for one in listed if one]
    return tuple(asked for one in listed if one and (asked := _asked(one)) is not None)


def find(command: Find, buckets: Sequence[Keys]) -> Program[tuple[str, ...]]:
    """Looks through all keys unless the id is whole: for people, not for traffic."""
    ids: list[str] = []
    for keys in buckets:
        ids += yield from _find(command, keys)
    return tuple(sorted(ids)[:2])


def _find(command: Find, keys: Keys) -> Program[tuple[str, ...]]:
    prefix = keys.entry("")
    if len(command.prefix) == 32:
        (exists,) = yield [("EXISTS", keys.entry(command.prefix))]
        return (command.prefix,) if checked(exists) else ()
    pattern = keys.pattern.removesuffix("*") + f"e:{command.prefix}*"
    ids: set[str] = set()
    cursor: bytes | int = 0
    while True:
        (reply,) = yield [("SCAN", cursor, "MATCH", pattern, "COUNT", SCANNED)]
        cursor, found = checked(reply)
        ids.update(name.decode("utf-8", "replace").removeprefix(prefix) for name in found)
        if int(cursor) == 0 or len(ids) > 1:
            return tuple(sorted(ids)[:2])


def forget(command: Forget, keys: Keys) -> Program[bool]:
    return bool((yield from call(scripts.FORGET, (keys.expiry,), (command.id,))))


def block(command: Block, at: Callable[[str], Keys]) -> Program[None]:
    for one, other in ((command.one, command.other), (command.other, command.one)):
        arguments = (other, BLOCK_TTL_S, MOST_BLOCKS)
        yield from call(scripts.BLOCK, (at(one).blocks(one),), arguments)


def _tallies(fields: dict[bytes, bytes]) -> tuple[Tally, ...]:
    def both(what: str, slot: int) -> int:
        names = (f"{when}:{what}:{slot}".encode() for when in ("new", "old"))
        return sum(_count_of(fields.get(name)) for name in names)

    return tuple(Tally(both("c", slot), both("n", slot), both("k", slot)) for slot in range(SLOTS))


def _count_of(value: bytes | None) -> int:
    # At most what HINCRBY can make; anything else another program wrote.
    return int(value) if value and value.isdigit() and len(value) < 19 else 0


def _asked(blob: bytes) -> Asked | None:
    try:
        said: Any = json.loads(blob)
    except (ValueError, RecursionError):
        return None
    match said:
        case [
            str() as fingerprint,
            str() as question,
            str() as path,
            int() | float() as similarity,
            int() | float() as at,
            str() as tenant,
        ]:
            return Asked(fingerprint, question, path, similarity, at, tenant)
        case _:
            return None
