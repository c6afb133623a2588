"""Workers to be killed: for each seed on its input a child that writes until it dies.

`python -m tests.store.worker URL NAMESPACE` prints a child's process id, a dot for each of its
commands, and a line when it is gone. Forked, since imports take longer than what is tested.
"""

from __future__ import annotations

import os
import random
import sys
import time

from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import (
    Accept,
    Alias,
    Asked,
    Block,
    Forget,
    ForgetMany,
    Label,
    Lease,
    Nearest,
    Put,
    PutMany,
    Refuse,
    Remember,
    Renew,
    Settle,
    StoreCommand,
    Weigh,
)
from khazad_mitm.store.redis_store import RedisStore
from tests.store.entries import QUESTION, at_cosine, digest, entry

NUMBERS = 40
MOST_ENTRIES = 25
MOST_BYTES = 150_000


def command(dice: random.Random) -> StoreCommand:
    number, other = dice.randrange(NUMBERS), dice.randrange(NUMBERS)
    # For ever, so that what is missing was not there rather than expired.
    kept = entry(number, ttl_s=None, answer=b"x" * dice.choice((10, 3_000, 70_000)))
    many = tuple(entry(dice.randrange(NUMBERS), ttl_s=None) for _ in range(8))
    asked = Asked(digest(other), "why?" * dice.randrange(50), "messages[0].content", 0.9, 1.0, "t")
    return dice.choice(
        (
            Put(kept, dice.choice("st"), QUESTION),
            Put(kept, dice.choice("st"), at_cosine(dice.random())),
            Put(kept),
            PutMany(many),
            Alias(digest(100 + other), digest(200 + number), kept),
            Remember(digest(number), asked),
            Label(digest(number), (f"tag {other}",)),
            Forget(digest(number)),
            ForgetMany((digest(number), digest(other))),
            Nearest(dice.choice("st"), QUESTION, 0.5),
            Accept(digest(number), 3600, time.time()),
            Refuse(digest(number)),
            Lease(digest(number), f"worker {other}", 10.0),
            Renew((digest(number), digest(other)), f"worker {other}", 10.0),
            Renew((digest(number),), f"worker {other}", 0.0),
            Block(digest(number), digest(other)),
            Weigh(digest(number), 3, candidates=1, checked=1),
            Settle(digest(number), Earned(0.8)),
        )
    )


def work(url: str, namespace: str, seed: int) -> None:
    dice = random.Random(seed)
    store = RedisStore(
        url, namespace, deadline_s=5.0, max_entries=MOST_ENTRIES, max_bytes=MOST_BYTES
    )
    while True:
        store.perform(command(dice))
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
