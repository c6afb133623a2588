"""Each store command as a program over Redis (see `trips`): entries here, the rest in `evidence`.

Redis scores a neighbour (1 + cosine) / 2. That is undone here and nowhere else.
Source: Redis VADD, VSIM; design section 6 for what was measured on 8.2.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from redis.exceptions import OutOfMemoryError

from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Block,
    Find,
    Forget,
    Get,
    GetMany,
    IsAccepted,
    Lease,
    Nearest,
    Put,
    PutMany,
    Recall,
    Refuse,
    Release,
    Remember,
    Resolve,
    Settle,
    Standing,
    StoreCommand,
    Weigh,
)
from khazad_mitm.exchange import Entry, Neighbour
from khazad_mitm.store import evidence, scripts
from khazad_mitm.store.codec import decode, encode
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.trips import Program, RedisCommand, call, call_each, checked

# Above this a script that searches would hold the server too long for everyone else; a plain
# VSIM runs in a thread of its own.
LARGE_SET = 10_000
# Entries removed per write, expired or over the cap: each write adds one, so any backlog shrinks.
REMOVALS_PER_PUT = 16
# Entries asked for or kept in one go: each reply, and each sending, has a deadline of its own.
MOST_AT_ONCE = 64
BYTES_AT_ONCE = 1024 * 1024
# Rounds of a search that finds nothing but expired entries; as in the script.
ROUNDS = 5
# A touch is a write, and with AOF every write costs the reader behind it 50 us: one per entry and
# process in this time keeps the order of last use true to ten seconds.
TOUCH_EVERY_MS = 10_000
MOST_TOUCHED = 10_000


@dataclass(slots=True)
class Space:
    """A namespace as one process knows it."""

    keys: Keys
    max_entries: int
    secret: bytes | None = None
    """Once known, every write puts it back where it was lost."""
    large: set[str] = field(default_factory=set)
    """Scopes last seen above LARGE_SET."""
    touched: dict[str, int] = field(default_factory=dict)
    """When this process last touched an entry, Unix milliseconds."""

    def touch(self, now_ms: int, *ids: str) -> list[RedisCommand]:
        """The command that counts this as a use of the entries, or none where one was just sent."""
        before = now_ms - TOUCH_EVERY_MS
        due = [id_ for id_ in ids if self.touched.get(id_, before) <= before]
        if not due:
            return []
        if len(self.touched) >= MOST_TOUCHED:
            self.touched.clear()
        self.touched.update(dict.fromkeys(due, now_ms))
        used = [part for id_ in due for part in (now_ms, id_)]
        return [("ZADD", self.keys.use, "XX", *used)]


def program(command: StoreCommand, space: Space, now_ms: int) -> Program[Any]:
    """The program for `command`; `now_ms` is Unix time. Returns what `cache.commands` promises."""
    match command:
        case Get():
            return _get(command, space, now_ms)
        case GetMany(fingerprints):
            return _get_many(fingerprints, space, now_ms)
        case Resolve(conversations):
            return _resolve(conversations, space.keys)
        case Nearest():
            return _nearest(command, space)
        case Put():
            return _put((command,), space, now_ms)
        case PutMany(entries):
            return _put(tuple(map(Put, entries)), space, now_ms)
        case Alias():
            return _alias(command, space.keys, now_ms)
        case IsAccepted(credential):
            return _is_accepted(space.keys.credential(credential))
        case Accept(credential, ttl_s):
            return _single("SET", space.keys.credential(credential), 1, "EX", ttl_s)
        case Refuse(credential):
            return _single("DEL", space.keys.credential(credential))
        case Standing(pool):
            return evidence.standing(pool, space.keys)
        case Weigh():
            return evidence.weigh(command, space.keys)
        case Settle():
            return evidence.settle(command, space.keys)
        case Remember():
            return evidence.remember(command, space.keys)
        case Recall():
            return evidence.recall(command, space.keys)
        case Find():
            return evidence.find(command, space.keys)
        case Forget():
            return evidence.forget(command, space.keys)
        case Block():
            return evidence.block(command, space.keys)
        case Lease():
            return _lease(command, space.keys)
        case Release(flight):
            return _single("DEL", space.keys.lease(flight))


def _get(command: Get, space: Space, now_ms: int) -> Program[Entry | None]:
    # A touch is not worth failing for: its reply, OOM perhaps, is not looked at.
    keys, fingerprint = space.keys, command.fingerprint
    names = [keys.entry(fingerprint)]
    if command.alias is not None:
        names.append(keys.alias(command.alias))
    trip: list[RedisCommand] = [("MGET", *names)]
    if command.pool and command.alias is not None:
        trip.append(("HGET", keys.pool(command.pool), "at"))
    found, *others = yield [*trip, *space.touch(now_ms, fingerprint)]
    body, *targets = checked(found)
    entry = _entry_of(fingerprint, body)
    if entry is not None or not targets or targets[0] is None:
        return entry
    id_, _, similarity = targets[0].decode("ascii", "replace").partition(":")
    if command.pool:
        earned = evidence.earned_of(checked(others[0]), None)
        if earned is None or float(similarity or 0) < earned.at:
            return None
    found, *_ = yield [("MGET", keys.entry(id_)), *space.touch(now_ms, id_)]
    (body,) = checked(found)
    return _entry_of(id_, body)


def _entry_of(id_: str, body: bytes | None) -> Entry | None:
    """The entry that lies under the key of this id, or None.

    One with another id was copied there by another program: it answers another question, or
    another caller's.
    """
    entry = decode(body) if body else None
    return entry if entry is not None and entry.id == id_ else None


def _get_many(
    fingerprints: tuple[str, ...], space: Space, now_ms: int
) -> Program[tuple[Entry | None, ...]]:
    names = [space.keys.entry(fingerprint) for fingerprint in fingerprints]
    asked: list[RedisCommand] = [
        ("MGET", *names[start : start + MOST_AT_ONCE])
        for start in range(0, len(names), MOST_AT_ONCE)
    ]
    replies = yield [*asked, *space.touch(now_ms, *fingerprints)]
    bodies = [body for found in replies[: len(asked)] for body in checked(found)]
    return tuple(map(_entry_of, fingerprints, bodies))


def _resolve(conversations: tuple[str, ...], keys: Keys) -> Program[tuple[str | None, ...]]:
    if not conversations:
        return ()
    (found,) = yield [("MGET", *map(keys.conversation, conversations))]
    return tuple(
        target.partition(b":")[2].decode("ascii", "replace") if target else None
        for target in checked(found)
    )


def _put(commands: Sequence[Put], space: Space, now_ms: int) -> Program[None]:
    keys = space.keys
    beside: list[RedisCommand] = []
    if space.secret is not None:
        beside.append(("SET", keys.secret, space.secret, "NX"))
    beside += [("DEL", keys.lease(one.releases)) for one in commands if one.releases]
    try:
        for trip in _trips(_put_arguments(command, space, now_ms) for command in commands):
            yield from call_each(scripts.PUT, (keys.expiry,), trip, beside)
    except OutOfMemoryError:
        # A full server denies what needs room, and lets what has expired be removed.
        bounds = (space.max_entries, REMOVALS_PER_PUT)
        yield from call(scripts.SWEEP, (keys.expiry,), bounds)
        raise


def _put_arguments(command: Put, space: Space, now_ms: int) -> RedisCommand | None:
    """None for an entry that has expired already."""
    entry = command.entry
    ttl: int | str = ""
    if entry.expires_at is not None:
        ttl = int(entry.expires_at * 1000) - now_ms
        if ttl <= 0:
            return None
    vector = b"" if command.vector is None else _blob(command.vector)
    scope = command.scope if command.scope and vector else ""
    return (entry.id, encode(entry), ttl, scope, vector, space.max_entries, REMOVALS_PER_PUT)


def _trips(some: Iterable[RedisCommand | None]) -> Iterator[list[RedisCommand]]:
    """So many at a time that each trip keeps its deadline."""
    trip: list[RedisCommand] = []
    size = 0
    for arguments in some:
        if arguments is None:
            continue
        trip.append(arguments)
        size += sum(len(part) for part in arguments if isinstance(part, bytes))
        if len(trip) == MOST_AT_ONCE or size >= BYTES_AT_ONCE:
            yield trip
            trip, size = [], 0
    if trip:
        yield trip


def _alias(command: Alias, keys: Keys, now_ms: int) -> Program[None]:
    entry = command.entry
    stands_for = entry.conversation
    conversation = command.conversation if stands_for and command.conversation != stands_for else ""
    arguments = (
        *(entry.id, command.alias, conversation, stands_for, now_ms),
        f"{command.similarity:.6f}",
    )
    yield from call(scripts.ALIAS, (keys.expiry,), arguments)


def _is_accepted(key: str) -> Program[bool]:
    (found,) = yield [("EXISTS", key)]
    return bool(checked(found))


def _lease(command: Lease, keys: Keys) -> Program[bool]:
    """Says so in one command: whose it was before, and it is ours only if it was nobody's."""
    ttl = int(command.seconds * 1000)
    (before,) = yield [("SET", keys.lease(command.flight), command.holder, "NX", "PX", ttl, "GET")]
    return checked(before) in (None, command.holder.encode())


