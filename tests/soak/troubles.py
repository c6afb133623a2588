"""What happens to Redis, one trouble after the other, until it is told to stop."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.end_to_end.redises import Redis
from tests.end_to_end.relay import Relay
from tests.soak.ledger import Ledger

# Longer than any deadline, so that the breaker opens; shorter than a person would wait.
TROUBLE_S = (0.2, 3.0)
PEACE_S = (0.5, 3.0)


@contextmanager
def stopped(redis: Redis, relay: Relay) -> Iterator[None]:
    redis.stop()
    yield
    redis.go_on()


@contextmanager
def killed(redis: Redis, relay: Relay) -> Iterator[None]:
    redis.kill()
    yield
    redis.start()


@contextmanager
def killed_and_emptied(redis: Redis, relay: Relay) -> Iterator[None]:
    redis.kill()
    redis.wipe()
    yield
    redis.start()


@contextmanager
def out_of_memory(redis: Redis, relay: Relay) -> Iterator[None]:
    redis.tell("CONFIG", "SET", "maxmemory", 1)
    yield
    redis.tell("CONFIG", "SET", "maxmemory", 0)


@contextmanager
def disk_full(redis: Redis, relay: Relay) -> Iterator[None]:
    redis.fill_disk()
    yield
    redis.free_disk()


@contextmanager
def read_only(redis: Redis, relay: Relay) -> Iterator[None]:
    redis.tell("REPLICAOF", "127.0.0.1", 1)  # where there is none
    yield
    redis.tell("REPLICAOF", "NO", "ONE")


@contextmanager
def loading(redis: Redis, relay: Relay) -> Iterator[None]:
    relay.says = b"-LOADING Redis is loading the dataset in memory\r\n"
    yield
    relay.says = None


@contextmanager
def slow(redis: Redis, relay: Relay) -> Iterator[None]:
    relay.delay_s = 0.1
    yield
    relay.delay_s = 0.0


@contextmanager
def cut(redis: Redis, relay: Relay) -> Iterator[None]:
    relay.cut()
    yield


@contextmanager
def flushed(redis: Redis, relay: Relay) -> Iterator[None]:
    redis.tell("FLUSHALL")
    yield


TROUBLES: tuple[Callable[..., object], ...] = (
    stopped,
    killed,
    killed_and_emptied,
    out_of_memory,
    disk_full,
    read_only,
    loading,
    slow,
    cut,
    flushed,
)


def make(
    chance: random.Random, redis: Redis, relay: Relay, ledger: Ledger, is_over: threading.Event
) -> None:
    """Trouble and peace by turns."""
    while not is_over.wait(chance.uniform(*PEACE_S)):
        trouble = chance.choice(TROUBLES)
        ledger.count(f"Redis {trouble.__name__.replace('_', ' ')}")  # type: ignore[attr-defined]
        with trouble(redis, relay):  # type: ignore[attr-defined]
            is_over.wait(chance.uniform(*TROUBLE_S))
