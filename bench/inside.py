"""Hits inside the process: `Cache.look_up`, and what there is to beat.

A real embedded Redis, the real model. The yardstick of an exact hit is a PING by redis-py over
the same unix socket; that of a semantic hit is the embedding of the same text, alone.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import os
import time
from collections.abc import Callable, Coroutine, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import redis
import redis.asyncio

from bench import conversation, primed
from bench.measure import CONTROL, Result, Target, in_turns
from khazad_mitm.cache.front import Cache
from khazad_mitm.cache.policy import THRESHOLD_HEADER
from khazad_mitm.exchange import Hit, Outcome
from khazad_mitm.messages import Request
from khazad_mitm.store.embedded_files import data_directory, socket_path

CALLS = 20
"""Per turn, of what takes microseconds: the clock is read around all of them."""


def exact(rounds: int) -> Iterator[Result]:
    """An exact hit, against a PING."""
    question = conversation.body(conversation.QUESTION)
    with _cache([question]) as cache, _loop() as loop:
        url = f"unix://{socket_path(data_directory())}"
        client = redis.Redis.from_url(url, protocol=2)
        awaited_client = redis.asyncio.Redis.from_url(url, protocol=2)
        connection: Any = redis.ConnectionPool.from_url(url, protocol=2).get_connection()
        request = primed.request(question)

        def bare_ping() -> Any:
            connection.send_command("PING", check_health=False)
            return connection.read_response()

        async def awaited_ping() -> Any:
            return await awaited_client.ping()

        async def awaited_hit() -> Any:
            return _hit(await cache.look_up_async(request), "exact")

        took = in_turns(
            rounds,
            {
                "ping": _blocking(client.ping),
                "hit": _blocking(lambda: _hit(cache.look_up(request), "exact")),
                "bare ping": _blocking(bare_ping),
                "ping again": _blocking(client.ping),
                "whole": _blocking(lambda: cache.reply(_hit(cache.look_up(request), "exact"))),
                "awaited ping": _awaited(loop, awaited_ping),
                "awaited hit": _awaited(loop, awaited_hit),
            },
        )
        loop.run_until_complete(awaited_client.aclose())
        connection.disconnect()
        client.close()
    target = Target("at most", 2)
    hit, ping = took["hit"], took["ping"]
    yield Result("exact hit", "redis PING", "us", hit, ping, target=target)
    yield Result(
        "exact hit, awaited",
        "redis PING, awaited",
        "us",
        took["awaited hit"],
        took["awaited ping"],
        target=target,
    )
    yield Result(
        "PING, elsewhere in the turn", "redis PING", "us", took["ping again"], ping, note=CONTROL
    )
    yield Result("exact hit with its reply written", "redis PING", "us", took["whole"], ping)
    yield Result(
        "exact hit",
        "PING past redis-py's client",
        "us",
        hit,
        took["bare ping"],
        note="one write and one read of redis-py's connection: how our store asks",
    )


def semantic(rounds: int, neighbours: int) -> Iterator[Result]:
    """A paraphrase, against the embedding of its text; `neighbours` questions are beside it."""
    questions = itertools.islice(conversation.unlike_questions(), neighbours)
    known = [conversation.QUESTION, *questions]
    paraphrase = conversation.body(conversation.PARAPHRASE)
    # A paraphrase is an exact hit the second time, but not for a caller with another threshold.
    stricter = (
        primed.request(paraphrase, (THRESHOLD_HEADER, f"{0.9 + n / 1_000_000:.6f}"))
        for n in itertools.count(1)
    )
    with _cache(map(conversation.body, known)) as cache, _loop() as loop:
        # The cache's own. A second one has weights of its own, which the CPU's cache has dropped
        # by its next turn: 1.2 to 1.3 times slower, and every hit would look cheaper than it is.
        embedder = cache._parts.embedder

        def embedding() -> float:
            started = time.perf_counter()
            embedder.embed_if_fits(conversation.PARAPHRASE)
            took = time.perf_counter() - started
            primed.settled(cache)  # as after a hit
            return took * 1e3

        def blocking() -> float:
            request = next(stricter)
            started = time.perf_counter()
            outcome = cache.look_up(request)
            took = time.perf_counter() - started
            return _checked(outcome, took)

        async def timed(request: Request) -> tuple[Outcome | None, float]:
            started = time.perf_counter()
            return await cache.look_up_async(request), time.perf_counter() - started

        def awaited() -> float:
            return _checked(*loop.run_until_complete(timed(next(stricter))))

        def _checked(outcome: Outcome | None, seconds: float) -> float:
            _hit(outcome, "semantic")
            # It is learning the paraphrase now, on another thread; the next turn is not to pay.
            primed.settled(cache)
            return seconds * 1e3

        took = in_turns(
            rounds,
            {
                "embedding": embedding,
                "blocking": blocking,
                "embedding again": embedding,
                "awaited": awaited,
            },
        )
    target = Target("at most", 1.15)
    alone, again, name = took["embedding"], took["embedding again"], "embedding alone"
    note = f"{len(known):,} questions in its vector set"
    yield Result("semantic hit", name, "ms", took["blocking"], alone, target=target, note=note)
    yield Result(
        "embedding, in the other place of the turn", name, "ms", again, alone, note=CONTROL
    )
    yield Result("semantic hit, awaited", name, "ms", took["awaited"], again, target=target)


@contextmanager
def _cache(bodies: Iterable[bytes]) -> Iterator[Cache]:
    """One that knows the answers to these requests, and writes its log as it would in use."""
    logger = logging.getLogger("khazad")
    with open(os.devnull, "w") as nowhere:
        handler = logging.StreamHandler(nowhere)
        handler.setFormatter(logging.Formatter("%(message)s"))
        logger.addHandler(handler)
        logger.propagate = False
        try:
            with primed.cache() as cache:
                for body in bodies:
                    primed.teach(cache, body)
                    # Its queue is bounded, and what does not fit is not kept.
                    primed.settled(cache)
                yield cache
        finally:
            logger.removeHandler(handler)


@contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    try:
        yield loop
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


def _blocking(call: Callable[[], Any]) -> Callable[[], float]:
    """Measures microseconds per call."""

    def measure() -> float:
        started = time.perf_counter()
        for _ in range(CALLS):
            call()
        return (time.perf_counter() - started) / CALLS * 1e6

    return measure


def _awaited(
    loop: asyncio.AbstractEventLoop, call: Callable[[], Coroutine[Any, Any, Any]]
) -> Callable[[], float]:
    """The same, within one run of the loop."""

    async def several() -> float:
        started = time.perf_counter()
        for _ in range(CALLS):
            await call()
        return (time.perf_counter() - started) / CALLS * 1e6

    return lambda: loop.run_until_complete(several())


def _hit(outcome: Outcome | None, tier: str) -> Hit:
    if not isinstance(outcome, Hit) or outcome.tier != tier:
        raise RuntimeError(f"expected a hit ({tier}), not a {type(outcome).__name__}")
    return outcome
