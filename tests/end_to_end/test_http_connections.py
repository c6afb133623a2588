"""Versions and connections of HTTP: through the proxy they are what they were without."""

from __future__ import annotations

import re
import socket
import threading

import pytest

from tests.end_to_end import http2
from tests.end_to_end.clients import CHAT, HEADERS
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.raw import head, read_head, read_request, read_to_end
from tests.end_to_end.upstream import (
    WAIT_S,
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
WHOLE = b"".join(stream_frames(WORDS))


@pytest.mark.parametrize("spoken", [("h2", "http/1.1"), ("http/1.1",), ()])
@pytest.mark.parametrize("offered", [("h2", "http/1.1"), ("http/1.1",)])
def test_a_client_and_an_upstream_of_any_version_understand_each_other(
    spoken: tuple[str, ...], offered: tuple[str, ...], proxy: Proxy, upstream: Upstream
) -> None:
    upstream.offer(*offered)
    upstream.answer = lambda call: stream_answer(WORDS)

    def ask() -> tuple[str, bytes]:
        if spoken[:1] == ("h2",):
            answer = proxy.client().ask_h2(STREAMED)
            return answer.cache_status, answer.body
        with proxy.client().tls(*spoken) as tunnel:
            tunnel.sendall(head(content_length=len(STREAMED), connection="close") + STREAMED)
            said = read_head(tunnel).lower()
            body = read_to_end(tunnel)
            status = re.search("cache-status: (.*)", said)
            if "transfer-encoding: chunked" in said:
                body = b"".join(re.findall(rb"data: .*\n\n", body))
            return status[1] if status else "", body

    first = ask()
    proxy.wait_until(stored=1)
    second = ask()

    assert WHOLE == first[1] == second[1]
    assert (first[0].startswith("khazad; fwd=miss"), "; hit;" in second[0]) == (True, True)
    assert 1 == len(upstream.calls)


def test_an_http2_client_has_many_streams_at_once_before_an_upstream_that_has_not(
    proxy: Proxy, upstream: Upstream
) -> None:
    drip = threading.Semaphore(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip)

    with proxy.client().tls("h2") as tunnel:
        client = http2.Client(tunnel, "api.openai.com")
        streams = [
            client.ask("POST", CHAT, question(f"{n} squared?", stream=True), HEADERS)
            for n in range(12)
        ]
        for stream in streams:  # every one has its first frame while all of them go on
            client.until(stream, lambda heard: heard.body)
        drip.release(len(streams) * len(stream_frames(WORDS)))
        bodies = [bytes(client.whole(stream).body) for stream in streams]

    assert [WHOLE] * 12 == bodies


def test_an_http_1_0_client_is_answered_and_hung_up_on(proxy: Proxy, upstream: Upstream) -> None:
    for _ in range(2):
        with proxy.client().tls() as tunnel:
            tunnel.sendall(head(version="1.0", content_length=len(ASKED)) + ASKED)
            answer = read_to_end(tunnel)
        assert answer.endswith(chat_body("Hello."))
        proxy.wait_until(stored=1)

    assert 1 == len(upstream.calls)


def test_hits_misses_and_others_take_turns_on_one_connection(
    proxy: Proxy, upstream: Upstream
) -> None:
    with proxy.client() as client:
        first = client.ask(ASKED)
        proxy.wait_until(stored=1)
        upstream.answer = lambda call: stream_answer(WORDS)
        answers = [
            client.ask(ASKED),
            client.ask(question("Another?", stream=True)),
            client.ask(b"{}", "/v1/moderations"),
            client.ask(ASKED),
        ]
        peers = {client.local_address()}

    assert [first.body, WHOLE, WHOLE, first.body] == [answer.body for answer in answers]
    assert (1, 3) == (len(peers), len(upstream.calls))


def test_an_upstream_that_hangs_up_between_two_calls_is_dialled_anew(
    proxy: Proxy, upstream: Upstream
) -> None:
    gone = threading.Event()

    def once(connection: socket.socket) -> None:
        read_request(connection)
        body = chat_body("Hello.")
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )
        connection.close()
        gone.set()

    upstream.script = once
    with proxy.client() as client:
        answers = []
        for n in range(3):
            answers.append(client.ask(question(f"{n}?")).status)
            assert gone.wait(WAIT_S)
            gone.clear()

    assert [200] * 3 == answers


def test_connection_close_is_honoured_on_both_sides(proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: chat_answer(
        "Hello.", headers=(("Connection", "close"), ("Content-Type", "application/json"))
    )
    with proxy.client().tls() as tunnel:
        tunnel.sendall(head(content_length=len(ASKED)) + ASKED)
        assert read_to_end(tunnel).endswith(chat_body("Hello."))
    proxy.wait_until(stored=1)
    with proxy.client().tls() as tunnel:
        tunnel.sendall(head(content_length=len(ASKED), connection="close") + ASKED)
        hit = read_to_end(tunnel)

    assert hit.endswith(chat_body("Hello."))
    assert b"khazad; hit" in hit


def test_a_client_that_has_hung_up_half_has_hung_up(proxy: Proxy, upstream: Upstream) -> None:
    # Nobody can tell it from a client that has gone, whose answer shall not be paid for.
    drip = threading.Semaphore(0)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip)
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=WAIT_S) as client:
        url = f"http://127.0.0.1:{upstream.port}{CHAT}"
        client.sendall(head(path=url, content_length=len(STREAMED)) + STREAMED)
        assert " 200 " in read_head(client)
        client.shutdown(socket.SHUT_WR)
        proxy.unkept("cut")
        drip.release(10)

    assert 0 == proxy.page("/stats")[1]["stored"]
