"""Clients behind the proxy: HTTP/1.1 by the standard library, HTTP/2 by `h2`."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.end_to_end import http2
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

    def local_address(self) -> tuple[str, int]:
        """Our end of the connection."""
        assert self._connection is not None
        address: tuple[str, int] = self._connection.sock.getsockname()
        return address

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

    def tls(self, *protocols: str) -> ssl.SSLSocket:
        """A tunnel with TLS in it, offering these protocols (ALPN)."""
        context = self.context()
        if protocols:
            context.set_alpn_protocols(list(protocols))
        return context.wrap_socket(self.raw_tunnel(), server_hostname=self._host)

    def ask_h2(self, body: bytes, path: str = CHAT, authority: str = "") -> Received:
        """POST by HTTP/2, on a connection of its own."""
        with self.tls("h2", "http/1.1") as tunnel:
            client = http2.Client(tunnel, authority or self._host)
            headers = {**HEADERS, "Content-Length": str(len(body))}
            heard = client.whole(client.ask("POST", path, body, headers))
            return Received(int(heard.headers.pop(":status")), heard.headers, bytes(heard.body))


def _received(response: http.client.HTTPResponse) -> Received:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        key = name.lower()
        headers[key] = f"{headers[key]}, {value}" if key in headers else value
    return Received(response.status, headers, response.read())
