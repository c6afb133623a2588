"""What is served by meaning is asked again in the background, where a budget is set."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from khazad_mitm.assembly import build
from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import Settle
from khazad_mitm.cache.front import Cache
from khazad_mitm.exchange import Miss
from khazad_mitm.inprocess import patch
from khazad_mitm.messages import Headers, Request
from khazad_mitm.settings import from_mapping
from tests.inprocess.conftest import Always
from tests.inprocess.upstream import PATH, PATIENCE_S, Upstream, question
from tests.servers import until

STORED, ASKED = "hello there", "Hello there!"
SECRET = {"authorization": "Bearer one", "x-khazad-tag": "t"}


@pytest.fixture
def checking(upstream: Upstream) -> Iterator[Cache]:
    """A cache that takes all questions for alike, has opened the pool and checks all it serves."""
    settings = from_mapping(
        {"redis_url": "memory", "max_wrong_hits": 0.3, "shadow_share": 1}, environ={}
    )
    cache = build(settings, embed=lambda texts: np.ones((len(texts), 2), dtype=np.float32))
    body = json.dumps(question("zzz")).encode()
    miss = cache.look_up(Request.to(upstream.url + PATH, body, Headers(SECRET.items())))
    assert isinstance(miss, Miss)
    cache._parts.store.perform(Settle(miss.pool, Earned(0.8)))
    patch.install(Always(cache))
    yield cache
    patch.uninstall(Always(cache))
    cache.close()


def is_checked(cache: Cache) -> bool:
    return cache.drain(PATIENCE_S) and cache.stats().checked_hits == 1


def assert_asked_again(upstream: Upstream, served: Any, cache: Cache) -> None:
    """The answer was the stored one; the fresh one differs, and is what a repeat gets."""
    assert "semantic" in served.headers["cache-status"]
    assert "Rome #1" in served.text
    assert 2 == len(upstream.calls)
    assert ASKED in upstream.bodies[1].decode()
    assert "Bearer one" == upstream.calls[1]["authorization"]
    assert "x-khazad-tag" not in upstream.calls[1]
    assert 1 == cache.stats().wrong_hits


def test_a_blocking_client(library: Any, upstream: Upstream, checking: Cache) -> None:
    with library.Client(headers=SECRET) as client:
        client.post(upstream.url + PATH, json=question(STORED))
        assert checking.drain(PATIENCE_S)
        served = client.post(upstream.url + PATH, json=question(ASKED))
        until(lambda: is_checked(checking))
        repeat = client.post(upstream.url + PATH, json=question(ASKED))

    assert_asked_again(upstream, served, checking)
    assert "Rome #2" in repeat.text


def test_an_awaiting_client(library: Any, upstream: Upstream, checking: Cache) -> None:
    async def ask() -> Any:
        async with library.AsyncClient(headers=SECRET) as client:
            await client.post(upstream.url + PATH, json=question(STORED))
            assert checking.drain(PATIENCE_S)
            served = await client.post(upstream.url + PATH, json=question(ASKED))
            while not is_checked(checking):
                await asyncio.sleep(0)
            return served

    assert_asked_again(upstream, asyncio.run(asyncio.wait_for(ask(), 30)), checking)


def test_a_stream(library: Any, upstream: Upstream, checking: Cache) -> None:
    with library.Client(headers=SECRET) as client:
        client.post(upstream.url + PATH, json=question(STORED, stream=True))
        assert checking.drain(PATIENCE_S)
        served = client.post(upstream.url + PATH, json=question(ASKED, stream=True))
        until(lambda: is_checked(checking))

    assert "semantic" in served.headers["cache-status"]
    assert 1 == checking.stats().wrong_hits


def test_requests(upstream: Upstream, checking: Cache) -> None:
    requests = pytest.importorskip("requests", reason="requests is not installed here")
    with requests.Session() as session:
        session.headers.update(SECRET)
        session.post(upstream.url + PATH, json=question(STORED))
        assert checking.drain(PATIENCE_S)
        served = session.post(upstream.url + PATH, json=question(ASKED))
        until(lambda: is_checked(checking))

    assert_asked_again(upstream, served, checking)


def test_the_caller_does_not_wait_for_it(either: Any, upstream: Upstream, checking: Cache) -> None:
    with either.Client(headers=SECRET) as client:
        client.post(upstream.url + PATH, json=question(STORED))
        assert checking.drain(PATIENCE_S)
        upstream.holds_calls = True
        served = client.post(upstream.url + PATH, json=question(ASKED))
        until(lambda: len(upstream.calls) == 2)
        upstream.go_on.set()
        until(lambda: is_checked(checking))

    assert "Rome #1" in served.text


def test_what_is_stored_at_the_provider_is_not_asked_twice(
    either: Any, upstream: Upstream, checking: Cache
) -> None:
    with either.Client(headers=SECRET) as client:
        client.post(upstream.url + PATH, json=question(STORED, store=True))
        assert checking.drain(PATIENCE_S)
        body = json.dumps(question("zzz", store=True)).encode()
        miss = checking.look_up(Request.to(upstream.url + PATH, body, Headers(SECRET.items())))
        assert isinstance(miss, Miss)
        checking._parts.store.perform(Settle(miss.pool, Earned(0.8)))
        asked = client.post(upstream.url + PATH, json=question(ASKED, store=True))
        assert checking.drain(PATIENCE_S)

    assert 'detail="checked' in asked.headers["cache-status"]
    assert "Rome #2" in asked.text
    assert (1, 0) == (checking.stats().checked_misses, checking.stats().checked_hits)
