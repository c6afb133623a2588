"""A fake provider on loopback: scripted answers, a call counter, frames dripped by the test.

TLS and plain text on one port (a TLS record begins with 0x16). HTTP/1.1, and HTTP/2 where a test
has it offered; one thread per connection; every wait has a limit, so that a broken test fails and
does not hang.
"""

from __future__ import annotations

import json
import socket
import socketserver
import ssl
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.end_to_end import http2
from tests.end_to_end.certificates import Authority

WAIT_S = 20.0


@dataclass(frozen=True)
class Call:
    """One request as the upstream saw it. Header names are lower case."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    trailers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What to send back."""

    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "application/json"),)
    frames: tuple[bytes, ...] = ()
    framing: Literal["length", "chunked"] = "length"
    ending: Literal["whole", "cut"] = "whole"
    """`cut`: the connection ends after the frames, without the end of the message."""
    drip: threading.Semaphore | None = None
    """Acquired before every frame but the first; None: all at once."""
    trailers: tuple[tuple[str, str], ...] = ()
    """Sent after the last frame of a chunked answer."""


class Upstream:
    """Answers every request by `self.answer(call)`."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self._context = authority.server_context()
        self._context.sni_callback = lambda _socket, name, _context: self.names.append(name)
        self._server: _Server | None = None
        self.port = 0
        self.reset()

    def reset(self) -> None:
        """As new, on the same port."""
        self.calls: list[Call] = []
        self.names: list[str | None] = []
        """SNI of every TLS handshake begun."""
        self.hung_up = threading.Event()
        """Set when somebody went away while frames were still to be sent."""
        self.answer: Callable[[Call], Answer] = lambda call: chat_answer("Hello.")
        self.script: Callable[[socket.socket], None] | None = None
        """Speaks on every connection in place of HTTP."""
        self.offer("http/1.1")
        if self._server is None:
            self._server = _Server(("127.0.0.1", self.port), _handler_for(self))
            self.port = self._server.server_address[1]
            self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
            self._thread.start()

    def close(self) -> None:
        """Stop listening: from now on nobody can connect. Idempotent."""
        if self._server is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()
            self._server = None

    def offer(self, *protocols: str) -> None:
        """What is to be spoken inside TLS, best first (ALPN)."""
        self._context.set_alpn_protocols(list(protocols))

    def secure(self, connection: socket.socket) -> socket.socket:
        if connection.recv(1, socket.MSG_PEEK) == b"\x16":
            return self._context.wrap_socket(connection, server_side=True)
        return connection


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that hang up, or do not like a certificate, are part of the play."""


def _handler_for(upstream: Upstream) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.settimeout(WAIT_S)
            connection = upstream.secure(self.request)
            try:
                if upstream.script is not None:
                    upstream.script(connection)
                    return
                if http2.is_spoken(connection):
                    http2.serve(upstream, connection)
                    return
                with connection.makefile("rb") as reader:
                    while (call := _read(reader)) is not None:
                        upstream.calls.append(call)
                        if not _write(upstream, connection, upstream.answer(call)):
                            return
            finally:
                connection.close()

    return Handler


def _read(reader: Any) -> Call | None:
    line = reader.readline().decode("latin-1").split()
    if len(line) != 3:
        return None
    headers = _read_fields(reader)
    if headers.get("transfer-encoding") != "chunked":
        body = reader.read(int(headers.get("content-length", 0)))
        return Call(line[0], line[1], headers, body)
    body = b""
    while size := int(reader.readline(), 16):
        body += reader.read(size)
        reader.readline()
    return Call(line[0], line[1], headers, body, trailers=_read_fields(reader))


def _read_fields(reader: Any) -> dict[str, str]:
    fields: dict[str, str] = {}
    while (line := reader.readline().decode("latin-1").strip()) != "":
        name, _, value = line.partition(":")
        fields[name.lower()] = value.strip()
    return fields


def _write(upstream: Upstream, connection: socket.socket, answer: Answer) -> bool:
    """True where the connection may be used again."""
    head = [f"HTTP/1.1 {answer.status} Answer", *(f"{n}: {v}" for n, v in answer.headers)]
    if answer.framing == "chunked":
        head.append("Transfer-Encoding: chunked")
    else:
        missing = 1 if answer.ending == "cut" else 0
        head.append(f"Content-Length: {sum(map(len, answer.frames)) + missing}")
    connection.sendall("\r\n".join([*head, "", ""]).encode("latin-1"))
    try:
        for index, frame in enumerate(answer.frames):
            if index and answer.drip is not None and not answer.drip.acquire(timeout=WAIT_S):
                return False
            chunked = answer.framing == "chunked"
            connection.sendall(b"%x\r\n%s\r\n" % (len(frame), frame) if chunked else frame)
        if answer.ending == "cut":
            return False
        if answer.framing == "chunked":
            fields = "".join(f"{name}: {value}\r\n" for name, value in answer.trailers)
            connection.sendall(f"0\r\n{fields}\r\n".encode("latin-1"))
    except (OSError, ssl.SSLError):
        upstream.hung_up.set()
        return False
    return True


# -- answers in OpenAI's words


def question(text: str, **more: Any) -> bytes:
    """The body of a chat request."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}
    return json.dumps(body).encode()


def chat_body(text: str) -> bytes:
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    answer = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o"}
    return json.dumps({**answer, "choices": [choice], "usage": usage}).encode()


def chat_answer(text: str, **changes: Any) -> Answer:
    return Answer(**{"frames": (chat_body(text),), **changes})


def stream_frames(words: Iterable[str]) -> tuple[bytes, ...]:
    """A whole stream: one frame per word, the finish, `[DONE]`."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o"}
    deltas: list[tuple[dict[str, str], str | None]] = [
        ({"role": "assistant", "content": ""}, None),
        *(({"content": word}, None) for word in words),
        ({}, "stop"),
    ]
    events = [
        {**head, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        for delta, finish in deltas
    ]
    frames = [b"data: " + json.dumps(event).encode() + b"\n\n" for event in events]
    return (*frames, b"data: [DONE]\n\n")


def stream_answer(words: Iterable[str], **changes: Any) -> Answer:
    headers = (("Content-Type", "text/event-stream"),)
    whole = {"headers": headers, "frames": stream_frames(words), "framing": "chunked"}
    return Answer(**{**whole, **changes})
