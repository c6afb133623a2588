"""Aborts, cuts and requests that are none of our business: they pass, and leave nothing behind."""

from __future__ import annotations

import threading

import pytest

from khazad_mitm.cache.policy import MAX_ANSWER_BYTES
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import (
    Answer,
    Upstream,
    chat_answer,
    question,
    stream_answer,
)

ASKED = question("What is the capital of France?")
STREAMED = question("What is the capital of France?", stream=True)
WORDS = ("Par", "is", ".")


def test_a_stream_that_the_upstream_cuts_is_not_kept(proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: stream_answer(WORDS, ending="cut")

    for _ in range(2):
        with proxy.client() as client, pytest.raises(Exception, match=r"IncompleteRead|EOF"):
            client.ask(STREAMED)

    proxy.unkept("cut")
    assert 2 == len(upstream.calls)
    assert 0 == proxy.page("/stats")[1]["stored"]


def test_a_body_that_ends_early_is_not_kept(proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: chat_answer("Hello.", ending="cut")

    with proxy.client() as client:
        assert 502 == client.ask(ASKED).status

    proxy.unkept("cut")
    assert 0 == proxy.page("/stats")[1]["stored"]


def test_a_client_that_hangs_up_leaves_nothing(proxy: Proxy, upstream: Upstream) -> None:
    drip = threading.Semaphore(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip)

    with proxy.client() as client:
        response = client.open(STREAMED)
        response.read(1)
        response.close()
    proxy.unkept("cut")
    drip.release(10)

    assert 0 == proxy.page("/stats")[1]["stored"]


def test_an_answer_over_the_cap_passes_whole_and_is_not_kept(
    proxy: Proxy, upstream: Upstream
) -> None:
    words = ["x" * 1024 * 1024] * (MAX_ANSWER_BYTES // (1024 * 1024) + 1)
    upstream.answer = lambda call: stream_answer(words)

    with proxy.client() as client:
        answer = client.ask(STREAMED)

    assert b"".join(stream_answer(words).frames) == answer.body
    proxy.unkept("too-big")
    assert 0 == proxy.page("/stats")[1]["stored"]


@pytest.mark.parametrize("status", [400, 429, 500])
def test_errors_pass_and_are_not_kept(status: int, proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: chat_answer("No.", status=status)

    with proxy.client() as client:
        answers = [client.ask(ASKED).status, client.ask(ASKED).status]

    assert [status, status] == answers
    assert 2 == len(upstream.calls)


@pytest.mark.parametrize("body", [b"", b"not json", b"[1]", b"\xff\x00" * 50, b'{"model": '])
def test_a_body_that_is_no_request_of_a_provider_passes_untouched(
    body: bytes, proxy: Proxy, upstream: Upstream
) -> None:
    upstream.answer = lambda call: Answer(headers=(("X-Seen", "yes"),), frames=(b"as it is",))

    with proxy.client() as client:
        answer = client.ask(body)

    assert [body] == [call.body for call in upstream.calls]
    assert (b"as it is", "yes", "") == (
        answer.body,
        answer.headers["x-seen"],
        answer.cache_status,
    )


@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "DELETE"])
def test_other_methods_pass_untouched(method: str, proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client("127.0.0.1", upstream.port) as client:
        status = client.send_plain(method, "/v1/chat/completions").status

    assert 200 == status
    assert [method] == [call.method for call in upstream.calls]


def test_a_stream_of_nobodys_format_is_not_held_back(proxy: Proxy, upstream: Upstream) -> None:
    drip = threading.Semaphore(0)
    frames = (b"data: first\n\n", b"data: second\n\n")
    headers = (("Content-Type", "text/event-stream"),)
    upstream.answer = lambda call: Answer(
        headers=headers, frames=frames, framing="chunked", drip=drip
    )

    with proxy.client() as client, client.open(b"{}", "/v1/runs") as response:
        first = response.read(len(frames[0]))
        drip.release()
        rest = response.read()

    assert frames == (first, rest)
