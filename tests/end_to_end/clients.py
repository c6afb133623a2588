"""Clients behind the proxy: HTTP/1.1 by the standard library, HTTP/2 by `h2`."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events

from tests.end_to_end.upstream import WAIT_S

HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sk-test"}
CHAT = "/v1/chat/completions"


@dataclass(frozen=True)
class Received:
    """Header names are lower case, repeated ones joined."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def cache_status(self) -> str:
        return self.headers.get("cache-status", "")


class Client:
    """One connection through the proxy to one host."""

    def __init__(
        self, proxy_port: int, host: str, port: int, trusted: tuple[Path, ...] = ()
    ) -> None:
        self._proxy_port = proxy_port
        self._host = host
        self._port = port
        self._trusted = trusted
        self._connection: http.client.HTTPConnection | None = None

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def ask(self, body: bytes, path: str = CHAT, **headers: str) -> Received:
        """POST through a TLS tunnel; header names in Python spelling."""
        with self.open(body, path, **headers) as response:
            return _received(response)

    def open(self, body: bytes, path: str = CHAT, **headers: str) -> http.client.HTTPResponse:
        """The same, before the body is read."""
        return self.sent(body, path, **headers).getresponse()

    def sent(self, body: bytes, path: str = CHAT, **headers: str) -> http.client.HTTPConnection:
        """The same, before there is an answer."""
        connection = self._tunnel()
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, body, {**HEADERS, **more})
        return connection

    def certificate(self) -> dict[str, Any]:
        """Of whoever the client thinks it is talking to."""
        connection = self._tunnel()
        connection.connect()
        assert isinstance(connection.sock, ssl.SSLSocket)
        return connection.sock.getpeercert() or {}

    def send_plain(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] = HEADERS
    ) -> Received:
        """Absolute form to the proxy, without TLS."""
        connection = self._connection or http.client.HTTPConnection(
            "127.0.0.1", self._proxy_port, timeout=WAIT_S
        )
        self._connection = connection
        url = f"http://{self._host}:{self._port}{path}"
        connection.request(method, url, body or None, {**headers, "Host": self._host})
        with connection.getresponse() as response:
            return _received(response)

    def _tunnel(self) -> http.client.HTTPConnection:
        if self._connection is None:
            context = self.context()
            context.set_alpn_protocols(["http/1.1"])
            self._connection = http.client.HTTPSConnection(
                "127.0.0.1", self._proxy_port, timeout=WAIT_S, context=context
            )
            self._connection.set_tunnel(self._host, self._port)
        return self._connection

    def context(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        for authority in self._trusted:
            context.load_verify_locations(authority)
        return context

    def raw_tunnel(self) -> socket.socket:
        """A socket after a CONNECT."""
        tunnel = socket.create_connection(("127.0.0.1", self._proxy_port), timeout=WAIT_S)
        tunnel.sendall(f"CONNECT {self._host}:{self._port} HTTP/1.1\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = tunnel.recv(1)
            assert byte, head
            head += byte
        assert b" 200 " in head.splitlines()[0], head
        return tunnel

    def ask_h2(self, body: bytes, path: str = CHAT) -> Received:
        """POST by HTTP/2, on a connection of its own."""
        context = self.context()
        context.set_alpn_protocols(["h2", "http/1.1"])
        with context.wrap_socket(self.raw_tunnel(), server_hostname=self._host) as tunnel:
            assert "h2" == tunnel.selected_alpn_protocol()
            return _speak_h2(tunnel, self._host, path, body)


def _received(response: http.client.HTTPResponse) -> Received:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return Received(response.status, headers, response.read())


def _speak_h2(tunnel: ssl.SSLSocket, host: str, path: str, body: bytes) -> Received:
    config = h2.config.H2Configuration(client_side=True, header_encoding="latin-1")
    connection = h2.connection.H2Connection(config)
    connection.initiate_connection()
    pseudo = [(":method", "POST"), (":scheme", "https"), (":authority", host), (":path", path)]
    plain = [(name.lower(), value) for name, value in HEADERS.items()]
    connection.send_headers(1, [*pseudo, *plain, ("content-length", str(len(body)))])
    connection.send_data(1, body, end_stream=True)
    tunnel.sendall(connection.data_to_send())
    headers: dict[str, str] = {}
    data = b""
    for event in _h2_events(tunnel, connection):
        if isinstance(event, h2.events.ResponseReceived):
            headers = {str(name): str(value) for name, value in event.headers or ()}
        elif isinstance(event, h2.events.DataReceived):
            data += event.data or b""
            connection.acknowledge_received_data(event.flow_controlled_length or 0, 1)
        elif isinstance(event, h2.events.StreamEnded):
            break
        assert not isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated))
    return Received(int(headers.pop(":status")), headers, data)


def _h2_events(tunnel: ssl.SSLSocket, connection: h2.connection.H2Connection) -> Iterator[Any]:
    while data := tunnel.recv(65536):
        yield from connection.receive_data(data)
        tunnel.sendall(connection.data_to_send())
