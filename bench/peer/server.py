"""A Redis 8 on a TCP port, from the embedded server's binary; it can be stopped for a while."""

from __future__ import annotations

import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.proxies import free_port, stop
from khazad_mitm.store.embedded_files import redis_server

START_S = 10.0


@dataclass(frozen=True, slots=True)
class RedisServer:
    url: str
    process: subprocess.Popen[bytes]

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """It keeps its connections, and the kernel accepts more of them, but it answers nothing."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


@contextmanager
def running(folder: Path) -> Iterator[RedisServer]:
    """One without persistence. Its files lie in `folder`."""
    port = free_port()
    options = ("--bind", "127.0.0.1", "--save", "", "--logfile", "redis-tcp.log")
    command = [str(redis_server(folder)), "--port", str(port), "--dir", str(folder), *options]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        until = time.monotonic() + START_S
        while not _answers(port):
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"no Redis on port {port}: see {folder}/redis-tcp.log")
            time.sleep(0.01)
        yield RedisServer(f"redis://127.0.0.1:{port}", process)
    finally:
        stop(process)


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1.0) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16).startswith(b"+PONG")
    except OSError:
        return False
