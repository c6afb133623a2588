"""Each store command as a program over Redis (see `trips`): entries here, the rest in `evidence`
and `inventory`.

Redis scores a neighbour (1 + cosine) / 2. That is undone here and nowhere else.
Source: Redis VADD, VSIM; design section 6 for what was measured on 8.2.3.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import Any, TypeAlias

from redis.exceptions import OutOfMemoryError

from khazad_mitm.cache.commands import (
    Accept,
    Alias,
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
from khazad_mitm.cache.worker_commands import Lease, Publish, Read, Renew, Wanted
from khazad_mitm.exchange import Entry, Neighbour
from khazad_mitm.store import evidence, inventory, leases, scripts, sealed, streams, weights
from khazad_mitm.store.keys import Keys
from khazad_mitm.store.namespace import kept_secret
from khazad_mitm.store.space import Space
from khazad_mitm.store.trips import Program, RedisCommand, call, call_each, checked

# Above this a script that searches would hold the server too long for everyone else; a plain
# VSIM runs in a thread of its own.
LARGE_SET = 10_000
# Aliases of one entry, and of conversations it stands for.
MOST_LINKS = 256
# Entries asked for or kept in one go: each trip that nobody waits for has a deadline of its own.
MOST_AT_ONCE = 64
BYTES_AT_ONCE = 1024 * 1024
# Rounds of a search that finds nothing but expired entries; as in the script.
ROUNDS = 5

Call: TypeAlias = tuple[tuple[str, ...], RedisCommand]
"""Keys and arguments of a script."""


def program(command: StoreCommand, space: Space, now_ms: int) -> Program[Any]:
    """The program for `command`; `now_ms` is Unix time. Returns what `cache.commands` promises."""
    match command:
        case Get():
            return _get(command, space, now_ms)
        case GetMany(fingerprints):
            return _get_many(fingerprints, space, now_ms)
        case Resolve(conversations):
            return _resolve(conversations, space)
        case Occupied(scope):
            return _is_occupied(scope, space)
        case Nearest():
            return _nearest(command, space)
        case Put():
            return _put((command,), space, now_ms)
        case PutMany(entries):
            return _put(tuple(map(Put, entries)), space, now_ms)
        case Alias():
            return _alias(command, space, now_ms)
        case IsAccepted(credential):
            return evidence.is_accepted(credential, space.at(credential))
        case Accept(credential):
            return evidence.accept(command, space.at(credential))
        case Refuse(credential):
            return evidence.refuse(credential, space.at(credential), now_ms)
        case Standing(pool):
            return evidence.standing(pool, space.at(pool))
        case Weigh(pool):
            return evidence.weigh(command, space.at(pool))
        case Settle(pool):
            return evidence.settle(command, space.at(pool))
        case IsRefuted(pool):
            return evidence.is_refuted(command, space.at(pool))
        case Remember(id_):
            keys = space.at(id_)
            return evidence.remember(command, keys, space.bounds(keys), space.seal)
        case Recall(id_):
            return evidence.recall(command, space.at(id_), space.seal)
        case Find(prefix):
            # The first four digits name the bucket.
            buckets = (space.at(prefix),) if len(prefix) >= 4 else space.buckets
            return evidence.find(command, buckets)
        case Forget(id_):
            return evidence.forget(command, space.at(id_))
        case Block():
            return evidence.block(command, space.at)
        case ForgetMany():
            return inventory.forget_many(command, space.at)
        case Label(id_):
            return inventory.label(command, space.at(id_))
        case Inventory():
            return inventory.inventory(space.buckets, now_ms)
        case Lease(flight):
            return leases.lease(command, space.at(flight))
        case Renew():
            return leases.renew(command, space.at)
        case Wanted():
            return streams.wanted(command, space.at)
        case Publish():
            return streams.publish(command, space.at, space.seal)
        case Read():
            return streams.read(command, space.at, space.seal)


def _get(command: Get, space: Space, now_ms: int) -> Program[Entry | None]:
    # A touch is not worth failing for: its reply, OOM perhaps, is not looked at.
    fingerprint = command.fingerprint
    keys = space.at(fingerprint)
    names = [keys.entry(fingerprint)]
    if command.alias is not None:
        names.append(keys.alias(command.alias))
    trip: list[RedisCommand] = [("MGET", *names)]
    if command.pool and command.alias is not None:
        trip.append(("HGET", keys.pool(command.pool), "at"))
    found, *others = yield [*trip, *space.touch(now_ms, fingerprint)]
    body, *targets = checked(found)
    entry = sealed.entry_of(fingerprint, body, space.seal)
    if entry is not None or not targets:
        return entry
    target = sealed.target_of(f"a:{command.alias}", targets[0], space.seal)
    if target is None:
        return None
    id_, similarity = target[0], evidence.cosine_of(target[1])
    if command.pool:
        earned = evidence.earned_of(checked(others[0]), None)
        if earned is None or similarity is None or similarity < earned.at:
            return None
    found, *_ = yield [("MGET", keys.entry(id_)), *space.touch(now_ms, id_)]
    (body,) = checked(found)
    return sealed.entry_of(id_, body, space.seal)


def _get_many(
    fingerprints: tuple[str, ...], space: Space, now_ms: int
) -> Program[tuple[Entry | None, ...]]:
    # A command has keys of one bucket only.
    by_bucket: dict[Keys, list[str]] = {}
    for fingerprint in fingerprints:
        by_bucket.setdefault(space.at(fingerprint), []).append(fingerprint)
    parts = [
        (keys, ids[start : start + MOST_AT_ONCE])
        for keys, ids in by_bucket.items()
        for start in range(0, len(ids), MOST_AT_ONCE)
    ]
    asked: list[RedisCommand] = [("MGET", *map(keys.entry, ids)) for keys, ids in parts]
    replies = yield [*asked, *space.touch(now_ms, *fingerprints)]
    found: dict[str, Entry | None] = {}
    for (_, ids), reply in zip(parts, replies, strict=False):
        entries = map(partial(sealed.entry_of, seal=space.seal), ids, checked(reply))
        found.update(zip(ids, entries, strict=True))
    return tuple(found[fingerprint] for fingerprint in fingerprints)


def _resolve(conversations: tuple[str, ...], space: Space) -> Program[tuple[str | None, ...]]:
    if not conversations:
        return ()
    # Those of one conversation lie in one bucket.
    keys = space.at(conversations[0])
    (found,) = yield [("MGET", *map(keys.conversation, conversations))]
    targets = (
        sealed.target_of(f"p:{asked}", value, space.seal)
        for asked, value in zip(conversations, checked(found), strict=True)
    )
    return tuple(target[1] if target else None for target in targets)


def _is_occupied(scope: str, space: Space) -> Program[bool]:
    (found,) = yield [("EXISTS", space.at(scope).vectors(scope))]
    return bool(checked(found))


def _put(commands: Sequence[Put], space: Space, now_ms: int) -> Program[None]:
    beside: list[RedisCommand] = []
    # In a cluster it lies on one master, and one that is away would be everyone's misfortune: there
    # it is put back by whoever surveys.
    if space.secret is not None and len(space.buckets) == 1:
        beside.append(("SET", space.keys.secret, kept_secret(space.secret, space.seal), "NX"))
    flown = [one.releases for one in commands if one.releases]
    beside += [("DEL", space.at(flight).lease(flight)) for flight in flown]
    try:
        yield from space.survey(now_ms)
        for trip in _trips(_put_call(command, space, now_ms) for command in commands):
            yield from call_each(scripts.PUT, trip, beside)
    except OutOfMemoryError:
        # A full server denies what needs room, and lets what has expired be removed.
        buckets = {space.at(command.entry.id) for command in commands}
        yield from call_each(
            scripts.SWEEP, [((keys.expiry,), space.bounds(keys)) for keys in buckets]
        )
        raise


def _put_call(command: Put, space: Space, now_ms: int) -> Call | None:
    """None for an entry that has expired already."""
    entry = command.entry
    keys = space.at(entry.id)
    ttl: int | str = ""
    if entry.expires_at is not None:
        ttl = int(entry.expires_at * 1000) - now_ms
        if ttl <= 0:
            return None
    vector = b"" if command.vector is None else _blob(command.vector)
    scope = command.scope if command.scope and vector else ""
    body = sealed.blob_of(entry, space.seal)
    dimensions = weights.dimensions(command.vector) if scope else 0
    facts = inventory.written(entry, weights.of_entry(len(body), dimensions))
    arguments = (entry.id, body, ttl, scope, vector, facts, weights.SET)
    return (keys.expiry,), (*space.bounds(keys), *arguments)


def _trips(some: Iterable[Call | None]) -> Iterator[list[Call]]:
    """So many at a time that each trip keeps its deadline."""
    trip: list[Call] = []
    size = 0
    for one in some:
        if one is None:
            continue
        trip.append(one)
        size += sum(len(part) for part in one[1] if isinstance(part, bytes))
        if len(trip) == MOST_AT_ONCE or size >= BYTES_AT_ONCE:
            yield trip
            trip, size = [], 0
    if trip:
        yield trip


def _alias(command: Alias, space: Space, now_ms: int) -> Program[None]:
    entry = command.entry
    keys = space.at(entry.id)
    stands_for = entry.conversation
    conversation = command.conversation if stands_for and command.conversation != stands_for else ""
    similarity = f"{command.similarity:.6f}"
    arguments = (
        *(*space.bounds(keys), entry.id, command.alias, conversation),
        *(sealed.target(f"p:{conversation}", entry.id, stands_for, space.seal), now_ms),
        sealed.target(f"a:{command.alias}", entry.id, similarity, space.seal),
        *(MOST_LINKS, weights.LINK),
    )
    yield from call(scripts.ALIAS, (keys.expiry,), arguments)


def _nearest(command: Nearest, space: Space) -> Program[list[Neighbour]]:
    if command.scope not in space.large:
        at = space.at(command.scope)
        keys = (at.expiry, at.vectors(command.scope), at.blocks(command.asked))
        lowest = repr((1 + command.at_least) / 2)
        arguments = (_blob(command.vector), command.count, lowest, LARGE_SET)
        found = yield from call(scripts.NEAREST, keys, arguments)
        if found is not None:
            triples = zip(found[::3], found[1::3], found[2::3], strict=True)
            return _neighbours(triples, space)
        space.large.add(command.scope)
    return (yield from _nearest_of_many(command, space))


def _nearest_of_many(command: Nearest, space: Space) -> Program[list[Neighbour]]:
    """The same in two trips, so that the search holds up nobody."""
    keys, lowest = space.at(command.scope), (1 + command.at_least) / 2
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
            allowed = (one for one in listed if one[0] not in checked(blocked))
            return _neighbours(allowed, space)
    return []


def _neighbours(found: Any, space: Space) -> list[Neighbour]:
    """From triples of id, score and body: b"" where it was not asked for, None where it is gone."""
    neighbours = []
    for name, score, body in found:
        if body is None:
            continue
        id_ = name.decode("ascii", "replace")
        entry = sealed.entry_of(id_, body, space.seal)
        if body and entry is None:
            continue
        neighbours.append(Neighbour(id_, 2 * float(score) - 1, entry))
    return neighbours


def _blob(vector: Any) -> bytes:
    blob: bytes = vector.astype("<f4", copy=False).tobytes()
    return blob
