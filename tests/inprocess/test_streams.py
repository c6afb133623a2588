from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.capture import Capture
from khazad_mitm.inprocess.streams import AsyncTee, Replay, SyncTee
from khazad_mitm.messages import Headers, Response

HEADERS = Headers([("Content-Type", "text/event-stream")])


class Kept:
    """Where captures end: answers kept, and reasons of those that were not."""

    def __init__(self) -> None:
        self.answers: list[Response] = []
        self.reasons: list[str] = []

    def capture(self) -> Capture:
        return Capture(self.answers.append, self.reasons.append)


class Body:
    """Gives chunks and then fails, if it has an error; goes on where it stopped."""

    def __init__(self, chunks: list[bytes], error: Exception | None = None) -> None:
        self.chunks = iter(chunks)
        self.error = error
        self.is_closed = False

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks
        if self.error is not None:
            raise self.error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self:
            yield chunk

    def close(self) -> None:
        self.is_closed = True

    async def aclose(self) -> None:
        self.is_closed = True


def through(body: Body, kept: Kept) -> SyncTee:
    return SyncTee(body, kept.capture(), 200, HEADERS)


def through_async(body: Body, kept: Kept) -> AsyncTee:
    return AsyncTee(body, kept.capture(), 200, HEADERS)


@given(st.lists(st.binary()))
def test_what_passes_is_what_came_chunk_by_chunk_and_what_is_kept(chunks: list[bytes]) -> None:
    kept = Kept()

    assert chunks == list(through(Body(chunks), kept))
    assert [Response(200, HEADERS, b"".join(chunks))] == kept.answers


@given(st.lists(st.binary()))
def test_it_is_no_different_awaiting(chunks: list[bytes]) -> None:
    kept = Kept()

    async def read() -> list[bytes]:
        return [chunk async for chunk in through_async(Body(chunks), kept)]

    assert chunks == asyncio.run(read())
    assert [Response(200, HEADERS, b"".join(chunks))] == kept.answers


def test_a_close_after_the_end_keeps_nothing_twice() -> None:
    kept, body = Kept(), Body([b"all"])
    tee = through(body, kept)
    list(tee)
    tee.close()

    assert body.is_closed
    assert 1 == len(kept.answers)


def test_a_close_before_the_end_hands_over_what_has_passed() -> None:
    kept = Kept()
    tee = through(Body([b"one", b"two"]), kept)
    next(iter(tee))
    tee.close()

    assert [b"one"] == [answer.body for answer in kept.answers]


def test_a_failing_upstream_fails_the_reader_and_keeps_nothing() -> None:
    kept = Kept()
    tee = through(Body([b"one"], OSError("reset")), kept)
    with pytest.raises(OSError, match="reset"):
        list(tee)
    tee.close()

    assert (["cut"], []) == (kept.reasons, kept.answers)


def test_a_failing_upstream_fails_the_awaiting_reader_and_keeps_nothing() -> None:
    kept = Kept()

    async def read() -> None:
        tee = through_async(Body([b"one"], OSError("reset")), kept)
        with pytest.raises(OSError, match="reset"):
            async for _ in tee:
                pass
        await tee.aclose()

    asyncio.run(read())
    assert (["cut"], []) == (kept.reasons, kept.answers)


def test_a_second_look_goes_on_where_the_first_stopped() -> None:
    kept = Kept()

    async def read() -> list[bytes]:
        tee = through_async(Body([b"[DONE]", b"trailing"]), kept)
        first = tee.__aiter__()
        seen = [await first.__anext__()]
        seen += [chunk async for chunk in tee]
        await tee.aclose()
        return seen

    assert [b"[DONE]", b"trailing"] == asyncio.run(read())
    assert [b"[DONE]trailing"] == [answer.body for answer in kept.answers]


def test_a_keeper_that_fails_does_not_fail_the_reader() -> None:
    def fail(_: Response) -> None:
        raise RuntimeError("can't start new thread at interpreter shutdown")

    tee = SyncTee(Body([b"all"]), Capture(fail, print), 200, HEADERS)

    assert [b"all"] == list(tee)


def test_a_replay_is_read_once_by_either_kind_of_reader() -> None:
    replay = Replay((b"one", b"two"))
    first = next(iter(replay))

    async def rest() -> list[bytes]:
        return [frame async for frame in replay]

    assert (b"one", [b"two"]) == (first, asyncio.run(rest()))
    assert [] == list(replay)
