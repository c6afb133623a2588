"""Who asks for a stream that somebody is being given reads along: one call of the upstream."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from khazad_mitm.cache.front import Cache
from tests.inprocess.upstream import PATH, Upstream, frames, question
from tests.servers import until

STREAMED = question(stream=True)
FRAMES = frames("Rome #1")
WHOLE = b"".join(FRAMES)
PLAIN = b'"content":"Rome#1"'
"""Of the answer that the same words make."""
HELD = 3
"""Pieces that come after the others have joined: the last frames, and the end of the body."""


@contextmanager
def streamed(client: Any, url: str, **headers: str) -> Iterator[Any]:
    with client.stream("POST", url, json=STREAMED, headers=headers, timeout=20) as response:
        yield response


@contextmanager
def begun(client: Any, upstream: Upstream) -> Iterator[tuple[Any, Iterator[bytes], bytes]]:
    """Somebody is being given a stream, and has read its first piece."""
    upstream.holds_back = HELD
    with streamed(client, upstream.url + PATH) as response:
        pieces = response.iter_raw()
        yield response, pieces, next(pieces)


def test_who_comes_late_is_given_what_has_come_and_then_each_frame(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    url = upstream.url + PATH
    with library.Client() as client, begun(client, upstream) as (_, pieces, first):
        with library.Client() as other, streamed(other, url) as late:
            seen = b""
            held = sum(map(len, FRAMES[1 - HELD :]))
            for piece in late.iter_raw():
                seen += piece
                if len(seen) == len(WHOLE) - held:
                    upstream.go_on.set()  # it has the whole prefix, and the upstream waits
        first += b"".join(pieces)

    assert WHOLE == first == seen
    assert "fwd=miss; collapsed" in late.headers["cache-status"]
    assert "text/event-stream; charset=utf-8" == late.headers["content-type"]
    assert 1 == len(upstream.calls)
    assert (1, 1) == (active.stats().coalesced, active.stats().cache_misses)


def test_tasks_read_along_too(library: Any, upstream: Upstream, active: Cache) -> None:
    upstream.holds_back = HELD

    async def ask(joined: Any = None) -> bytes:
        async with (
            library.AsyncClient(timeout=20) as client,
            client.stream("POST", upstream.url + PATH, json=STREAMED) as response,
        ):
            seen = b""
            async for piece in response.aiter_raw():
                seen += piece
                if joined is not None:
                    joined.set()
                    if active.stats().coalesced == 9:
                        upstream.go_on.set()
            return seen

    async def play() -> list[bytes]:
        joined = asyncio.Event()
        leader = asyncio.ensure_future(ask(joined))
        await joined.wait()
        others = [asyncio.ensure_future(ask()) for _ in range(9)]
        while active.stats().coalesced < 9:
            await asyncio.sleep(0)
        upstream.go_on.set()
        return [await one for one in (leader, *others)]

    assert [WHOLE] * 10 == asyncio.run(play())
    assert 1 == len(upstream.calls)


def test_who_asked_first_may_leave(library: Any, upstream: Upstream, active: Cache) -> None:
    client = library.Client()
    with ThreadPoolExecutor(1) as pool, library.Client() as other:
        with begun(client, upstream):
            late = pool.submit(other.post, upstream.url + PATH, json=STREAMED, timeout=20)
            until(lambda: active.stats().coalesced)
        upstream.go_on.set()
        assert WHOLE == late.result(20).content
    client.close()
    assert active.drain(5)

    assert 1 == len(upstream.calls)
    assert 1 == active.stats().stored


def test_a_task_that_asked_first_may_leave(library: Any, upstream: Upstream, active: Cache) -> None:
    upstream.holds_back = HELD

    async def play() -> bytes:
        async with library.AsyncClient(timeout=20) as client:
            request = client.build_request("POST", upstream.url + PATH, json=STREAMED)
            leader = await client.send(request, stream=True)
            await leader.aiter_raw().__anext__()
            late = asyncio.ensure_future(client.post(upstream.url + PATH, json=STREAMED))
            while not active.stats().coalesced:
                await asyncio.sleep(0)
            await leader.aclose()
            upstream.go_on.set()
            body: bytes = (await late).content
            return body

    assert WHOLE == asyncio.run(play())
    assert 1 == len(upstream.calls)


def test_who_asked_first_and_dawdles_holds_up_nobody(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    upstream.go_on.set()
    with library.Client() as client, begun(client, upstream) as (_, pieces, first):
        with library.Client() as other:
            assert WHOLE == other.post(upstream.url + PATH, json=STREAMED, timeout=20).content
        assert WHOLE == first + b"".join(pieces)


def test_a_cut_is_everyones_and_the_next_asks_again(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    upstream.breaks_off = True
    with library.Client() as client, ThreadPoolExecutor(1) as pool, library.Client() as other:
        upstream.holds_back = HELD
        cut = library.RemoteProtocolError
        with streamed(client, upstream.url + PATH) as response, pytest.raises(cut):
            b"".join(response.iter_raw())
        upstream.breaks_off = False
        upstream.go_on.set()
        again = pool.submit(other.post, upstream.url + PATH, json=STREAMED, timeout=20)
        assert b"".join(frames("Rome #2")) == again.result(20).content


def test_another_key_is_another_call(library: Any, upstream: Upstream, active: Cache) -> None:
    upstream.go_on.set()
    with (
        library.Client() as client,
        begun(client, upstream),
        library.Client() as other,
        streamed(other, upstream.url + PATH, authorization="Bearer other") as response,
    ):
        assert b"".join(frames("Rome #2")) == b"".join(response.iter_raw())


def test_other_codings_are_another_call(library: Any, upstream: Upstream, active: Cache) -> None:
    upstream.go_on.set()
    identity = {"accept-encoding": "identity"}
    with (
        library.Client() as client,
        begun(client, upstream),
        library.Client() as other,
        streamed(other, upstream.url + PATH, **identity) as response,
    ):
        assert "collapsed" not in response.headers["cache-status"]
        response.read()

    assert 2 == len(upstream.calls)


def test_who_wants_no_stream_is_given_the_answer_when_it_is_whole(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    with library.Client() as client, ThreadPoolExecutor(1) as pool, library.Client() as other:
        with begun(client, upstream) as (_, pieces, first):
            plain = pool.submit(other.post, upstream.url + PATH, json=question(), timeout=20)
            flights = active._parts.flights._flights
            until(lambda: any(flight.waiting for flight in flights.values()))
            upstream.go_on.set()
            assert WHOLE == first + b"".join(pieces)
        received = plain.result(20)

    said = received.json()["choices"][0]["message"]["content"]
    assert "".join("Rome #1".split(" ")) == said
    assert "collapsed" in received.headers["cache-status"]
    assert 1 == len(upstream.calls)


def test_who_wants_a_stream_does_not_wait_for_an_answer_that_is_none(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    upstream.holds_calls = True
    with library.Client() as client, ThreadPoolExecutor(2) as pool:
        plain = pool.submit(client.post, upstream.url + PATH, json=question(), timeout=20)
        until(lambda: len(upstream.calls) == 1)
        stream = pool.submit(client.post, upstream.url + PATH, json=STREAMED, timeout=20)
        until(lambda: len(upstream.calls) == 2)
        upstream.go_on.set()
        assert [200, 200] == [one.result(20).status_code for one in (plain, stream)]


def are_waiting(cache: Cache, count: int) -> bool:
    """Have so many others joined whoever asked first?"""
    flights = cache._parts.flights._flights.values()
    return count == sum(len(flight.waiting) for flight in flights)


@pytest.mark.parametrize("is_stream", [True, False])
def test_who_waits_since_before_the_first_byte_is_given_it_all(
    library: Any, upstream: Upstream, active: Cache, is_stream: bool
) -> None:
    upstream.holds_calls = True

    def ask(body: dict[str, Any]) -> bytes:
        with library.Client() as client:
            content: bytes = client.post(upstream.url + PATH, json=body, timeout=20).content
            return content

    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(ask, STREAMED)
        until(lambda: upstream.calls)
        other = pool.submit(ask, STREAMED if is_stream else question())
        until(lambda: are_waiting(active, 1))
        upstream.go_on.set()
        both = [one.result(20) for one in (first, other)]

    assert WHOLE == both[0]
    assert both[1] == WHOLE if is_stream else PLAIN in both[1]
    assert 1 == len(upstream.calls)


@pytest.mark.parametrize("is_stream", [True, False])
def test_a_task_that_waits_since_before_the_first_byte_is_given_it_all(
    library: Any, upstream: Upstream, active: Cache, is_stream: bool
) -> None:
    upstream.holds_calls = True

    async def play() -> list[bytes]:
        async with library.AsyncClient(timeout=20) as client:

            async def ask(body: dict[str, Any]) -> bytes:
                content: bytes = (await client.post(upstream.url + PATH, json=body)).content
                return content

            first = asyncio.ensure_future(ask(STREAMED))
            while not upstream.calls:
                await asyncio.sleep(0)
            other = asyncio.ensure_future(ask(STREAMED if is_stream else question()))
            while not are_waiting(active, 1):
                await asyncio.sleep(0)
            upstream.go_on.set()
            return await asyncio.wait_for(asyncio.gather(first, other), 20)

    both = asyncio.run(play())
    assert WHOLE == both[0]
    assert both[1] == WHOLE if is_stream else PLAIN in both[1]
    assert 1 == len(upstream.calls)
