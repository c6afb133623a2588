"""What a client sees, and the upstream, with a cache between them."""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest

from khazad_mitm.cache.front import Cache
from khazad_mitm.inprocess import patch
from khazad_mitm.own_calls import guarded
from tests.inprocess.conftest import Always, Broken, Post
from tests.inprocess.upstream import DONE, PATH, PATIENCE_S, Upstream, answer, frames, question


def said(response: Any) -> str:
    text: str = response.json()["choices"][0]["message"]["content"]
    return text


def test_a_question_asked_twice_reaches_the_upstream_once(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    first = post(library, upstream.url + PATH, json=question())
    assert active.drain(PATIENCE_S)
    second = post(library, upstream.url + PATH, json=question())

    assert 1 == len(upstream.calls)
    assert answer("Rome #1") == first.content == second.content
    assert "khazad; fwd=miss" in first.headers["cache-status"]
    assert "khazad; hit" in second.headers["cache-status"]


def test_a_hit_looks_like_an_answer_from_the_wire(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    first = post(library, upstream.url + PATH, json=question())
    assert active.drain(PATIENCE_S)
    second = post(library, upstream.url + PATH, json=question())

    for name in ("content-type", "content-length", "x-request-id"):
        assert first.headers[name] == second.headers[name]
    assert (first.status_code, first.reason_phrase) == (second.status_code, second.reason_phrase)
    assert first.http_version == second.http_version
    assert second.elapsed.total_seconds() >= 0


def test_a_stream_asked_for_twice_reaches_the_upstream_once(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    first = post(library, upstream.url + PATH, json=question(stream=True))
    assert active.drain(PATIENCE_S)
    second = post(library, upstream.url + PATH, json=question(stream=True))

    assert 1 == len(upstream.calls)
    assert b"".join(frames("Rome #1")) == first.content == second.content
    assert first.headers["content-type"] == second.headers["content-type"]
    assert "content-length" not in second.headers


def test_a_streamed_answer_serves_a_caller_who_wants_json(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    post(library, upstream.url + PATH, json=question(stream=True))
    assert active.drain(PATIENCE_S)
    second = post(library, upstream.url + PATH, json=question())

    assert "Rome#1" == said(second)
    assert str(len(second.content)) == second.headers["content-length"]


def test_a_call_that_is_no_question_passes_untouched(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    other = post(library, upstream.url + "/v1/files", json=question())
    listed = library.get(upstream.url + "/v1/models")

    assert "cache-status" not in other.headers
    assert "cache-status" not in listed.headers
    assert 0 == active.stats().total_requests


def test_a_body_made_while_it_is_sent_passes_unread(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    def pieces() -> Iterator[bytes]:
        yield json.dumps(question()).encode()

    response = library.post(upstream.url + PATH, content=pieces())

    assert json.dumps(question()).encode() == upstream.bodies[0]
    assert "cache-status" not in response.headers


def test_control_headers_stay_with_the_caller(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    response = post(
        library, upstream.url + PATH, json=question(), headers={"X-Khazad-Tag": "faq", "X-Own": "1"}
    )

    assert "x-khazad-tag" not in upstream.calls[0]
    assert "1" == upstream.calls[0]["x-own"]
    assert "faq" == response.request.headers["x-khazad-tag"]


def test_an_encoded_answer_is_delivered_as_it_came_and_found_again(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    upstream.gzips = True
    with library.stream("POST", upstream.url + PATH, json=question()) as response:
        raw = b"".join(response.iter_raw())
    assert active.drain(PATIENCE_S)
    second = library.post(upstream.url + PATH, json=question())

    assert gzip.compress(answer("Rome #1"), mtime=0) == raw
    assert answer("Rome #1") == second.content
    assert "content-encoding" not in second.headers


def test_frames_are_passed_on_as_they_come(library: Any, upstream: Upstream, active: Cache) -> None:
    upstream.holds_back = 2
    with library.stream("POST", upstream.url + PATH, json=question(stream=True)) as response:
        chunks = response.iter_raw()
        before = next(chunks)
        upstream.go_on.set()
        rest = b"".join(chunks)

    assert before + rest == b"".join(frames("Rome #1"))


def test_a_stream_closed_early_is_not_kept(library: Any, upstream: Upstream, active: Cache) -> None:
    upstream.holds_back = 3
    with library.stream("POST", upstream.url + PATH, json=question(stream=True)) as response:
        next(response.iter_raw())

    assert active.drain(PATIENCE_S)
    assert 0 == active.stats().stored


def test_a_stream_closed_after_its_last_frame_is_kept(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    upstream.holds_back = 1
    with library.stream("POST", upstream.url + PATH, json=question(stream=True)) as response:
        for line in response.iter_lines():
            if line == DONE.decode().strip():
                break

    assert active.drain(PATIENCE_S)
    assert 1 == active.stats().stored


def test_a_stream_read_by_a_task_that_is_cancelled_is_not_kept(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    upstream.holds_back = 3

    async def read(begun: asyncio.Event) -> None:
        async with (
            library.AsyncClient() as client,
            client.stream("POST", upstream.url + PATH, json=question(stream=True)) as response,
        ):
            async for _ in response.aiter_raw():
                begun.set()

    async def cancel() -> None:
        begun = asyncio.Event()
        task = asyncio.create_task(read(begun))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert active.drain(PATIENCE_S)
    assert 0 == active.stats().stored


def test_a_stream_that_breaks_off_raises_the_librarys_error_and_is_not_kept(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    upstream.holds_back, upstream.breaks_off = 1, True
    with pytest.raises(library.RemoteProtocolError):
        post(library, upstream.url + PATH, json=question(stream=True))

    assert active.drain(PATIENCE_S)
    assert 0 == active.stats().stored


def test_an_upstream_that_is_away_raises_the_librarys_error(
    library: Any, post: Post, active: Cache
) -> None:
    with pytest.raises(library.ConnectError):
        post(library, "http://127.0.0.1:9" + PATH, json=question())


def test_an_error_is_passed_on_and_not_kept(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    upstream.status = 500
    assert 500 == post(library, upstream.url + PATH, json=question()).status_code
    assert active.drain(PATIENCE_S)
    assert 500 == post(library, upstream.url + PATH, json=question()).status_code

    assert 2 == len(upstream.calls)


def test_a_caller_who_wants_only_what_is_cached_gets_504(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    response = post(
        library,
        upstream.url + PATH,
        json=question(stream=True),
        headers={"Cache-Control": "only-if-cached"},
    )

    assert 504 == response.status_code
    assert str(len(response.content)) == response.headers["content-length"]
    assert [] == upstream.calls


def test_a_bypass_is_named(library: Any, post: Post, upstream: Upstream, active: Cache) -> None:
    response = post(
        library, upstream.url + PATH, json=question(), headers={"Cache-Control": "no-store"}
    )

    assert "khazad; fwd=bypass" in response.headers["cache-status"]


def test_an_answer_that_the_transport_has_read_itself_is_kept(library: Any, active: Cache) -> None:
    told = []

    def handle(request: Any) -> Any:
        told.append(request)
        return library.Response(200, content=answer("Rome"), headers={"Cache-Status": "cdn; hit"})

    with library.Client(transport=library.MockTransport(handle)) as client:
        first = client.post("http://llm.test" + PATH, json=question())
        assert active.drain(PATIENCE_S)
        second = client.post("http://llm.test" + PATH, json=question())

    assert 1 == len(told)
    assert "Rome" == said(first) == said(second)
    cdn, ours = first.headers.get_list("cache-status")
    assert "cdn; hit" == cdn
    assert ours.startswith("khazad; fwd=miss")


def test_a_call_on_our_own_behalf_is_not_looked_up(
    library: Any, post: Post, upstream: Upstream, active: Cache
) -> None:
    with guarded():
        response = post(library, upstream.url + PATH, json=question())

    assert "cache-status" not in response.headers
    assert 0 == active.stats().total_requests


def test_a_transport_that_hands_on_to_another_client_is_looked_up_once(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    class HandingOn(library.BaseTransport):  # type: ignore[misc]
        def __init__(self) -> None:
            self.client = library.Client()

        def handle_request(self, request: Any) -> Any:
            return self.client.send(request, stream=True)

        def close(self) -> None:
            self.client.close()

    with library.Client(transport=HandingOn()) as client:
        client.post(upstream.url + PATH, json=question())

    assert 1 == active.stats().total_requests


def test_a_cache_that_fails_leaves_the_call_alone(
    library: Any, post: Post, upstream: Upstream
) -> None:
    broken = Broken()
    patch.install(Always(broken))
    try:
        response = post(library, upstream.url + PATH, json=question())
    finally:
        patch.uninstall(Always(broken))

    assert "Rome #1" == said(response)


def test_an_awaiting_client_on_another_event_loop_passes_untouched(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    trio = pytest.importorskip("trio")

    async def post() -> Any:
        async with library.AsyncClient() as client:
            return await client.post(upstream.url + PATH, json=question())

    assert "Rome #1" == said(trio.run(post))
    assert 0 == active.stats().errors
