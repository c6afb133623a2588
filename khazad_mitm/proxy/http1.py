"""What mitmproxy's HTTP/1 leaves out, so that what passes is what was sent.

Left alone (11.0.2 and 12.2.3):

- a message with trailers crashes the connection's layer, and the client waits for ever. Here they
  are passed on, of requests and answers, to HTTP/1 and HTTP/2;
- a `103 Early Hints` or any other 1xx is taken for the answer. Here it is passed on to HTTP/1
  clients, as RFC 9110 §15.2 has it, and dropped before HTTP/2 clients, as mitmproxy does there;
- the body of an HTTP/2 request without Content-Length reaches an HTTP/1 upstream without any
  framing, where it looks like another request. Here it is chunked.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias
from weakref import WeakKeyDictionary

import h11
from mitmproxy import http
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import http as http_layer

from khazad_mitm.proxy.privates import HTTP1, Patches

if TYPE_CHECKING:
    from mitmproxy.proxy.layers.http._http1 import Http1Client, Http1Connection

Generator: TypeAlias = Iterator[commands.Command]
Method: TypeAlias = Callable[[Any, Any], Generator]

# Its events are there, and not announced.
said: Any = http_layer

_LAST_CHUNK = b"0\r\n\r\n"
# Not 101, which is final.
_INFORMATIONAL = re.compile(rb"HTTP/1\.[01] 1(?!01)\d\d\b")


class Http1:
    """Installed while `KhazadAddon` runs."""

    def __init__(self) -> None:
        self._patches = Patches()
        self._trailers: WeakKeyDictionary[Any, http.Headers] = WeakKeyDictionary()
        """Of messages whose end is still to be sent, by connection."""

    def install(self) -> None:
        if not HTTP1.is_there():
            return
        from mitmproxy.proxy.layers.http import _http1

        self._patches.put(_http1, "make_body_reader", _reader)
        self._patches.put(_http1.Http1Connection, "read_body", _reading)
        self._patches.put(_http1.Http1Server, "send", self._sending)
        self._patches.put(_http1.Http1Client, "send", self._sending)
        self._patches.put(_http1.Http1Client, "read_headers", _past_informational)

    def uninstall(self) -> None:
        self._patches.undo()

    def _sending(self, original: Method) -> Method:
        def send(connection: Http1Connection, event: events.Event) -> Generator:
            match event:
                case said.RequestTrailers() | said.ResponseTrailers():
                    self._trailers[connection] = event.trailers
                    return
                case said.RequestEndOfMessage() | said.ResponseEndOfMessage():
                    trailers = self._trailers.pop(connection, None)
                    for command in original(connection, event):
                        match command:
                            case commands.SendData(data=data) if trailers and data == _LAST_CHUNK:
                                yield commands.SendData(command.connection, _end(trailers))
                            case _:
                                yield command
                    return
                case said.RequestHeaders(end_stream=False) if _is_unframed(event.request):
                    request = event.request.copy()
                    request.headers["transfer-encoding"] = "chunked"
                    event = dataclasses.replace(event, request=request)
            yield from original(connection, event)

        return send


def _is_unframed(request: http.Request) -> bool:
    return request.is_http2 and not (
        "content-length" in request.headers or "transfer-encoding" in request.headers
    )


def _end(trailers: http.Headers) -> bytes:
    """The last chunk, with these fields (RFC 9112 §7.1.2)."""
    return b"".join([b"0\r\n", *(b"%s: %s\r\n" % field for field in trailers.fields), b"\r\n"])


class _TrailerReader:
    """h11's reader of chunked bodies, the trailers laid aside."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self.trailers: list[tuple[bytes, bytes]] = []

    def __call__(self, buffer: Any) -> Any:
        event = self._reader(buffer)
        if isinstance(event, h11.EndOfMessage) and event.headers:
            # Lower case: HTTP/2 knows no other.
            self.trailers = [(bytes(name), bytes(value)) for name, value in event.headers]
            return h11.EndOfMessage()
        return event

    def read_eof(self) -> Any:
        return self._reader.read_eof()


def _reader(original: Callable[[int | None], Any]) -> Callable[[int | None], Any]:
    def make_body_reader(expected_size: int | None) -> Any:
        reader = original(expected_size)
        return _TrailerReader(reader) if expected_size is None else reader

    return make_body_reader


def _reading(original: Method) -> Method:
    def read_body(connection: Http1Connection, event: events.Event) -> Generator:
        for command in original(connection, event):
            # `mark_done` has not yet made way for the next message.
            reader: Any = connection.body_reader
            if isinstance(reader, _TrailerReader) and reader.trailers:
                make: Any = type(command)  # `ReceiveHttp`, of this event
                trailers = http.Headers(reader.trailers)
                match getattr(command, "event", None):
                    case said.RequestEndOfMessage(stream_id=stream_id):
                        yield make(said.RequestTrailers(stream_id, trailers))
                    case said.ResponseEndOfMessage(stream_id=stream_id):
                        yield make(said.ResponseTrailers(stream_id, trailers))
            yield command

    return read_body


def _past_informational(original: Method) -> Method:
    def read_headers(connection: Http1Client, event: events.Event) -> Generator:
        if isinstance(event, events.DataReceived) and connection.request is not None:
            while _INFORMATIONAL.match(bytes(connection.buf)):
                lines = connection.buf.maybe_extract_lines()
                if lines is None:
                    return
                # Our client has been told to continue by mitmproxy, if he wanted to be.
                if connection.request.is_http11 and b" 100" not in lines[0]:
                    head = b"\r\n".join([*map(bytes, lines), b"", b""])
                    yield commands.SendData(connection.context.client, head)
        yield from original(connection, event)

    return read_headers
