"""A real Redis 8 for tests, on a unix socket, from the binary of the `embedded` extra."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import redis

from khazad_mitm.store.embedded import serves
from khazad_mitm.store.embedded_files import redis_server as binary


def until(condition: Callable[[], Any], limit_s: float = 30.0) -> None:
    """Wait for something to become true; fail where it does not."""
    end = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


@dataclass
class RedisServer:
    socket: Path
    command: list[str]
    process: subprocess.Popen[bytes]

    @property
    def url(self) -> str:
        return f"unix://{self.socket}"

    def restart(self) -> None:
        """Kill it, and start it again with what it has written down."""
        self.process.kill()
        self.process.wait()
        self.process = subprocess.Popen(self.command, stdout=subprocess.DEVNULL)
        until(lambda: serves(self.socket))

    @contextmanager
    def client(self) -> Iterator[redis.Redis]:
        """A plain client, to look behind the store's back."""
        client = redis.Redis(unix_socket_path=str(self.socket), protocol=2)
        try:
            yield client
        finally:
            client.close()


@contextmanager
def running_redis(*options: str) -> Iterator[RedisServer]:
    """A server of one's own, without persistence unless `options` say so."""
    # Not pytest's tmp_path, which may be too long for a unix socket.
    with tempfile.TemporaryDirectory(prefix="khazad-") as folder:
        socket = Path(folder) / "redis.sock"
        command = [str(binary(Path(folder))), "--port", "0", "--unixsocket", str(socket)]
        command += ["--dir", folder, "--save", "", "--logfile", "redis.log", *options]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        server = RedisServer(socket, command, process)
        try:
            until(lambda: serves(socket))
            yield server
        finally:
            server.process.kill()
            server.process.wait()


@pytest.fixture(scope="session")
def redis_server() -> Iterator[RedisServer]:
    """One server for all tests; each takes a namespace of its own, or empties it."""
    with running_redis() as server:
        yield server
