"""Entries in this process alone, on numpy: what `vectorset` does in Redis, without the server.

Searches are exhaustive, so the nearest is exact. Nothing survives the process.
"""

from __future__ import annotations

import heapq
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from threading import RLock
from typing import TYPE_CHECKING, Any

from khazad_mitm.cache.budget import Earned
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
from khazad_mitm.cache.worker_commands import Lease, Publish, Read, Renew, Wanted
from khazad_mitm.exchange import Entry, Neighbour
from khazad_mitm.store import weights
from khazad_mitm.store.kept import Kept
from khazad_mitm.store.matrix import Matrix
from khazad_mitm.store.pools import Blocks, Credentials, Pools, Refuted

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector

# As in Redis: a bounded effort per write that is more than a write adds.
REMOVALS_PER_PUT = 16
MOST_TAGS = 64
MOST_LINKS = 256


class MemoryStore:
    """Thread-safe; `now` gives Unix seconds."""

    def __init__(
        self,
        *,
        max_entries: int,
        max_bytes: int = 2**30,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._max_entries = max_entries
        self._max_bytes = max_bytes
        self._now = now
        self._lock = RLock()
        self._secret = secrets.token_bytes(32)
        self._empty()

    def perform(self, command: StoreCommand, within_s: float | None = None) -> Any:
        """Obey. Never fails, and takes no time to speak of."""
        with self._lock:
            match command:
                case Get(fingerprint, alias, pool):
                    return self._get(fingerprint, alias, pool)
                case GetMany(fingerprints):
                    return tuple(self._get(fingerprint, None) for fingerprint in fingerprints)
                case Resolve(conversations):
                    return tuple(map(self._resolved, conversations))
                case Occupied(scope):
                    return scope in self._vectors
                case Nearest():
                    return self._nearest(command)
                case Put(entry, scope, vector, _):
                    return self._put(entry, scope, vector)
                case PutMany(entries):
                    for one in entries:
                        self._put(one, None, None)
                    return None
                case Alias():
                    return self._alias(command)
                case IsAccepted(credential):
                    return self._accepted.is_accepted(credential, self._now())
                case Accept():
                    return self._accepted.accept(command, self._now())
                case Refuse(credential):
                    return self._accepted.refuse(credential, self._now())
                case Standing(pool):
                    return self._pools.standing(pool)
                case Weigh():
                    if command.refuted:
                        self._refuted.add(command.pool, command.refuted)
                    return self._pools.weigh(command)
                case Settle(pool, earned):
                    return self._pools.settle(pool, earned)
                case IsRefuted(pool, pair):
                    return self._refuted.knows(pool, pair)
                case Remember(id_, asked):
                    return self._remember(id_, asked)
                case Recall(id_):
                    return tuple(self._kept[id_].asked) if self._live(id_) is not None else ()
                case Find(prefix):
                    return tuple(sorted(self._ids(prefix))[:2])
                case Forget(id_):
                    found = self._live(id_) is not None
                    self._remove(id_)
                    return found
                case Lease():
                    return None  # there is no other process
                case Renew(flights):
                    return (True,) * len(flights)
                case Wanted(streams):
                    return (False,) * len(streams)
                case Publish(issues):
                    return (True,) * len(issues)
                case Read(places):
                    return (None,) * len(places)
                case Block(one, other):
                    return self._blocks.add(one, other)
                case ForgetMany(ids):
                    removed = sum(self._live(id_) is not None for id_ in ids)
                    for id_ in ids:
                        self._remove(id_)
                    return removed
                case Label(id_, tags):
                    return self._label(id_, tags)
                case Inventory():
                    return tuple(
                        kept.facts() for kept in self._kept.values() if self._is_live(kept)
                    )

    def secret(self) -> bytes:
        """A random key of 32 bytes, of this process."""
        return self._secret

    def flush(self) -> int:
        """Remove all entries; returns how many. The secret stays."""
        with self._lock:
            removed = self.count()
            self._empty()
            return removed

    def count(self) -> int:
        """How many entries are live."""
        now = self._now()
        with self._lock:
            return sum(kept.entry.is_fresh(now) for kept in self._kept.values())

    def close(self) -> None:
        """Nothing to close."""

    def _empty(self) -> None:
        self._kept: OrderedDict[str, Kept] = OrderedDict()  # least recently used first
        self._aliases: dict[str, tuple[str, float]] = {}
        """Id of the entry, and the similarity."""
        self._conversations: dict[str, str] = {}
        self._vectors: dict[str, Matrix] = {}
        self._bytes = 0
        self._expiry: list[tuple[float, str]] = []
        self._accepted = Credentials()
        self._pools = Pools()
        self._blocks = Blocks()
        self._refuted = Refuted()

    def _ids(self, prefix: str) -> list[str]:
        return [id_ for id_ in self._kept if id_.startswith(prefix) and self._live(id_) is not None]

    def _live(self, id_: str) -> Entry | None:
        kept = self._kept.get(id_)
        return kept.entry if kept and self._is_live(kept) else None

    def _is_live(self, kept: Kept) -> bool:
        return kept.entry.is_fresh(self._now())

    def _get(self, fingerprint: str, alias: str | None, pool: str = "") -> Entry | None:
        entry = self._live(fingerprint)
        if entry is None and alias is not None:
            id_, similarity = self._aliases.get(alias, ("", 0.0))
            earned = self._pools.standing(pool) if pool else Earned(similarity)
            if earned is not None and similarity >= earned.at:
                entry = self._live(id_)
        if entry is not None:
            self._kept.move_to_end(entry.id)
        return entry

    def _resolved(self, conversation: str) -> str | None:
        entry = self._live(self._conversations.get(conversation, ""))
        return entry.conversation if entry else None

    def _nearest(self, asked: Nearest) -> list[Neighbour]:
        matrix = self._vectors.get(asked.scope)
        neighbours: list[Neighbour] = []
        if matrix is None:
            return neighbours
        blocked = self._blocks.of(asked.asked)
        for id_, similarity in matrix.by_similarity(asked.vector):
            entry = self._live(id_)
            if entry is not None and id_ not in blocked:
                wanted = entry if similarity >= asked.at_least else None
                neighbours.append(Neighbour(id_, similarity, wanted))
            if len(neighbours) == asked.count:
                break
        return neighbours

    def _put(self, entry: Entry, scope: str | None, vector: Vector | None) -> None:
        now = self._now()
        if not entry.is_fresh(now):
            return
        self._remove(entry.id)
        self._sweep(now)
        scope = scope if vector is not None else None
        size = weights.of_entry(
            weights.of_body(entry), weights.dimensions(vector if scope else None)
        )
        if scope and scope not in self._vectors:
            size += weights.SET
        if size > self._max_bytes:
            return
        while self._kept and (
            len(self._kept) >= self._max_entries or self._bytes + size > self._max_bytes
        ):
            self._remove(next(iter(self._kept)))
        if scope and vector is not None:
            self._vectors.setdefault(scope, Matrix(len(vector))).add(entry.id, vector)
        self._kept[entry.id] = Kept(entry, scope or None, dict.fromkeys(entry.tags))
        self._grow(entry.id, size)
        if entry.expires_at is not None:
            heapq.heappush(self._expiry, (entry.expires_at, entry.id))

    def _sweep(self, now: float) -> None:
        for _ in range(REMOVALS_PER_PUT):
            if not self._expiry or self._expiry[0][0] > now:
                break
            _, id_ = heapq.heappop(self._expiry)
            # It may have been replaced by one that lives longer.
            if id_ in self._kept and self._live(id_) is None:
                self._remove(id_)
        # Each one that was replaced or evicted has left its end behind.
        if len(self._expiry) > 2 * len(self._kept) + REMOVALS_PER_PUT:
            entries = (kept.entry for kept in self._kept.values())
            self._expiry = [(e.expires_at, e.id) for e in entries if e.expires_at is not None]
            heapq.heapify(self._expiry)

    def _grow(self, id_: str, size_bytes: int) -> None:
        """Count what an entry takes, and make room for it where that is too much."""
        self._kept[id_].size_bytes += size_bytes
        self._bytes += size_bytes
        while self._bytes > self._max_bytes:
            self._remove(next(iter(self._kept)))

    def _remember(self, id_: str, asked: Asked) -> None:
        if self._live(id_) is None:
            return
        kept = self._kept[id_]
        before = kept.asked_bytes()
        kept.asked.appendleft(asked)
        self._grow(id_, kept.asked_bytes() - before)

    def _alias(self, command: Alias) -> None:
        id_ = command.entry.id
        if self._live(id_) is None:
            return
        kept = self._kept[id_]
        self._kept.move_to_end(id_)
        before = len(kept.aliases) + len(kept.conversations)
        # As in Redis: one takes another's place.
        if before >= MOST_LINKS and command.alias not in kept.aliases and kept.aliases:
            self._unlink(id_, kept.aliases.pop(), "")
        if before >= MOST_LINKS and kept.conversations:
            self._unlink(id_, "", kept.conversations.pop())
        self._aliases[command.alias] = (id_, command.similarity)
        kept.aliases.add(command.alias)
        if command.entry.conversation and command.conversation != command.entry.conversation:
            self._conversations[command.conversation] = id_
            kept.conversations.add(command.conversation)
        links = len(kept.aliases) + len(kept.conversations)
        self._grow(id_, (links - before) * weights.LINK)

    def _unlink(self, id_: str, alias: str, conversation: str) -> None:
        # Another entry may have taken it over since; then it is that one's to remove.
        if self._aliases.get(alias, ("", 0.0))[0] == id_:
            del self._aliases[alias]
        if self._conversations.get(conversation) == id_:
            del self._conversations[conversation]

    def _label(self, id_: str, tags: tuple[str, ...]) -> None:
        if self._live(id_) is not None:
            known = self._kept[id_].tags
            new = [tag for tag in tags if tag not in known]
            new = new[: max(0, MOST_TAGS - len(known))]
            known.update(dict.fromkeys(new))
            self._grow(id_, sum(len(tag) + 1 for tag in new))

    def _remove(self, id_: str) -> None:
        kept = self._kept.pop(id_, None)
        if kept is None:
            return
        self._bytes -= kept.size_bytes
        if kept.scope is not None:
            matrix = self._vectors[kept.scope]
            matrix.remove(id_)
            if not len(matrix):
                del self._vectors[kept.scope]
        for alias in kept.aliases:
            self._unlink(id_, alias, "")
        for conversation in kept.conversations:
            self._unlink(id_, "", conversation)


class AsyncMemoryStore:
    """The same entries as `store`, awaited; nothing in it waits."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def perform(self, command: StoreCommand, within_s: float | None = None) -> Any:
        return self._store.perform(command)