def _single(*command: str | int) -> Program[None]:
    (reply,) = yield [command]
    checked(reply)


def _nearest(command: Nearest, space: Space) -> Program[list[Neighbour]]:
    if command.scope not in space.large:
        keys = (
            space.keys.expiry,
            space.keys.vectors(command.scope),
            space.keys.blocks(command.asked),
        )
        lowest = repr((1 + command.at_least) / 2)
        arguments = (_blob(command.vector), command.count, lowest, LARGE_SET)
        found = yield from call(scripts.NEAREST, keys, arguments)
        if found is not None:
            triples = zip(found[::3], found[1::3], found[2::3], strict=True)
            return _neighbours(triples)
        space.large.add(command.scope)
    return (yield from _nearest_of_many(command, space))


def _nearest_of_many(command: Nearest, space: Space) -> Program[list[Neighbour]]:
    """The same in two trips, so that the search holds up nobody."""
    keys, lowest = space.keys, (1 + command.at_least) / 2
    vectors = keys.vectors(command.scope)
    search = ("VSIM", vectors, "FP32", _blob(command.vector), "WITHSCORES", "COUNT", command.count)
    for _ in range(ROUNDS):
        blocks: RedisCommand = ("SMEMBERS", keys.blocks(command.asked))
        found, size, blocked = yield [search, ("VCARD", vectors), blocks]
        # Half, so that a set around the bound does not go back and forth.
        if checked(size) < LARGE_SET // 2:
            space.large.discard(command.scope)
        flat = checked(found)
        ids, scores = [id_.decode("ascii", "replace") for id_ in flat[::2]], flat[1::2]
        if not ids:
            return []
        near = sum(float(score) >= lowest for score in scores)
        asked: list[RedisCommand] = [("EXISTS", keys.entry(id_)) for id_ in ids[near:]]
        if near:
            asked.append(("MGET", *map(keys.entry, ids[:near])))
        replies = yield asked
        bodies = checked(replies.pop()) if near else []
        bodies += [b"" if checked(exists) else None for exists in replies]
        dead = [id_ for id_, body in zip(ids, bodies, strict=True) if body is None]
        if dead:
            yield from call(scripts.PRUNE, (keys.expiry, vectors), tuple(dead))
        if len(dead) < len(ids):
            listed = zip(flat[::2], scores, bodies, strict=True)
            return _neighbours(one for one in listed if one[0] not in checked(blocked))
    return []


def _neighbours(found: Any) -> list[Neighbour]:
    """From triples of id, score and body: b"" where it was not asked for, None where it is gone."""
    neighbours = []
    for name, score, body in found:
        if body is None:
            continue
        id_ = name.decode("ascii", "replace")
        entry = _entry_of(id_, body)
        if body and entry is None:
            continue
        neighbours.append(Neighbour(id_, 2 * float(score) - 1, entry))
    return neighbours


def _blob(vector: Any) -> bytes:
    blob: bytes = vector.astype("<f4", copy=False).tobytes()
    return blob
