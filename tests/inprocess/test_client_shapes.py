"""However a client reads, stops reading or fails: httpx and httpx2, blocking and awaiting."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from khazad_mitm.cache.commands import Put
from khazad_mitm.cache.front import Cache
from khazad_mitm.store.memory import MemoryStore
from tests.inprocess.upstream import PATH, PATIENCE_S, Upstream, frames, question

WAYS = ["iter_raw", "iter_bytes", "iter_text", "iter_lines"]

Each = Callable[[Any], None]
Read = Callable[..., list[Any]]


class Enough(Exception):
    """Raised by a consumer, which then stops reading; or lets it through, if it is its own."""


def read_blocking(
    library: Any, url: str, way: str, each: Each = lambda _: None, **more: Any
) -> Any:
    pieces = []
    with library.Client() as client, client.stream("POST", url, json=question(**more)) as response:
        for piece in getattr(response, way)():
            pieces.append(piece)
            each(piece)
    return pieces


def read_awaiting(
    library: Any, url: str, way: str, each: Each = lambda _: None, **more: Any
) -> Any:
    async def read() -> list[Any]:
        pieces = []
        async with (
            library.AsyncClient() as client,
            client.stream("POST", url, json=question(**more)) as response,
        ):
            async for piece in getattr(response, f"a{way}")():
                pieces.append(piece)
                each(piece)
        return pieces

    return asyncio.run(read())


@pytest.fixture(params=[read_blocking, read_awaiting], ids=["blocking", "awaiting"])
def read(request: pytest.FixtureRequest) -> Read:
    """read(library, url, way, each, **of the question) -> the pieces; calls `each` with each."""
    chosen: Read = request.param
    return chosen


def stop(_: Any) -> None:
    raise Enough


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("stream", [False, True])
def test_every_way_of_reading_reads_a_hit_as_a_miss(
    library: Any, read: Read, upstream: Upstream, active: Cache, way: str, stream: bool
) -> None:
    first, second = (read(library, upstream.url + PATH, way, stream=stream) for _ in range(2))

    assert 1 == len(upstream.calls)
    assert first[0][:0].join(first) == second[0][:0].join(second)
    assert 1 == active.stats().cache_hits


@pytest.mark.parametrize("way", WAYS)
def test_an_exception_of_the_consumer_is_its_own_and_nothing_is_kept(
    library: Any, read: Read, upstream: Upstream, active: Cache, way: str
) -> None:
    upstream.holds_back = 3
    with pytest.raises(Enough):
        read(library, upstream.url + PATH, way, stop, stream=True)

    assert active.drain(PATIENCE_S)
    assert 0 == active.stats().stored
    assert 1 == sum(active.stats().unkept.values())


def test_a_hit_that_is_left_early_is_whole_for_the_next(
    library: Any, read: Read, upstream: Upstream, active: Cache
) -> None:
    url = upstream.url + PATH
    read(library, url, "iter_raw", stream=True)
    with pytest.raises(Enough):
        read(library, url, "iter_raw", stop, stream=True)

    assert b"".join(frames("Rome #1")) == b"".join(read(library, url, "iter_raw", stream=True))
    assert 1 == len(upstream.calls)


def test_a_response_that_is_closed_unread_is_not_kept(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    upstream.holds_back = 3
    with library.Client() as client:
        asked = client.build_request("POST", upstream.url + PATH, json=question(stream=True))
        client.send(asked, stream=True).close()

    async def awaiting() -> None:
        async with library.AsyncClient() as client:
            asked = client.build_request("POST", upstream.url + PATH, json=question(stream=True))
            await (await client.send(asked, stream=True)).aclose()

    asyncio.run(awaiting())
    assert active.drain(PATIENCE_S)
    assert (2, 0) == (len(upstream.calls), active.stats().stored)


def test_a_response_that_is_read_later_is_kept(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    with library.Client() as client:
        asked = client.build_request("POST", upstream.url + PATH, json=question())
        response = client.send(asked, stream=True)
        assert not response.is_closed
        response.read()

    assert active.drain(PATIENCE_S)
    assert 1 == active.stats().stored


class Hanging:
    """A store that is asked to keep an answer, and does not come back."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.asked, self.go_on = threading.Event(), threading.Event()
        perform = MemoryStore.perform

        def hang(store: MemoryStore, command: Any, within_s: Any = None) -> Any:
            if isinstance(command, Put):
                self.asked.set()
                assert self.go_on.wait(30)
            return perform(store, command)

        monkeypatch.setattr(MemoryStore, "perform", hang)


@pytest.mark.parametrize("stream", [False, True])
def test_closing_does_not_wait_for_a_store_that_hangs(
    library: Any,
    read: Read,
    upstream: Upstream,
    active: Cache,
    monkeypatch: pytest.MonkeyPatch,
    stream: bool,
) -> None:
    store = Hanging(monkeypatch)
    # Response and client are both closed when it is back.
    pieces = read(library, upstream.url + PATH, "iter_raw", stream=stream)

    assert pieces
    assert store.asked.wait(PATIENCE_S)
    assert 0 == active.stats().stored
    store.go_on.set()
    assert active.drain(PATIENCE_S)
    assert 1 == active.stats().stored
