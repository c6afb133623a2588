"""Requests in every shape of HTTP: they arrive as they were sent."""

from __future__ import annotations

import hashlib
import socket
import threading

import pytest

from tests.end_to_end import http2
from tests.end_to_end.clients import CHAT, HEADERS
from tests.end_to_end.coded import CODINGS
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.raw import head, read_head, read_to_end
from tests.end_to_end.upstream import (
    WAIT_S,
    Upstream,
    chat_body,
    question,
)

ASKED = question("What is the capital of France?")
MEGABYTE = bytes(range(256)) * 4096


def test_a_chunked_request_is_found_again(proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client() as client:
        client.ask(ASKED)
    proxy.wait_until(stored=1)
    with proxy.client().tls() as tunnel:
        tunnel.sendall(head(transfer_encoding="chunked", connection="close"))
        for start in range(0, len(ASKED), 20):
            piece = ASKED[start : start + 20]
            tunnel.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        tunnel.sendall(b"0\r\n\r\n")
        answer = read_to_end(tunnel)

    assert b"khazad; hit" in answer
    assert 1 == len(upstream.calls)


@pytest.mark.parametrize("coding", CODINGS)
def test_a_compressed_request_passes_as_it_is_and_is_found_again(
    coding: str, proxy: Proxy, upstream: Upstream
) -> None:
    encode = CODINGS[coding]
    with proxy.client() as client:
        client.ask(encode(ASKED), Content_Encoding=coding)
        proxy.wait_until(stored=1)
        again = client.ask(encode(ASKED), Content_Encoding=coding)

    assert again.cache_status.startswith("khazad; hit")
    assert [(encode(ASKED), coding)] == [
        (call.body, call.headers["content-encoding"]) for call in upstream.calls
    ]


@pytest.mark.parametrize("path", [CHAT, "/v1/files"])
def test_a_client_that_expects_to_be_told_to_continue_is_told(
    path: str, proxy: Proxy, upstream: Upstream
) -> None:
    with proxy.client().tls() as tunnel:
        tunnel.sendall(
            head(path=path, content_length=len(ASKED), expect="100-continue", connection="close")
        )
        assert read_head(tunnel).startswith("HTTP/1.1 100 ")
        tunnel.sendall(ASKED)
        answer = read_to_end(tunnel)

    assert answer.endswith(chat_body("Hello."))
    assert [ASKED] == [call.body for call in upstream.calls]


@pytest.mark.parametrize("framing", ["length", "chunked"])
def test_a_large_upload_is_passed_on_while_it_comes(
    framing: str, proxy: Proxy, upstream: Upstream
) -> None:
    size, seen = 100, threading.Event()
    digest, expected = hashlib.sha256(), hashlib.sha256(MEGABYTE * size)

    def receive(connection: socket.socket) -> None:
        said = read_head(connection).lower()
        left = size * len(MEGABYTE)
        with connection.makefile("rb") as reader:
            while left:
                chunked = "transfer-encoding: chunked" in said
                piece = reader.read(int(reader.readline(), 16) if chunked else min(left, 65536))
                if chunked:
                    reader.readline()
                digest.update(piece)
                left -= len(piece)
                seen.set()
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    upstream.script = receive
    fields = {"Content-Type": "multipart/form-data; boundary=x"}
    length = {"content_length": size * len(MEGABYTE)} if framing == "length" else {}
    fields |= length if length else {"transfer_encoding": "chunked"}
    with proxy.client().tls() as tunnel:
        tunnel.sendall(head(path="/v1/files", **fields))
        for n in range(size):
            chunked = framing == "chunked"
            tunnel.sendall(b"%x\r\n%s\r\n" % (len(MEGABYTE), MEGABYTE) if chunked else MEGABYTE)
            if n == 1:
                assert seen.wait(WAIT_S)
        if framing == "chunked":
            tunnel.sendall(b"0\r\n\r\n")
        assert " 200 " in read_head(tunnel)

    assert expected.digest() == digest.digest()


def test_an_upstream_may_refuse_an_upload_before_its_end(proxy: Proxy, upstream: Upstream) -> None:
    def refuse(connection: socket.socket) -> None:
        read_head(connection)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nno.")
        read_to_end(connection)

    upstream.script = refuse
    with proxy.client().tls() as tunnel:
        fields = {"content_type": "multipart/form-data", "content_length": 100 * len(MEGABYTE)}
        tunnel.sendall(head(path="/v1/files", **fields) + MEGABYTE)
        assert " 413 " in read_head(tunnel)
        assert b"no." == tunnel.recv(3)


@pytest.mark.parametrize("from_client", ["h2", "http/1.1"])
def test_trailers_of_a_request_arrive(from_client: str, proxy: Proxy, upstream: Upstream) -> None:
    if from_client == "h2":
        with proxy.client().tls("h2") as tunnel:
            client = http2.Client(tunnel, "api.openai.com")
            fields = {**HEADERS, "Content-Type": "text/plain"}
            stream = client.ask("POST", "/v1/x", b"body", fields, {"x-checksum": "abc"})
            assert "200" == client.whole(stream).headers[":status"]
    else:
        with proxy.client().tls("http/1.1") as tunnel:
            tunnel.sendall(head(path="/v1/x", transfer_encoding="chunked", trailer="x-checksum"))
            tunnel.sendall(b"4\r\nbody\r\n0\r\nx-checksum: abc\r\n\r\n")
            assert " 200 " in read_head(tunnel)

    (call,) = upstream.calls
    assert b"body" == call.body
    if from_client == "http/1.1":
        assert {"x-checksum": "abc"} == call.trailers
