"""The client: HTTP/1.1 in TLS in a CONNECT, as every SDK behind `HTTPS_PROXY` speaks.

Plain sockets, requests made of bytes beforehand, answers looked at no more than needed: about a
tenth of what a proxy does for them.
"""

from __future__ import annotations

import re
import selectors
import socket
import ssl
import time
from collections.abc import Sequence

TIMEOUT_S = 30.0

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


class Connection:
    """A tunnel through a proxy to one host, open until `close`."""

    def __init__(self, proxy_port: int, host: str, port: int, context: ssl.SSLContext) -> None:
        tunnel = socket.create_connection(("127.0.0.1", proxy_port), timeout=TIMEOUT_S)
        tunnel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        tunnel.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            byte = tunnel.recv(1)
            if not byte:
                raise ConnectionError("the proxy has hung up")
            head += byte
        if b" 200 " not in head.partition(b"\r\n")[0]:
            raise ConnectionError(repr(head))
        self.socket = context.wrap_socket(tunnel, server_hostname=host)

    def send(self, request: bytes) -> None:
        self.socket.sendall(request)

    def receive(self, expected: bytes) -> bytes:
        """A whole answer with a Content-Length; `expected` must stand in its head."""
        data = self._some()
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._some()
        head = data[:end]
        length = _LENGTH.search(head)
        if length is None or expected not in head:
            raise RuntimeError(f"expected {expected!r} in the head of {data!r}")
        while len(data) < end + 4 + int(length[1]):
            data += self._some()
        return data

    def first_byte_s(self, request: bytes, expected: bytes) -> float:
        """Seconds from sending a request to the first byte of its stream, which is read whole."""
        started = time.perf_counter()
        self.send(request)
        data = self._some()
        took = time.perf_counter() - started
        while not data.endswith(b"0\r\n\r\n"):
            data += self._some()
        if expected not in data.partition(b"\r\n\r\n")[0]:
            raise RuntimeError(f"expected {expected!r} in the head of {data!r}")
        return took

    def whole_s(self, request: bytes, expected: bytes) -> float:
        """Seconds from sending a request to the last byte of its answer."""
        started = time.perf_counter()
        self.send(request)
        data = bytearray(self._some())
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._some()
        head = bytes(data[:end])
        length = _LENGTH.search(head)
        size = None if length is None else end + 4 + int(length[1])
        while not data.endswith(b"0\r\n\r\n") if size is None else len(data) < size:
            data += self._some()
        took = time.perf_counter() - started
        if expected not in head:
            raise RuntimeError(f"expected {expected!r} in {head!r}")
        return took

    def certificate(self) -> bytes | None:
        """In DER, of whoever is at the other end of the TLS."""
        return self.socket.getpeercert(binary_form=True)

    def close(self) -> None:
        self.socket.close()

    def _some(self) -> bytes:
        data = self.socket.recv(65536)
        if not data:
            raise ConnectionError("the proxy has hung up")
        return data


def answers_per_second(
    connections: Sequence[Connection], request: bytes, expected: bytes, seconds: float
) -> float:
    """A closed loop: each connection asks again as soon as it is answered."""
    with selectors.DefaultSelector() as ready:
        for connection in connections:
            ready.register(connection.socket, selectors.EVENT_READ, connection)
            connection.send(request)
        answers = 0
        started = now = time.perf_counter()
        while now < started + seconds:
            for key, _ in ready.select(TIMEOUT_S):
                key.data.receive(expected)
                key.data.send(request)
                answers += 1
            now = time.perf_counter()
        for connection in connections:
            connection.receive(expected)
    return answers / (now - started)
