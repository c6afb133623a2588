"""The play: who is in it, and what is told of it."""

from __future__ import annotations

import random
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tests.end_to_end import certificates, redises
from tests.end_to_end.relay import Relay
from tests.end_to_end.upstream import Upstream
from tests.soak import houses, players, troubles
from tests.soak.ledger import Ledger
from tests.soak.lodgers import Lodger

PLAYERS = 6
"""Of each proxy."""
WAYS = ("blocking", "awaiting")


class Place(Protocol):
    """A proxy, or a program with a cache of its own."""

    @property
    def name(self) -> str: ...
    @property
    def pids(self) -> Callable[[], Sequence[int]]: ...
    @property
    def log(self) -> Sequence[str]: ...


@dataclass
class Report:
    ledger: Ledger
    idle: list[str]
    """Whose cache did not work, before all trouble or after it."""
    complaints: list[str]
    """Lines that tell of a mistake of ours."""
    megabytes: dict[str, tuple[list[int], list[int]]]
    """Resident, of each process, a fifth into the play and at its end."""

    @property
    def is_good(self) -> bool:
        ledger = self.ledger
        return not (*ledger.wrong, *ledger.lost, *ledger.hung, *self.complaints, *self.idle)

    def lines(self) -> Iterator[str]:
        for what, count in sorted(self.ledger.counts.items()):
            yield f"{count:8} {what}"
        for what in ("wrong", "lost", "hung"):
            found = getattr(self.ledger, what)
            yield f"{len(found):8} {what.upper()}"
            yield from (f"         {one}" for one in found[:10])
        yield from self.complaints[:20]
        for name, (before, after) in self.megabytes.items():
            yield f"{name}: resident memory {before} MB, at the end {after} MB"
        yield from (f"the cache did not work {one}" for one in self.idle)


def play(seconds: float, seed: int) -> Report:
    """For so long; of the same seed the same questions, not the same moments."""
    chance, ledger, is_over = random.Random(seed), Ledger(), threading.Event()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="khazad-soak-")))
        upstream = Upstream(certificates.make(folder))
        stack.callback(upstream.close)
        upstream.answer = players.upstream(ledger, random.Random(seed + 1))
        redis = stack.enter_context(redises.running())
        relay = Relay(redis.socket)
        stack.callback(relay.close)
        url = f"redis://127.0.0.1:{relay.port}"
        lodgers = [
            Lodger(way, folder, upstream, url, ledger, seed + n) for n, way in enumerate(WAYS)
        ]
        for lodger in lodgers:
            stack.callback(lodger.stop)
        open_ = [
            stack.enter_context(make(folder, upstream, url))
            for make in (houses.exact, houses.by_meaning)
        ]
        idle = [_of(lodger, "at first") for lodger in lodgers if not lodger.wait()]
        idle += [_of(house, "at first") for house in open_ if not house.works()]
        threads = [
            threading.Thread(
                target=players.Player(house, ledger, (seed * 10 + place) * 1000 + n).play,
                args=(is_over,),
            )
            for place, house in enumerate(open_)
            for n in range(PLAYERS)
        ]
        threads.append(
            threading.Thread(target=troubles.make, args=(chance, redis, relay, ledger, is_over))
        )
        for thread in threads:
            thread.start()
        for lodger in lodgers:
            lodger.begin()
        places: list[Place] = [*open_, *lodgers]
        is_over.wait(seconds / 5)
        before = [megabytes(place.pids()) for place in places]
        is_over.wait(seconds * 4 / 5)
        is_over.set()
        for thread in threads:
            thread.join()
        after = [megabytes(place.pids()) for place in places]
        idle += [_of(lodger, "at last") for lodger in lodgers if not lodger.end()]
        idle += [_of(house, "at last") for house in open_ if not house.works()]
        complaints = [
            line
            for place in places
            for line in place.log
            if "Traceback" in line or "could not" in line
        ]
        memory = {p.name: both for p, *both in zip(places, before, after, strict=True)}
        return Report(ledger, idle, complaints, {n: (b, a) for n, (b, a) in memory.items()})


def _of(place: Place, when: str) -> str:
    """Whose cache does not work, and what it has said last."""
    return "\n         ".join([f"{when}: {place.name}", *place.log[-8:]])


def megabytes(pids: Sequence[int]) -> list[int]:
    """Resident memory of each."""
    found = []
    for pid in pids:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        found += [int(line.split()[1]) // 1024 for line in lines if "VmRSS" in line]
    return found
