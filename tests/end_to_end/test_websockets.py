"""WebSockets pass through: those of strangers, and the realtime ones of LLM hosts."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Pong,
    Request,
    TextMessage,
)
from wsproto.extensions import PerMessageDeflate

from tests.end_to_end.proxies import Proxy
from tests.end_to_end.raw import listening
from tests.end_to_end.upstream import Upstream

PATH = "/v1/realtime?model=gpt-realtime"


class Speaker:
    """One end of a WebSocket on a socket."""

    def __init__(self, connection: socket.socket, kind: ConnectionType) -> None:
        self._socket = connection
        self._ws = WSConnection(kind)
        self._events = self._listen()

    def say(self, event: Event) -> None:
        self._socket.sendall(self._ws.send(event))

    def hear(self) -> Event:
        return next(self._events)

    def _listen(self) -> Iterator[Event]:
        while True:
            yield from self._ws.events()
            self._ws.receive_data(self._socket.recv(65536) or None)


def echo(connection: socket.socket) -> None:
    """Accepts with compression, and says everything back, until it is closed."""
    speaker = Speaker(connection, ConnectionType.SERVER)
    request = speaker.hear()
    assert isinstance(request, Request)
    speaker.say(AcceptConnection(extensions=[PerMessageDeflate()]))
    while True:
        match speaker.hear():
            case TextMessage(data=text):
                speaker.say(TextMessage(text.upper()))
            case BytesMessage(data=data):
                speaker.say(BytesMessage(bytes(data)[::-1]))
            case Ping() as ping:
                speaker.say(ping.response())
            case CloseConnection() as close:
                speaker.say(close.response())
                return


def converse(connection: socket.socket, host: str) -> None:
    speaker = Speaker(connection, ConnectionType.CLIENT)
    speaker.say(Request(host, PATH, extensions=[PerMessageDeflate()]))
    accepted = speaker.hear()
    assert isinstance(accepted, AcceptConnection)
    assert accepted.extensions
    speaker.say(TextMessage("session.update"))
    assert speaker.hear() == TextMessage("SESSION.UPDATE")
    speaker.say(BytesMessage(bytes(range(200))))
    heard = speaker.hear()
    assert isinstance(heard, BytesMessage)
    assert bytes(range(200))[::-1] == bytes(heard.data)
    speaker.say(Ping(b"there?"))
    assert isinstance(speaker.hear(), Pong)
    speaker.say(CloseConnection(1000, "done"))
    closed = speaker.hear()
    assert isinstance(closed, CloseConnection)
    assert (1000, "done") == (closed.code, closed.reason)


def test_a_realtime_session_of_an_llm_host_passes(proxy: Proxy, upstream: Upstream) -> None:
    upstream.script = echo
    with proxy.client().tls("http/1.1") as tunnel:
        assert "mitmproxy" in str(tunnel.getpeercert())
        converse(tunnel, "api.openai.com")

    assert 0 == proxy.page("/stats")[1]["total_requests"]


def test_a_client_without_alpn_is_no_other(proxy: Proxy, upstream: Upstream) -> None:
    upstream.offer("h2", "http/1.1")
    upstream.script = echo
    with proxy.client().tls() as tunnel:
        converse(tunnel, "api.openai.com")


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_strangers_in_the_clear_pass(host: str, proxy: Proxy) -> None:
    with listening(echo) as port, proxy.client(host, port).raw_tunnel() as tunnel:
        converse(tunnel, host)


def test_a_strangers_over_tls_pass(proxy: Proxy, upstream: Upstream) -> None:
    upstream.script = echo
    with proxy.client("example.com").tls("http/1.1") as tunnel:
        assert "the upstream's own authority" in str(tunnel.getpeercert())
        converse(tunnel, "example.com")
