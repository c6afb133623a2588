"""Each store command as a program over Redis: lists of Redis commands out, lists of replies in.

A program yields what makes one round trip and is sent the replies, an error reply as the exception
it is; it does no I/O and reads no clock. `redis_store` runs it, blocking or awaiting.

Redis scores a neighbour (1 + cosine) / 2. That is undone here and nowhere else.
Source: Redis VADD, VSIM; design section 6 for what was measured on 8.2.3.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar

from redis.exceptions import NoScriptError, OutOfMemoryError, ResponseError

from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Get,
    IsAccepted,
    Nearest,
    Put,
    Refuse,
    Resolve,
    StoreCommand,
)
from khazad_mitm.exchange import Entry, Neighbour
from khazad_mitm.store import scripts
from khazad_mitm.store.codec import decode, encode
from khazad_mitm.store.keys import Keys

T = TypeVar("T")
RedisCommand: TypeAlias = tuple[bytes | str | int | float, ...]
Program: TypeAlias = Generator[list[RedisCommand], list[Any], T]

# Above this a script that searches would hold the server too long for everyone else; a plain
# VSIM runs in a thread of its own.
LARGE_SET = 10_000
# Entries removed per write, expired or over the cap: each write adds one, so any backlog shrinks.
REMOVALS_PER_PUT = 16
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

    def touch(self, id_: str, now_ms: int) -> list[RedisCommand]:
        """The command that counts this as a use of the entry, or none where one was just sent."""
        if now_ms - self.touched.get(id_, -TOUCH_EVERY_MS) < TOUCH_EVERY_MS:
            return []
        if len(self.touched) >= MOST_TOUCHED:
            self.touched.clear()
        self.touched[id_] = now_ms
        return [("ZADD", self.keys.use, "XX", now_ms, id_)]


def program(command: StoreCommand, space: Space, now_ms: int) -> Program[Any]:
    """The program for `command`; `now_ms` is Unix time. Returns what `cache.commands` promises."""
    match command:
        case Get(fingerprint, alias):
            return _get(fingerprint, alias, space, now_ms)
        case Resolve(conversations):
            return _resolve(conversations, space.keys)
        case Nearest():
            return _nearest(command, space)
        case Put(entry):
            return _put(command, encode(entry), space, now_ms)
        case Alias():
            return _alias(command, space.keys, now_ms)
        case IsAccepted(credential):
            return _is_accepted(space.keys.credential(credential))
        case Accept(credential, ttl_s):
            return _single("SET", space.keys.credential(credential), 1, "EX", ttl_s)
        case Refuse(credential):
            return _single("DEL", space.keys.credential(credential))


def _get(fingerprint: str, alias: str | None, space: Space, now_ms: int) -> Program[Entry | None]:
    # A touch is not worth failing for: its reply, OOM perhaps, is not looked at.
    keys = space.keys
    names = [keys.entry(fingerprint)]
    if alias is not None:
        names.append(keys.alias(alias))
    found, *_ = yield [("MGET", *names), *space.touch(fingerprint, now_ms)]
    body, *targets = checked(found)
    entry = decode(body) if body else None
    if entry is not None or not targets or targets[0] is None:
        return entry
    id_ = targets[0].decode("ascii", "replace")
    found, *_ = yield [("MGET", keys.entry(id_)), *space.touch(id_, now_ms)]
    (body,) = checked(found)
    return decode(body) if body else None


def _resolve(conversations: tuple[str, ...], keys: Keys) -> Program[tuple[str | None, ...]]:
    if not conversations:
        return ()
    (found,) = yield [("MGET", *map(keys.conversation, conversations))]
    return tuple(
        target.partition(b":")[2].decode("ascii", "replace") if target else None
        for target in checked(found)
    )


def _put(command: Put, body: bytes, space: Space, now_ms: int) -> Program[None]:
    entry, keys = command.entry, space.keys
    ttl: int | str = ""
    if entry.expires_at is not None:
        ttl = int(entry.expires_at * 1000) - now_ms
        if ttl <= 0:
            return
    vector = b"" if command.vector is None else _blob(command.vector)
    scope = command.scope if command.scope and vector else ""
    arguments = (entry.id, body, ttl, scope, vector, space.max_entries, REMOVALS_PER_PUT)
    heal: list[RedisCommand] = []
    if space.secret is not None:
        heal.append(("SET", keys.secret, space.secret, "NX"))
    try:
        yield from _call(scripts.PUT, (keys.expiry,), arguments, heal)
    except OutOfMemoryError:
        # A full server denies writes and serves reads: the entry is not kept, nothing is wrong.
        bounds = (space.max_entries, REMOVALS_PER_PUT)
        yield from _call(scripts.SWEEP, (keys.expiry,), bounds)


def _alias(command: Alias, keys: Keys, now_ms: int) -> Program[None]:
    entry = command.entry
    stands_for = entry.conversation
    conversation = command.conversation if stands_for and command.conversation != stands_for else ""
    arguments = (entry.id, command.alias, conversation, stands_for, now_ms)
    try:
        yield from _call(scripts.ALIAS, (keys.expiry,), arguments)
    except OutOfMemoryError:
        return


def _is_accepted(key: str) -> Program[bool]:
    (found,) = yield [("EXISTS", key)]
    return bool(checked(found))


def _single(*command: str | int) -> Program[None]:
    (reply,) = yield [command]
    checked(reply)


def _nearest(command: Nearest, space: Space) -> Program[list[Neighbour]]:
    if command.scope not in space.large:
        keys = (space.keys.expiry, space.keys.vectors(command.scope))
        lowest = repr((1 + command.at_least) / 2)
        arguments = (_blob(command.vector), command.count, lowest, LARGE_SET)
        found = yield from _call(scripts.NEAREST, keys, arguments)
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
        found, size = yield [search, ("VCARD", vectors)]
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
            yield from _call(scripts.PRUNE, (keys.expiry, vectors), tuple(dead))
        if len(dead) < len(ids):
            return _neighbours(zip(flat[::2], scores, bodies, strict=True))
    return []


def _neighbours(found: Any) -> list[Neighbour]:
    """From triples of id, score and body: b"" where it was not asked for, None where it is gone."""
    neighbours = []
    for id_, score, body in found:
        if body is None:
            continue
        entry = decode(body) if body else None
        if body and entry is None:
            continue
        similarity = 2 * float(score) - 1
        neighbours.append(Neighbour(id_.decode("ascii", "replace"), similarity, entry))
    return neighbours


def _call(
    script: scripts.Script,
    keys: tuple[str, ...],
    arguments: RedisCommand,
    beside: list[RedisCommand] | None = None,
) -> Program[Any]:
    """Run a script by its digest, or by its text where the server has not met it yet."""
    rest = (len(keys), *keys, *arguments)
    reply, *others = yield [("EVALSHA", script.digest, *rest), *(beside or ())]
    if isinstance(reply, NoScriptError):
        (reply,) = yield [("EVAL", script.source, *rest)]
    for other in (reply, *others):
        checked(other)
    return reply


def checked(reply: Any) -> Any:
    """The reply; raises it where it is an error."""
    if isinstance(reply, ResponseError):
        raise reply
    return reply


def _blob(vector: Any) -> bytes:
    blob: bytes = vector.astype("<f4", copy=False).tobytes()
    return blob
