"""Entries in this process alone, on numpy: what `vectorset` does in Redis, without the server.

Searches are exhaustive, so the nearest is exact. Nothing survives the process.
"""

from __future__ import annotations

import heapq
import math
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field
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
from khazad_mitm.store.matrix import Matrix
from khazad_mitm.store.pools import Blocks, Pools

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector

# As in Redis: a bounded effort per write that is more than a write adds.
REMOVALS_PER_PUT = 16
MOST_REMEMBERED = 8


@dataclass(slots=True)
class _Kept:
    entry: Entry
    scope: str | None
    aliases: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))


class MemoryStore:
    """Thread-safe; `now` gives Unix seconds."""

    def __init__(self, *, max_entries: int, now: Callable[[], float] = time.time) -> None:
        self._max_entries = max_entries
        self._now = now
        self._lock = RLock()
        self._secret = secrets.token_bytes(32)
        self._empty()

    def perform(self, command: StoreCommand) -> Any:
        """Obey. Never fails."""
        with self._lock:
            match command:
                case Get(fingerprint, alias, pool):
                    return self._get(fingerprint, alias, pool)
                case GetMany(fingerprints):
                    return tuple(self._get(fingerprint, None) for fingerprint in fingerprints)
                case Resolve(conversations):
                    return tuple(map(self._resolved, conversations))
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
                    return self._accepted.get(credential, -math.inf) > self._now()
                case Accept(credential, ttl_s):
                    return self._accept(credential, ttl_s)
                case Refuse(credential):
                    self._accepted.pop(credential, None)
                    return None
                case Standing(pool):
                    return self._pools.standing(pool)
                case Weigh():
                    return self._pools.weigh(command)
                case Settle(pool, earned):
                    return self._pools.settle(pool, earned)
                case Remember(id_, asked):
                    if self._live(id_) is not None:
                        self._kept[id_].asked.appendleft(asked)
                    return None
                case Recall(id_):
                    return tuple(self._kept[id_].asked) if self._live(id_) is not None else ()
                case Find(prefix):
                    return tuple(sorted(self._ids(prefix))[:2])
                case Forget(id_):
                    found = self._live(id_) is not None
                    self._remove(id_)
                    return found
                case Lease():
                    return True  # there is no other process
                case Release():
                    return None
                case Block(one, other):
                    return self._blocks.add(one, other)

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
        self._kept: OrderedDict[str, _Kept] = OrderedDict()  # least recently used first
        self._aliases: dict[str, tuple[str, float]] = {}
        """Id of the entry, and the similarity."""
        self._conversations: dict[str, str] = {}
        self._vectors: dict[str, Matrix] = {}
        self._expiry: list[tuple[float, str]] = []
        self._accepted: dict[str, float] = {}
        self._pools = Pools()
        self._blocks = Blocks()

    def _ids(self, prefix: str) -> list[str]:
        return [id_ for id_ in self._kept if id_.startswith(prefix) and self._live(id_) is not None]

    def _live(self, id_: str) -> Entry | None:
        kept = self._kept.get(id_)
        return kept.entry if kept and kept.entry.is_fresh(self._now()) else None

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
        for _ in range(REMOVALS_PER_PUT):
            if not self._expiry or self._expiry[0][0] > now:
                break
            _, id_ = heapq.heappop(self._expiry)
            # It may have been replaced by one that lives longer.
            if id_ in self._kept and self._live(id_) is None:
                self._remove(id_)
        while len(self._kept) >= self._max_entries and self._kept:
            self._remove(next(iter(self._kept)))
        if scope and vector is not None:
            self._vectors.setdefault(scope, Matrix(len(vector))).add(entry.id, vector)
            self._kept[entry.id] = _Kept(entry, scope)
        else:
            self._kept[entry.id] = _Kept(entry, None)
        if entry.expires_at is not None:
            heapq.heappush(self._expiry, (entry.expires_at, entry.id))

    def _alias(self, command: Alias) -> None:
        id_ = command.entry.id
        if self._live(id_) is None:
            return
        kept = self._kept[id_]
        self._aliases[command.alias] = (id_, command.similarity)
        kept.aliases.add(command.alias)
        if command.entry.conversation and command.conversation != command.entry.conversation:
            self._conversations[command.conversation] = id_
            kept.conversations.add(command.conversation)
        self._kept.move_to_end(id_)

    def _accept(self, credential: str, ttl_s: int) -> None:
        now = self._now()
        if len(self._accepted) >= self._max_entries:
            self._accepted = {key: until for key, until in self._accepted.items() if until > now}
        self._accepted[credential] = now + ttl_s

    def _remove(self, id_: str) -> None:
        kept = self._kept.pop(id_, None)
        if kept is None:
            return
        if kept.scope is not None:
            matrix = self._vectors[kept.scope]
            matrix.remove(id_)
            if not len(matrix):
                del self._vectors[kept.scope]
        # Another entry may have taken an alias over since; then it is that one's to remove.
        for alias in kept.aliases:
            if self._aliases.get(alias, ("", 0.0))[0] == id_:
                del self._aliases[alias]
        for conversation in kept.conversations:
            if self._conversations.get(conversation) == id_:
                del self._conversations[conversation]


class AsyncMemoryStore:
    """The same entries as `store`, awaited; nothing in it waits."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def perform(self, command: StoreCommand) -> Any:
        return self._store.perform(command)
