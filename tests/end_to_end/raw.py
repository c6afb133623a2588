"""HTTP/1 by hand, for clients and upstreams that do what no library does."""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tests.end_to_end.clients import CHAT, HEADERS
from tests.end_to_end.upstream import WAIT_S


def head(method: str = "POST", path: str = CHAT, version: str = "1.1", **fields: object) -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: api.openai.com"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in {**HEADERS, **fields}.items()]
    return "\r\n".join([*lines, "", ""]).encode()


def read_head(connection: socket.socket) -> str:
    """Up to the empty line."""
    read = b""
    while not read.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        assert byte, read
        read += byte
    return read.decode("latin-1")


def read_to_end(connection: socket.socket) -> bytes:
    read = b""
    while data := connection.recv(65536):
        read += data
    return read


def read_until(connection: socket.socket, end: bytes) -> bytes:
    read = b""
    while not read.endswith(end):
        data = connection.recv(65536)
        assert data, read
        read += data
    return read


def read_request(connection: socket.socket) -> None:
    """Head and body: who hangs up on unread bytes resets the connection."""
    found = re.search(r"content-length: (\d+)", read_head(connection).lower())
    left = int(found[1]) if found else 0
    while left:
        data = connection.recv(left)
        assert data, left
        left -= len(data)


@contextmanager
def listening(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server on loopback for one connection; its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)

        def accept() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.settimeout(WAIT_S)
                serve(connection)

        thread = threading.Thread(target=accept)
        thread.start()
        yield listener.getsockname()[1]
        thread.join(WAIT_S)
