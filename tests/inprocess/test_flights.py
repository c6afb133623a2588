"""Equal questions of one process at one moment: the upstream is asked once."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from khazad_mitm.cache.front import Cache
from tests.inprocess.upstream import PATH, Upstream, answer, question


def wait_for_followers(cache: Cache, upstream: Upstream, count: int) -> None:
    flights = cache._parts.flights._flights
    while sum(len(flight.waiting) for flight in list(flights.values())) < count:
        pass
    upstream.go_on.set()


def test_threads_share_one_call(library: Any, upstream: Upstream, active: Cache) -> None:
    upstream.holds_calls = True
    with library.Client() as client, ThreadPoolExecutor(100) as pool:
        asking = [
            pool.submit(client.post, upstream.url + PATH, json=question(), timeout=20)
            for _ in range(100)
        ]
        wait_for_followers(active, upstream, 99)
        bodies = {future.result(20).content for future in asking}

    assert 1 == len(upstream.calls)
    assert {answer("Rome #1")} == bodies
    assert (1, 99) == (active.stats().cache_misses, active.stats().coalesced)


def test_tasks_share_one_call(library: Any, upstream: Upstream, active: Cache) -> None:
    upstream.holds_calls = True

    async def ask() -> set[bytes]:
        async with library.AsyncClient(timeout=20) as client:
            asking = [
                asyncio.ensure_future(client.post(upstream.url + PATH, json=question()))
                for _ in range(100)
            ]
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(None, wait_for_followers, active, upstream, 99)
            return {response.content for response in await asyncio.gather(*asking)}

    assert {answer("Rome #1")} == asyncio.run(ask())
    assert 1 == len(upstream.calls)


def test_a_leader_without_an_answer_leaves_the_question_to_one_other(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    asked, fails = threading.Event(), threading.Event()

    def fail(request: Any) -> Any:
        asked.set()
        assert fails.wait(20)
        raise library.ConnectError("gone")

    url = upstream.url + PATH
    broken = library.Client(transport=library.MockTransport(fail))
    with broken, library.Client() as client, ThreadPoolExecutor(3) as pool:
        leader = pool.submit(broken.post, url, json=question())
        assert asked.wait(20)
        asking = [pool.submit(client.post, url, json=question()) for _ in range(2)]
        wait_for_followers(active, upstream, 2)
        fails.set()
        with pytest.raises(library.ConnectError):
            leader.result(20)
        bodies = {future.result(20).content for future in asking}

    assert {answer("Rome #1")} == bodies
    assert 1 == len(upstream.calls)
