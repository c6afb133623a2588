"""HTTP/2 by `h2`, as both ends speak it: the fake upstream, and clients behind the proxy."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h2.config
import h2.connection
import h2.events

if TYPE_CHECKING:
    from tests.end_to_end.upstream import Answer, Call, Upstream

MAX_FRAME = 16_384


def is_spoken(connection: socket.socket) -> bool:
    return isinstance(connection, ssl.SSLSocket) and connection.selected_alpn_protocol() == "h2"


# -- the upstream


def serve(upstream: Upstream, connection: socket.socket) -> None:
    """Answer every request of a connection, one after another, until the client goes away."""
    from tests.end_to_end.upstream import Call

    speaker = _Speaker(connection, client_side=False)
    asked: dict[int, tuple[dict[str, str], bytearray]] = {}
    for event in speaker.events():
        match event:
            case h2.events.RequestReceived():
                asked[event.stream_id] = (_fields(event.headers), bytearray())
            case h2.events.DataReceived():
                asked[event.stream_id][1].extend(event.data)
                speaker.received(event)
            case h2.events.StreamEnded():
                fields, body = asked.pop(event.stream_id)
                headers = {name: value for name, value in fields.items() if name[0] != ":"}
                call = Call(fields[":method"], fields[":path"], headers, bytes(body))
                upstream.calls.append(call)
                _answer(speaker, event.stream_id, call, upstream.answer(call))


def _answer(speaker: _Speaker, stream_id: int, call: Call, answer: Answer) -> None:
    from tests.end_to_end.upstream import WAIT_S

    head = [(":status", str(answer.status)), *((n.lower(), v) for n, v in answer.headers)]
    frames = () if call.method == "HEAD" else answer.frames
    speaker.say_head(stream_id, head, ends=not frames)
    for index, frame in enumerate(frames):
        if index and answer.drip is not None and not answer.drip.acquire(timeout=WAIT_S):
            return
        is_last = index == len(frames) - 1 and not answer.trailers
        if answer.ending == "cut" and is_last:
            speaker.reset(stream_id)
            return
        speaker.say_data(stream_id, frame, ends=is_last)
    if answer.trailers:
        speaker.say_head(stream_id, list(answer.trailers), ends=True)


# -- a client


@dataclass
class Heard:
    """What a client was answered on one stream."""

    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)
    trailers: dict[str, str] = field(default_factory=dict)
    is_over: bool = False


class Client:
    """A client on a connection whose TLS has agreed on h2."""

    def __init__(self, tunnel: ssl.SSLSocket, authority: str) -> None:
        assert is_spoken(tunnel)
        self._speaker = _Speaker(tunnel, client_side=True)
        self._authority = authority
        self._heard: dict[int, Heard] = {}
        self._events = self._speaker.events()
        self._next = 1

    def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        trailers: Mapping[str, str] | None = None,
    ) -> int:
        """Send a request; returns its stream, to be read by `until`."""
        stream_id, self._next = self._next, self._next + 2
        head = [(":method", method), (":scheme", "https"), (":authority", self._authority)]
        head += [(":path", path), *((n.lower(), v) for n, v in (headers or {}).items())]
        self._heard[stream_id] = Heard()
        self._speaker.say_head(stream_id, head, ends=not body and not trailers)
        if body:
            self._speaker.say_data(stream_id, body, ends=not trailers)
        if trailers:
            self._speaker.say_head(stream_id, list(trailers.items()), ends=True)
        return stream_id

    def whole(self, stream_id: int) -> Heard:
        """Read until a stream has ended."""
        return self.until(stream_id, lambda heard: heard.is_over)

    def reset(self, stream_id: int) -> None:
        """Go away from one stream, and stay for the others."""
        self._speaker.reset(stream_id)

    def until(self, stream_id: int, condition: Any) -> Heard:
        heard = self._heard[stream_id]
        while not condition(heard):
            self._hear(next(self._events))
        return heard

    def _hear(self, event: Any) -> None:
        match event:
            case h2.events.ResponseReceived():
                self._heard[event.stream_id].headers = _fields(event.headers)
            case h2.events.TrailersReceived():
                self._heard[event.stream_id].trailers = _fields(event.headers)
            case h2.events.DataReceived():
                self._heard[event.stream_id].body.extend(event.data)
                self._speaker.received(event)
            case h2.events.StreamEnded():
                self._heard[event.stream_id].is_over = True
            case h2.events.StreamReset() | h2.events.ConnectionTerminated():
                raise ConnectionResetError(repr(event))


class _Speaker:
    """A connection of `h2` on a socket. Sends as much at once as the windows allow."""

    def __init__(self, connection: socket.socket, *, client_side: bool) -> None:
        config = h2.config.H2Configuration(client_side=client_side, header_encoding="latin-1")
        self._h2 = h2.connection.H2Connection(config)
        self._socket = connection
        self._waiting: list[Any] = []
        self._h2.initiate_connection()
        self._flush()

    def events(self) -> Iterator[Any]:
        while True:
            while self._waiting:
                yield self._waiting.pop(0)
            if not self._listen():
                return

    def received(self, event: h2.events.DataReceived) -> None:
        self._h2.acknowledge_received_data(event.flow_controlled_length or 0, event.stream_id or 0)
        self._flush()

    def say_head(self, stream_id: int, fields: list[tuple[str, str]], *, ends: bool) -> None:
        self._h2.send_headers(stream_id, fields, end_stream=ends)
        self._flush()

    def say_data(self, stream_id: int, data: bytes, *, ends: bool) -> None:
        for start in range(0, len(data), MAX_FRAME):
            piece = data[start : start + MAX_FRAME]
            while self._h2.local_flow_control_window(stream_id) < len(piece):
                assert self._listen(), "the other end has gone"
            self._h2.send_data(stream_id, piece, end_stream=ends and start + MAX_FRAME >= len(data))
            self._flush()

    def reset(self, stream_id: int) -> None:
        self._h2.reset_stream(stream_id)
        self._flush()

    def _listen(self) -> bool:
        data = self._socket.recv(65536)
        if data:
            self._waiting += self._h2.receive_data(data)
            self._flush()
        return bool(data)

    def _flush(self) -> None:
        self._socket.sendall(self._h2.data_to_send())


def _fields(headers: Any) -> dict[str, str]:
    return {str(name): str(value) for name, value in headers or ()}
