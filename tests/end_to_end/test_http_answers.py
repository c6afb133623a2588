"""Answers in every shape of HTTP: they arrive as they were sent."""

from __future__ import annotations

import socket
import ssl

import pytest

from tests.end_to_end import http2
from tests.end_to_end.clients import CHAT, HEADERS
from tests.end_to_end.coded import CODINGS
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.raw import head, read_head, read_request, read_to_end, read_until
from tests.end_to_end.upstream import (
    Answer,
    Upstream,
    chat_body,
    question,
    stream_answer,
    stream_frames,
)

ASKED = question("What is the capital of France?")
STREAMED = question("What is the capital of France?", stream=True)
WORDS = ("Par", "is", ".")
WHOLE = b"".join(stream_frames(WORDS))
MEGABYTE = bytes(range(256)) * 4096
PLAIN = (("Content-Type", "text/plain"),)


@pytest.mark.parametrize("protocol", ["http/1.1", "h2"])
def test_head_and_options_have_no_body_and_keep_their_headers(
    protocol: str, proxy: Proxy, upstream: Upstream
) -> None:
    if protocol == "h2":
        upstream.offer("h2")
        upstream.answer = lambda call: Answer(headers=(*PLAIN, ("X-Own", "1")), status=204)
        with proxy.client().tls("h2") as tunnel:
            client = http2.Client(tunnel, "api.openai.com")
            answers = [client.whole(client.ask(m, "/v1/models")) for m in ("HEAD", "OPTIONS")]
        assert [("204", "1", b"")] * 2 == [
            (heard.headers[":status"], heard.headers["x-own"], heard.body) for heard in answers
        ]
        return

    def bodiless(connection: socket.socket) -> None:
        for _ in range(2):
            read_head(connection)
            connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5000000\r\nX-Own: 1\r\n\r\n")

    upstream.script = bodiless
    with proxy.client().tls() as tunnel:
        for _ in range(2):
            tunnel.sendall(head("HEAD", "/v1/models"))
            said = read_head(tunnel).lower()
            assert "content-length: 5000000" in said
            assert "x-own: 1" in said


@pytest.mark.parametrize("from_client", ["h2", "http/1.1"])
@pytest.mark.parametrize("to_upstream", ["h2", "http/1.1"])
def test_trailers_of_an_answer_arrive(
    from_client: str, to_upstream: str, proxy: Proxy, upstream: Upstream
) -> None:
    upstream.offer(to_upstream, "http/1.1")
    trailers = (("x-checksum", "abc"), ("x-took", "3"))
    upstream.answer = lambda call: stream_answer(WORDS, trailers=trailers)

    if from_client == "h2":
        with proxy.client().tls("h2") as tunnel:
            client = http2.Client(tunnel, "api.openai.com")
            heard = client.whole(client.ask("POST", CHAT, STREAMED, HEADERS))
        assert (WHOLE, dict(trailers)) == (heard.body, heard.trailers)
    else:
        with proxy.client().tls("http/1.1") as tunnel:
            tunnel.sendall(head(content_length=len(STREAMED)) + STREAMED)
            read_head(tunnel)
            read = read_until(tunnel, b"\r\n\r\n")
            # The connection is good for another.
            tunnel.sendall(head(content_length=len(ASKED)) + ASKED)
            assert " 200 " in read_head(tunnel)
        assert read.endswith(b"0\r\nx-checksum: abc\r\nx-took: 3\r\n\r\n")
    proxy.wait_until(stored=1)


def test_what_an_upstream_says_beforehand_is_not_taken_for_its_answer(
    proxy: Proxy, upstream: Upstream
) -> None:
    def hinting(connection: socket.socket) -> None:
        read_request(connection)
        body = chat_body("Hello.")
        connection.sendall(
            b"HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
            b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
            % (len(body), body)
        )

    upstream.script = hinting
    with proxy.client().tls("http/1.1") as tunnel:
        tunnel.sendall(head(content_length=len(ASKED)) + ASKED)
        said = [read_head(tunnel) for _ in range(3)]

    assert ["102", "103", "200"] == [text.split()[1] for text in said]
    assert "Link: </a>" in said[1]
    proxy.wait_until(stored=1)


def test_an_answer_without_a_length_ends_with_its_connection(
    proxy: Proxy, upstream: Upstream
) -> None:
    def endless(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
        connection.sendall(chat_body("Hello."))
        if isinstance(connection, ssl.SSLSocket):
            connection.unwrap()

    upstream.script = endless
    with proxy.client().tls("http/1.1") as tunnel:
        tunnel.sendall(head(content_length=len(ASKED)) + ASKED)
        assert read_to_end(tunnel).endswith(chat_body("Hello."))


def test_a_slow_reader_slows_the_upstream_down_and_not_the_memory(
    proxy: Proxy, upstream: Upstream
) -> None:
    size, sent, ahead = 100, [0], []

    def gush(connection: socket.socket) -> None:
        read_head(connection)
        length = size * len(MEGABYTE)
        connection.sendall(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n" % length
        )
        for _ in range(size):
            connection.sendall(MEGABYTE)
            sent[0] += len(MEGABYTE)

    upstream.script = gush
    read = 0
    with proxy.client().tls("http/1.1") as tunnel:
        tunnel.sendall(head("GET", "/v1/files/1/content"))
        read_head(tunnel)
        while read < size * len(MEGABYTE):
            read += len(tunnel.recv(16_384))
            ahead.append(sent[0] - read)

    # What the kernel holds on three sockets; the rest waits at the upstream.
    assert max(ahead) < 40 * len(MEGABYTE)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_compressed_answer_passes_as_it_is_and_is_found_again_decoded(
    coding: str, proxy: Proxy, upstream: Upstream
) -> None:
    wire = CODINGS[coding](chat_body("Hello."))
    headers = (("Content-Type", "application/json"), ("Content-Encoding", coding))
    upstream.answer = lambda call: Answer(headers=headers, frames=(wire,))

    with proxy.client() as client:
        first = client.ask(ASKED)
        proxy.wait_until(stored=1)
        second = client.ask(ASKED)

    assert (wire, coding) == (first.body, first.headers["content-encoding"])
    assert chat_body("Hello.") == second.body
