"""A real proxy, a real TLS upstream: what is asked again is not asked of the upstream."""

from __future__ import annotations

import gzip
import threading
from contextlib import ExitStack

from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import (
    WAIT_S,
    Answer,
    Call,
    Upstream,
    chat_answer,
    chat_body,
    question,
    stream_answer,
    stream_frames,
)

ASKED = question("What is the capital of France?")
STREAMED = question("What is the capital of France?", stream=True)
WORDS = ("Par", "is", ".")


def test_the_second_of_two_equal_calls_is_answered_by_the_cache(
    proxy: Proxy, upstream: Upstream
) -> None:
    with proxy.client() as client:
        first = client.ask(ASKED)
        proxy.wait_until(stored=1)
        second = client.ask(ASKED)

    assert chat_body("Hello.") == first.body == second.body
    assert first.cache_status.startswith("khazad; fwd=miss")
    assert second.cache_status.startswith("khazad; hit")
    assert "age" in second.headers
    assert 1 == len(upstream.calls)


def test_another_question_goes_upstream(proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client() as client:
        client.ask(ASKED)
        proxy.wait_until(stored=1)
        client.ask(question("And of Spain?"))

    assert 2 == len(upstream.calls)


def test_many_misses_share_one_connection_to_the_upstream(proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client() as client:
        answers = [client.ask(question(f"What is {n} squared?")).status for n in range(8)]

    assert [200] * 8 == answers
    assert ["api.openai.com"] == upstream.names


def test_the_first_frame_of_a_stream_arrives_before_the_second_was_sent(
    proxy: Proxy, upstream: Upstream
) -> None:
    drip = threading.Semaphore(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip)
    frames = stream_frames(WORDS)

    with proxy.client() as client, client.open(STREAMED) as response:
        first = response.read(len(frames[0]))
        drip.release(len(frames))
        rest = response.read()

    assert frames[0] == first
    assert b"".join(frames[1:]) == rest


def test_a_stream_is_replayed_byte_by_byte(proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: stream_answer(WORDS)

    with proxy.client() as client:
        first = client.ask(STREAMED)
        proxy.wait_until(stored=1)
        second = client.ask(STREAMED)

    assert b"".join(stream_frames(WORDS)) == first.body == second.body
    assert "text/event-stream" == second.headers["content-type"]
    assert 1 == len(upstream.calls)


def test_a_compressed_answer_passes_as_it_is_and_is_replayed_decoded(
    proxy: Proxy, upstream: Upstream
) -> None:
    wire = gzip.compress(b"".join(stream_frames(WORDS)))
    headers = (("Content-Type", "text/event-stream"), ("Content-Encoding", "gzip"))
    upstream.answer = lambda call: Answer(
        headers=headers, frames=(wire[:20], wire[20:]), framing="chunked"
    )

    with proxy.client() as client:
        first = client.ask(STREAMED)
        proxy.wait_until(stored=1)
        second = client.ask(STREAMED)

    assert ("gzip", wire) == (first.headers["content-encoding"], first.body)
    assert "content-encoding" not in second.headers
    assert b"".join(stream_frames(WORDS)) == second.body


def test_a_hit_needs_no_upstream_at_all(proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client() as client:
        client.ask(ASKED)
    proxy.wait_until(stored=1)
    upstream.close()

    with proxy.client() as client:
        answer = client.ask(ASKED)

    assert 200 == answer.status
    assert chat_body("Hello.") == answer.body
    assert ["api.openai.com"] == upstream.names


def test_an_http2_client_gets_hits_and_misses_too(proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: stream_answer(WORDS)

    first = proxy.client().ask_h2(STREAMED)
    proxy.wait_until(stored=1)
    second = proxy.client().ask_h2(STREAMED)

    assert b"".join(stream_frames(WORDS)) == first.body == second.body
    assert first.cache_status.startswith("khazad; fwd=miss")
    assert second.cache_status.startswith("khazad; hit")
    assert 1 == len(upstream.calls)


def test_a_plain_http_upstream_is_cached_whatever_its_name(
    proxy: Proxy, upstream: Upstream
) -> None:
    with proxy.client("127.0.0.1", upstream.port) as client:
        client.send_plain("POST", "/v1/chat/completions", ASKED)
        proxy.wait_until(stored=1)
        second = client.send_plain("POST", "/v1/chat/completions", ASKED)

    assert chat_body("Hello.") == second.body
    assert 1 == len(upstream.calls)


def test_control_headers_never_reach_the_upstream(proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client() as client:
        client.ask(ASKED, X_Khazad_Tag="faq", X_Khazad_Threshold="0.99", X_Other="kept")

    (call,) = upstream.calls
    assert [] == [name for name in call.headers if name.startswith("x-khazad")]
    assert "kept" == call.headers["x-other"]


def test_cache_status_is_appended_to_the_upstreams_own(proxy: Proxy, upstream: Upstream) -> None:
    headers = (("Content-Type", "application/json"), ("Cache-Status", "edge; fwd=uri-miss"))
    upstream.answer = lambda call: chat_answer("Hello.", headers=headers)

    with proxy.client() as client:
        answer = client.ask(ASKED)

    assert answer.cache_status.startswith("edge; fwd=uri-miss, khazad; fwd=miss")


def test_only_if_cached_is_answered_without_the_upstream(proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client() as client:
        answer = client.ask(ASKED, Cache_Control="only-if-cached")

    assert 504 == answer.status
    assert [] == upstream.calls


def test_a_large_answer_of_known_length_passes_and_is_kept(
    proxy: Proxy, upstream: Upstream
) -> None:
    text = "x" * 3_000_000
    upstream.answer = lambda call: chat_answer(text)

    with proxy.client() as client:
        first = client.ask(ASKED)
        proxy.wait_until(stored=1)
        second = client.ask(ASKED)

    assert chat_body(text) == first.body == second.body
    assert 1 == len(upstream.calls)


def test_a_stream_of_four_thousand_events_passes_and_is_replayed(
    proxy: Proxy, upstream: Upstream
) -> None:
    whole = stream_answer(f"word {number} " for number in range(4_000))
    upstream.answer = lambda call: whole

    with proxy.client() as client:
        first = client.ask(STREAMED)
        proxy.wait_until(stored=1)
        second = client.ask(STREAMED)

    assert b"".join(whole.frames) == first.body == second.body
    assert second.cache_status.startswith("khazad; hit")


def test_equal_questions_at_one_moment_ask_the_upstream_once(
    proxy: Proxy, upstream: Upstream
) -> None:
    all_have_asked = threading.Event()

    def answer(call: Call) -> Answer:
        assert all_have_asked.wait(WAIT_S)
        return chat_answer("Paris.")

    upstream.answer = answer
    with ExitStack() as stack:
        clients = [stack.enter_context(proxy.client()) for _ in range(20)]
        asking = [client.sent(ASKED) for client in clients]
        all_have_asked.set()
        answers = [connection.getresponse() for connection in asking]
        bodies = [answer.read() for answer in answers]

    assert [chat_body("Paris.")] * 20 == bodies
    assert 1 == len(upstream.calls)
    assert 19 == proxy.page("/stats")[1]["cache_hits"]


def test_a_leader_who_hangs_up_leaves_the_question_to_another(
    proxy: Proxy, upstream: Upstream
) -> None:
    asked, go_on = threading.Semaphore(0), threading.Event()

    def answer(call: Call) -> Answer:
        asked.release()
        assert go_on.wait(WAIT_S)
        return chat_answer("Paris.")

    upstream.answer = answer
    with proxy.client() as leader, proxy.client() as follower:
        leader.sent(ASKED)
        assert asked.acquire(timeout=WAIT_S)
        waiting = follower.sent(ASKED)
        leader.close()
        assert asked.acquire(timeout=WAIT_S)
        go_on.set()
        received = waiting.getresponse()

        assert chat_body("Paris.") == received.read()
    assert 2 == len(upstream.calls)
