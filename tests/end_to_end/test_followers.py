"""Clients that ask for a stream which another is being given: one call, and each reads along."""

from __future__ import annotations

import http.client
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from tests.end_to_end import http2
from tests.end_to_end.clients import CHAT, HEADERS, Client
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Upstream, question, stream_answer, stream_frames
from tests.servers import until

STREAMED = question("What is the capital of France?", stream=True)
WORDS = ("Par", "is", ".")
FRAMES = stream_frames(WORDS)
WHOLE = b"".join(FRAMES)
# As the other client of these tests has it: who takes other codings reads no stream along.
PLAIN = {**HEADERS, "Accept-Encoding": "identity"}


@pytest.fixture
def drip(upstream: Upstream) -> threading.Semaphore:
    """Lets the upstream send a frame more."""
    drip = threading.Semaphore(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip)
    return drip


@contextmanager
def begun(client: Client) -> Iterator[http.client.HTTPResponse]:
    """Who asked first, and has the first frame."""
    with client.open(STREAMED) as response:
        assert FRAMES[0] == response.read(len(FRAMES[0]))
        yield response


def joined(proxy: Proxy, count: int = 1) -> None:
    proxy.wait_until(coalesced=count)


def test_who_comes_late_is_given_what_has_come_and_then_each_frame(
    proxy: Proxy, upstream: Upstream, drip: threading.Semaphore
) -> None:
    with proxy.client() as client, begun(client) as first, proxy.client() as other:
        with other.open(STREAMED) as late:
            assert "collapsed" in (late.getheader("cache-status") or "")
            assert FRAMES[0] == late.read(len(FRAMES[0]))
            drip.release()
            assert FRAMES[1] == late.read(len(FRAMES[1])) == first.read(len(FRAMES[1]))
            drip.release(len(FRAMES))
            assert b"".join(FRAMES[2:]) == late.read() == first.read()
        # The connection is as good as before.
        assert WHOLE == other.ask(STREAMED).body

    assert 1 == len(upstream.calls)


def test_twenty_clients_are_one_call(
    proxy: Proxy, upstream: Upstream, drip: threading.Semaphore
) -> None:
    with ExitStack() as stack:
        clients = [stack.enter_context(proxy.client()) for _ in range(20)]
        asking = [client.sent(STREAMED) for client in clients]
        joined(proxy, 19)
        drip.release(len(FRAMES))
        bodies = [connection.getresponse().read() for connection in asking]

    assert [WHOLE] * 20 == bodies
    assert 1 == len(upstream.calls)


def test_who_asked_first_may_leave(
    proxy: Proxy, upstream: Upstream, drip: threading.Semaphore
) -> None:
    with proxy.client() as other:
        with proxy.client() as client, begun(client):
            late = other.open(STREAMED)
            joined(proxy)
        drip.release(len(FRAMES))
        assert WHOLE == late.read()
        proxy.wait_until(stored=1)
        assert "; hit" in other.ask(STREAMED).cache_status

    assert 1 == len(upstream.calls)


def test_an_http2_client_reads_along_and_may_leave(
    proxy: Proxy, upstream: Upstream, drip: threading.Semaphore
) -> None:
    with proxy.client().tls("h2") as tunnel, proxy.client() as other:
        client = http2.Client(tunnel, "api.openai.com")
        first = client.ask("POST", CHAT, STREAMED, PLAIN)
        client.until(first, lambda heard: heard.body)
        second = client.ask("POST", CHAT, STREAMED, PLAIN)
        assert FRAMES[0] == bytes(client.until(second, lambda heard: heard.body).body)
        late = other.open(STREAMED)
        joined(proxy, 2)
        client.reset(first)
        drip.release(len(FRAMES))

        assert WHOLE == late.read()
        heard = client.whole(second)
        assert WHOLE == bytes(heard.body)
        assert "collapsed" in heard.headers["cache-status"]
    assert 1 == len(upstream.calls)


def test_a_follower_may_leave(proxy: Proxy, upstream: Upstream, drip: threading.Semaphore) -> None:
    with proxy.client() as client, begun(client) as first:
        with proxy.client() as other, other.open(STREAMED):
            joined(proxy)
        drip.release(len(FRAMES))
        assert b"".join(FRAMES[1:]) == first.read()
        proxy.wait_until(stored=1)

    assert not [line for line in proxy.log if "Traceback" in line]


def test_a_cut_is_everyones_and_the_next_asks_again(proxy: Proxy, upstream: Upstream) -> None:
    drip = threading.Semaphore(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip, ending="cut")
    with proxy.client() as client, begun(client) as first, proxy.client() as other:
        late = other.open(STREAMED)
        joined(proxy)
        drip.release(len(FRAMES))
        for response in (first, late):
            with pytest.raises(http.client.IncompleteRead):
                response.read()
    upstream.answer = lambda call: stream_answer(WORDS)
    with proxy.client() as client:
        assert WHOLE == client.ask(STREAMED).body

    assert 2 == len(upstream.calls)


def test_another_key_is_another_call(
    proxy: Proxy, upstream: Upstream, drip: threading.Semaphore
) -> None:
    with proxy.client() as client, begun(client), proxy.client() as other:
        drip.release(2 * len(FRAMES))
        received = other.ask(STREAMED, Authorization="Bearer another")

    assert WHOLE == received.body
    assert "collapsed" not in received.cache_status
    assert 2 == len(upstream.calls)


def test_an_error_hands_over_to_one_of_those_who_wait(proxy: Proxy, upstream: Upstream) -> None:
    go_on = threading.Event()

    def answer(call: object) -> object:
        assert go_on.wait(20)
        if len(upstream.calls) == 1:
            return stream_answer(WORDS, status=429)
        return stream_answer(WORDS)

    upstream.answer = answer  # type: ignore[assignment]  # as the others
    with ExitStack() as stack:
        clients = [stack.enter_context(proxy.client()) for _ in range(5)]
        asking = [client.sent(STREAMED) for client in clients]
        until(lambda: upstream.calls)
        go_on.set()
        answers = [connection.getresponse() for connection in asking]
        statuses = sorted(answer.status for answer in answers if answer.read())

    assert [200, 200, 200, 200, 429] == statuses
    assert len(upstream.calls) <= 3
