"""What the memory store knows beside entries: as `evidence` keeps it in Redis."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection
from dataclasses import dataclass, field, replace

from khazad_mitm.cache.budget import EMPTY, MOST_DOUBT, WINDOW, Earned, Tally
from khazad_mitm.cache.commands import Accept, Weigh

MOST = 10_000
"""Of pools, and of requests with blocks; those that were used last stay."""
MOST_BLOCKS = 64
"""Of one request."""
PLACES = 16_384
"""For the pairs of one pool, a megabyte in Redis: the next one in the same place takes it over."""


def place_of(pair: str) -> int:
    """Where a pair is kept. Two may share a place; then the last one has it."""
    return int(pair, 16) % PLACES


@dataclass(slots=True)
class _Pool:
    new: list[Tally] = field(default_factory=lambda: list(EMPTY))
    old: tuple[Tally, ...] = EMPTY
    doubt: float = 0.0
    earned: Earned | None = None


class Pools:
    """Not thread-safe."""

    def __init__(self) -> None:
        self._pools: OrderedDict[str, _Pool] = OrderedDict()

    def standing(self, name: str) -> Earned | None:
        pool = self._pools.get(name)
        return None if pool is None else pool.earned

    def settle(self, name: str, earned: Earned | None) -> None:
        self._used(name).earned = earned

    def weigh(self, command: Weigh) -> tuple[Tally, ...]:
        pool = self._used(command.pool)
        tally = pool.new[command.slot]
        pool.new[command.slot] = replace(
            tally,
            candidates=tally.candidates + command.candidates,
            checked=tally.checked + command.checked,
            wrong=tally.wrong + command.wrong,
        )
        if command.doubted:
            pool.doubt = (pool.doubt + 1) * command.doubted
            if pool.doubt >= MOST_DOUBT:
                del self._pools[command.pool]
                return EMPTY
        if sum(tally.checked for tally in pool.new) >= WINDOW:
            pool.old, pool.new = tuple(pool.new), list(EMPTY)
        return tuple(
            Tally(a.candidates + b.candidates, a.checked + b.checked, a.wrong + b.wrong)
            for a, b in zip(pool.new, pool.old, strict=True)
        )

    def _used(self, name: str) -> _Pool:
        pool = self._pools.setdefault(name, _Pool())
        self._pools.move_to_end(name)
        if len(self._pools) > MOST:
            self._pools.popitem(last=False)
        return pool


class Refuted:
    """Pairs whose answers were different, by pool. Not thread-safe."""

    def __init__(self) -> None:
        self._pools: OrderedDict[str, dict[int, str]] = OrderedDict()

    def add(self, pool: str, pair: str) -> None:
        self._pools.setdefault(pool, {})[place_of(pair)] = pair
        self._pools.move_to_end(pool)
        if len(self._pools) > MOST:
            self._pools.popitem(last=False)

    def knows(self, pool: str, pair: str) -> bool:
        return self._pools.get(pool, {}).get(place_of(pair)) == pair


class Blocks:
    """Ids that never answer a request. Not thread-safe."""

    def __init__(self) -> None:
        self._blocks: OrderedDict[str, dict[str, None]] = OrderedDict()

    def add(self, one: str, other: str) -> None:
        for asked, id_ in ((one, other), (other, one)):
            blocked = self._blocks.setdefault(asked, {})
            blocked[id_] = None
            if len(blocked) > MOST_BLOCKS:
                del blocked[next(iter(blocked))]
            self._blocks.move_to_end(asked)
        while len(self._blocks) > MOST:
            self._blocks.popitem(last=False)

    def of(self, asked: str) -> Collection[str]:
        return self._blocks.get(asked, ())


class Credentials:
    """Until when they are accepted, and when they were refused. Not thread-safe."""

    def __init__(self) -> None:
        self._until: OrderedDict[str, float] = OrderedDict()
        self._refused_at: OrderedDict[str, float] = OrderedDict()

    def is_accepted(self, credential: str, now: float) -> bool:
        return self._until.get(credential, 0.0) > now

    def accept(self, command: Accept, now: float) -> None:
        if self._refused_at.get(command.credential, -1.0) <= command.asked_at:
            self._note(self._until, command.credential, now + command.ttl_s)

    def refuse(self, credential: str, now: float) -> None:
        self._until.pop(credential, None)
        self._note(self._refused_at, credential, now)

    def _note(self, times: OrderedDict[str, float], credential: str, when: float) -> None:
        times[credential] = when
        times.move_to_end(credential)
        if len(times) > MOST:
            times.popitem(last=False)
