"""`khazad-mitm serve` as a process of its own, with its last words."""

from __future__ import annotations

import http.client
import json
import re
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.cli.programs import command, environ
from tests.end_to_end.upstream import WAIT_S, Upstream

# Several processes may be started, on a machine that has other things to do.
START_S = 60.0

PLAIN = ("--redis-url", "memory", "--mode", "exact", "--store-deadline-ms", "2000")


class Service:
    """Its ports by mode, the first one first."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.log: list[str] = []
        self.ports: dict[str, int] = {}
        self._is_told = threading.Event()
        self._lacks = max(1, sum(is_proxy_mode(argument) for argument in arguments))
        self.process = subprocess.Popen(
            command("serve", *arguments),
            env=environ(folder),
            cwd=folder,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def wait(self) -> Service:
        assert self._is_told.wait(START_S), self.log
        assert self.ports, self.log
        return self

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.log.append(line.rstrip())
            found = re.match(r"khazad-mitm listens on .*:(\d+) \((.*)\)", line)
            if found:
                self.ports.setdefault(found[2], int(found[1]))
                if len(self.ports) == self._lacks:
                    self._is_told.set()
        self._is_told.set()

    @property
    def port(self) -> int:
        return next(iter(self.ports.values()))

    def tell(self) -> None:
        """To end."""
        self.process.send_signal(signal.SIGTERM)

    def ended(self) -> int:
        """Wait until it has; its exit status."""
        status = self.process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        return status

    def stop(self) -> None:
        for told in (self.process.terminate, self.process.terminate, self.process.kill):
            if self.process.poll() is None:
                told()
                try:
                    self.process.wait(WAIT_S / 4)
                except subprocess.TimeoutExpired:
                    continue
        self._reader.join(WAIT_S)
        assert self.process.stderr is not None
        self.process.stderr.close()

    def page(self, path: str, port: int | None = None) -> dict[str, Any]:
        """A page of the magic host, asked as a load balancer does."""
        answer = ask(port or self.port, "GET", path, host="khazad.internal")
        return dict(json.loads(answer.body))


def is_proxy_mode(argument: str) -> bool:
    return argument.partition(":")[0].partition("@")[0] in (
        "regular",
        "socks5",
        "upstream",
        "reverse",
    )


@contextmanager
def free_port() -> Iterator[int]:
    """Held by a socket that does not listen, which others may share."""
    with socket.socket() as holder:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]


@contextmanager
def serving(folder: Path, upstream: Upstream, *arguments: str) -> Iterator[Service]:
    """On a free port; trusts `upstream`, which stands for OpenAI where a path says so."""
    given = ["--upstream-ca", str(upstream.authority.ca)]
    given += ["--provider", f"openai=https://127.0.0.1:{upstream.port}"]
    if "--listen" not in arguments:
        given += ["--listen", "127.0.0.1:0"]
    service = Service([*given, *arguments], folder)
    try:
        yield service.wait()
    finally:
        service.stop()


class Asked:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.body = response.read()
        self.cache_status = response.getheader("cache-status") or ""


def ask(port: int, method: str, target: str, body: bytes = b"", host: str = "") -> Asked:
    """One request, as if the proxy were the server."""
    headers = {"Content-Type": "application/json"} | ({"Host": host} if host else {})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=WAIT_S)
    try:
        connection.request(method, target, body or None, headers)
        return Asked(connection.getresponse())
    finally:
        connection.close()
