"""Real proxies in processes of their own: mitmdump with the addon, and the lean engine."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from tests.end_to_end.clients import Client
from tests.end_to_end.upstream import WAIT_S, Upstream
from tests.servers import until

CHECKOUT = Path(__file__).resolve().parents[2]
ADDON = CHECKOUT / "khazad_mitm" / "addon.py"
REDIRECT = Path(__file__).with_name("redirect.py")
MITMDUMP = Path(sys.executable).with_name("mitmdump")

# What starts reads megabytes, and the model; other tests do so at the same time.
START_S = 60.0

# Nothing by meaning, nothing outside the process: what is tested is the proxy.
SETTINGS = {"redis_url": "memory", "mode": "exact", "store_deadline_ms": "2000"}


class Proxy:
    """A running proxy. `Client`s of it trust its certificate and the upstream's."""

    def __init__(
        self, command: list[str], folder: Path, upstream: Upstream, pythonpath: str = str(CHECKOUT)
    ) -> None:
        self.ca = folder / "confdir" / "mitmproxy-ca-cert.pem"
        self.upstream = upstream
        self.log: list[str] = []
        self._listens = threading.Event()
        self.port = 0
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=folder,
            env={**environment(folder), "PYTHONPATH": pythonpath},
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.log.append(line.rstrip())
            found = re.search(r"listening at [^ ]*:(\d+)\.", line)
            if found:
                self.port = int(found[1])
                self._listens.set()
        self._listens.set()

    def wait(self) -> Proxy:
        """Until it listens. A page of its own says that everything is loaded."""
        assert self._listens.wait(START_S), "\n".join(self.log)
        assert self.port, "\n".join(self.log)
        try:
            assert 200 == self.page("/health")[0]
        except OSError as error:
            raise AssertionError("\n".join(self.log)) from error
        return self

    def client(self, host: str = "api.openai.com", port: int = 443) -> Client:
        return Client(self.port, host, port, trusted=(self.ca, self.upstream.authority.ca))

    def page(self, path: str, method: str = "GET") -> tuple[int, dict[str, Any]]:
        """A page of the magic host."""
        with Client(self.port, "khazad.internal", 80) as client:
            response = client.send_plain(method, path)
            return response.status, json.loads(response.body)

    def wait_until(self, **counts: int) -> None:
        """Until the statistics say so: storing happens after the answer."""

        def are_reached(stats: dict[str, Any]) -> bool:
            return all(stats[name] >= count for name, count in counts.items())

        self._wait_for(are_reached, f"never {counts}")

    def unkept(self, reason_part: str) -> None:
        """Until an answer was let go for a reason."""

        def is_among(stats: dict[str, Any]) -> bool:
            return any(reason_part in reason for reason in stats["unkept"])

        self._wait_for(is_among, f"not let go as {reason_part}")

    def _wait_for(self, condition: Callable[[dict[str, Any]], bool], complaint: str) -> None:
        try:
            until(lambda: condition(self.page("/stats")[1]), START_S)
        except AssertionError as error:
            told = "\n".join([complaint, str(self.page("/stats")[1]), *self.log])
            raise AssertionError(told) from error

    def ended(self) -> int:
        """Wait for the process to end by itself; its exit status."""
        status = self._process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        return status

    def stop(self) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            self._process.wait(WAIT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(WAIT_S)
        self._reader.join(WAIT_S)
        assert self._process.stdout is not None
        self._process.stdout.close()


def mitmdump(
    folder: Path,
    upstream: Upstream,
    *arguments: str,
    settings: Mapping[str, str] = SETTINGS,
    addon: Path = ADDON,
    pythonpath: str = "",
    program: Path = MITMDUMP,
) -> Proxy:
    """`mitmdump -s khazad_mitm/addon.py`, every host led to `upstream`."""
    given = ("--listen-port", "0", *arguments)
    command = command_of(program, folder, upstream, *given, settings=settings, addon=addon)
    return Proxy(command, folder, upstream, pythonpath)


def command_of(
    program: Path,
    folder: Path,
    upstream: Upstream,
    *arguments: str,
    settings: Mapping[str, str] = SETTINGS,
    addon: Path = ADDON,
) -> list[str]:
    """One of mitmproxy's programs with the addon."""
    options = [f"khazad_{name}={value}" for name, value in settings.items()]
    options += [
        f"confdir={folder / 'confdir'}",
        f"redirect_to={upstream.port}",
        f"ssl_verify_upstream_trusted_ca={upstream.authority.ca}",
    ]
    command = [str(program), "--listen-host", "127.0.0.1"]
    command += ["-s", str(addon), "-s", str(REDIRECT), *arguments]
    for option in options:
        command += ["--set", option]
    return command


def engine(folder: Path, upstream: Upstream, settings: Mapping[str, str] = SETTINGS) -> Proxy:
    """The lean engine, every host led to `upstream`."""
    arguments = {
        "listen_port": 0,
        "confdir": str(folder / "confdir"),
        "extra_options": {"ssl_verify_upstream_trusted_ca": str(upstream.authority.ca)},
    }
    command = [sys.executable, "-m", "tests.end_to_end.serve", str(upstream.port)]
    command += [json.dumps(dict(settings)), json.dumps(arguments)]
    return Proxy(command, folder, upstream)


def environment(folder: Path) -> dict[str, str]:
    """Ours, without settings and proxies of whoever runs the tests."""
    ours = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("KHAZAD_") and not name.lower().endswith("_proxy")
    }
    folders = {name: str(folder) for name in ("XDG_DATA_HOME", "XDG_STATE_HOME", "XDG_RUNTIME_DIR")}
    return {**ours, **folders, "PYTHONUNBUFFERED": "1"}
