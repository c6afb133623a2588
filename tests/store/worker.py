"""Workers to be killed: for each seed on its input a child that writes until it dies.

`python -m tests.store.worker URL NAMESPACE` prints a child's process id, a dot for each of its
commands, and a line when it is gone. Forked, since imports take longer than what is tested.
"""

from __future__ import annotations

import os
import random
import sys
import time
from dataclasses import dataclass
from typing import Any

from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Asked,
    Block,
    Forget,
    ForgetMany,
    Label,
    Nearest,
    Put,
    PutMany,
    Refuse,
    Remember,
    Settle,
    StoreCommand,
    Weigh,
)
from khazad_mitm.cache.worker_commands import Issue, Lease, Publish, Read, Renew
from khazad_mitm.cache.worker_commands import Place as InStream
from khazad_mitm.exchange import Entry
from khazad_mitm.store import space as spaces
from khazad_mitm.store.cluster_store import ClusterStore
from khazad_mitm.store.cluster_url import ClusterURL
from khazad_mitm.store.redis_store import RedisStore
from tests.store.entries import QUESTION, at_cosine, entry

NUMBERS = 40
BOUNDS = {"max_entries": 25, "max_bytes": 150_000}
# A 256th of it is for a bucket that holds nothing, where others hold all: an entry's worth.
BOUNDS_OF_CLUSTER = {"max_entries": 40, "max_bytes": 1_000_000}
LEASE_S = 10.0


@dataclass(frozen=True)
class Place:
    """A bucket, and what is named so that it lies there."""

    bucket: int

    @property
    def scopes(self) -> tuple[str, str]:
        return f"{self.bucket:04x}s", f"{self.bucket:04x}t"

    def name(self, number: int) -> str:
        return f"{self.bucket:04x}{number:028x}"

    def entry(self, number: int, **changes: Any) -> Entry:
        # For ever, so that what is missing was not there rather than expired.
        names = {"id": self.name(number), "conversation": self.name(number + 1_000_000)}
        return entry(number, ttl_s=None, **names, **changes)


def command(dice: random.Random, places: list[Place]) -> StoreCommand:
    number, other = dice.randrange(NUMBERS), dice.randrange(NUMBERS)
    place, elsewhere = dice.choice(places), dice.choice(places)
    name, scope = place.name, dice.choice(place.scopes)
    kept = place.entry(number, answer=b"x" * dice.choice((10, 3_000, 70_000)))
    many = tuple(dice.choice(places).entry(dice.randrange(NUMBERS)) for _ in range(8))
    asked = Asked(name(other), "why?" * dice.randrange(50), "messages[0].content", 0.9, 1.0, "t")
    mine = f"worker {other}"
    streamed = InStream(name(number), f"{other:032x}", other)
    return dice.choice(
        (
            Put(kept, scope, QUESTION),
            Put(kept, scope, at_cosine(dice.random())),
            Put(kept, releases=name(other)),
            PutMany(many),
            Alias(name(100 + other), name(200 + number), kept),
            Remember(name(number), asked),
            Label(name(number), (f"tag {other}",)),
            Forget(name(number)),
            ForgetMany((name(number), elsewhere.name(other))),
            Nearest(scope, QUESTION, 0.5),
            Accept(name(number), 3600, time.time()),
            Refuse(name(number)),
            Lease(name(number), mine, LEASE_S),
            Renew((name(number), elsewhere.name(other)), mine, LEASE_S),
            Renew((name(number),), mine, 0.0),
            Lease(name(number), mine, LEASE_S, streamed.stream),
            Read((streamed,), LEASE_S),
            Publish((Issue(streamed, (b"block",) * 3, other, 0),), LEASE_S),
            Block(name(number), elsewhere.name(other)),
            Weigh(name(number), 3, candidates=1, checked=1, refuted=elsewhere.name(other)[:16]),
            Settle(name(number), Earned(0.8)),
        )
    )


def places_of(url: str) -> list[Place]:
    """A single server has one bucket; of a cluster's these lie on all masters."""
    return [Place(bucket) for bucket in range(8 if "+cluster" in url else 1)]


def bounds_of(url: str) -> dict[str, int]:
    return BOUNDS_OF_CLUSTER if "+cluster" in url else BOUNDS


def store_at(url: str, namespace: str, deadline_s: float) -> RedisStore:
    bounds = bounds_of(url)
    if "+cluster" in url:
        return ClusterStore(ClusterURL.read(url), namespace, deadline_s=deadline_s, **bounds)
    return RedisStore(url, namespace, deadline_s=deadline_s, **bounds)


def work(url: str, namespace: str, seed: int) -> None:
    dice, places = random.Random(seed), places_of(url)
    spaces.SURVEY_EVERY_MS = 20  # so that many die in the middle of one
    store = store_at(url, namespace, 5.0)
    while True:
        store.perform(command(dice, places))
        os.write(1, b".")


def main(url: str, namespace: str) -> None:
    for line in sys.stdin:
        child = os.fork()
        if not child:
            work(url, namespace, int(line))
        os.write(1, b"%d\n" % child)
        os.waitpid(child, 0)
        os.write(1, b"gone\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
