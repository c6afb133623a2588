"""The proxies that are compared, each in a process of its own, all kept to the same CPU."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import primed
from bench.ground import CHECKOUT, Ground, cpus, keep_to

START_S = 60.0
STOP_S = 20.0
POLL_S = 0.01

_MITMDUMP = Path(sys.executable).with_name("mitmdump")
_ADDONS = Path(__file__).with_name("addons")
_ADDON = CHECKOUT / "khazad_mitm" / "addon.py"

_TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Proxy:
    name: str
    port: int
    process: subprocess.Popen[Any]
    log: Path

    def cpu_s(self) -> float:
        """CPU time used so far, all threads. RuntimeError where there is no /proc (not Linux)."""
        try:
            fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        except FileNotFoundError:
            raise RuntimeError("CPU time of a process is read from /proc: Linux only") from None
        return (int(fields[11]) + int(fields[12])) / _TICKS_PER_S


def serve(port: int, confdir: Path) -> list[str]:
    """The command of `khazad-mitm serve`, with the settings of `primed`."""
    flags = [f"--{name.replace('_', '-')}={value}" for name, value in primed.SETTINGS.items()]
    command = [sys.executable, "-m", "khazad_mitm.cli", "serve", "--confdir", str(confdir)]
    return [*command, "--listen", f"127.0.0.1:{port}", *flags]


@contextmanager
def running(
    ground: Ground, kinds: Sequence[str], upstream_port: int
) -> Iterator[Mapping[str, Proxy]]:
    """Proxies by kind (the keys of `_arguments`, and `serve`), ready for requests."""
    with ExitStack() as stack:
        started = {}
        for kind in kinds:
            port = free_port()
            if kind == "serve":
                command = serve(port, ground.confdir)
            else:
                command = mitmdump(port, ground, upstream_port, kind)
            log = ground.folder / f"{kind.replace(' ', '-')}.log"
            process = stack.enter_context(child(command, log))
            started[kind] = Proxy(kind, port, process, log)
        for proxy in started.values():
            wait_for(proxy)
        yield started


@contextmanager
def child(command: list[str], log: Path) -> Iterator[subprocess.Popen[Any]]:
    """A process on the CPU for what is measured, ended at the end."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        keep_to(cpus()[0], process.pid)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def mitmdump(port: int, ground: Ground, upstream_port: int, kind: str) -> list[str]:
    # Quiet: printing every flow, as mitmdump would, costs what it prints beside and not us.
    command = [str(_MITMDUMP), "-q", "--listen-host", "127.0.0.1", "--listen-port", str(port)]
    options = {
        "confdir": str(ground.confdir),
        "ssl_verify_upstream_trusted_ca": str(ground.ca),
        "redirect_to": str(upstream_port),
    }
    sets = [part for name, value in options.items() for part in ("--set", f"{name}={value}")]
    return [*command, *sets, *_arguments(kind), "-s", str(_ADDONS / "redirect.py")]


def _arguments(kind: str) -> list[str]:
    match kind:
        case "mitmdump -s":
            sets = [f"khazad_{name}={value}" for name, value in primed.SETTINGS.items()]
            return ["-s", str(_ADDON), *(part for value in sets for part in ("--set", value))]
        case "canned addon":
            return ["-s", str(_ADDONS / "canned.py")]
        case "tee addon":
            return ["-s", str(_ADDONS / "tee.py")]
        case "ignore-hosts":
            return ["--ignore-hosts", ".*"]
        case _:
            raise ValueError(kind)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(proxy: Proxy) -> None:
    """Until it answers; ours listen a moment before their cache is there, and say when it is."""
    ask = b"GET http://khazad.internal/health HTTP/1.1\r\nHost: khazad.internal\r\n\r\n"
    until = time.monotonic() + START_S
    is_ours = proxy.name in ("serve", "mitmdump -s")
    while time.monotonic() < until and proxy.process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", proxy.port), timeout=1.0) as probe:
                if not is_ours:
                    return
                probe.sendall(ask)
                if b" 200 " in probe.recv(64):
                    return
        except OSError:
            pass
        time.sleep(POLL_S)
    raise RuntimeError(f"{proxy.name} does not start:\n{proxy.log.read_text()}")
