"""Record real exchanges through the proxy, take the upstream away, and replay every one of them.

    python -m bench.fixtures --corpus ../shared/corpus/dev.jsonl.gz --tools ../shared/tools

The corpus and the tools that serve it are not part of this project: where they are not there, this
says so and ends. Printed are, in per cent, how many exchanges were served from the cassette and how
many of these were the bytes the upstream had sent; how many connections the proxy made meanwhile,
as the kernel saw it (`strace`, where it is there); whether a second recording left the files as
they were; and how long 1,000 recordings take to load. Exit status 1 where any of it is not as it
should be.
"""

from __future__ import annotations

import argparse
import hashlib
import http.client
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bench import machine

CHECKOUT = Path(__file__).resolve().parent.parent
ADDON = CHECKOUT / "khazad_mitm" / "addon.py"
MITMDUMP = Path(sys.executable).with_name("mitmdump")
START_S = 60.0
TIMEOUT_S = 20.0


@dataclass(frozen=True, slots=True)
class Got:
    """An answer as a client sees it, content codings undone."""

    status: int
    media: str
    body: bytes
    cache_status: str


class Client:
    """Asks through the proxy, one connection to each host."""

    def __init__(self, proxy_port: int, ca: Path) -> None:
        self._proxy_port = proxy_port
        self._context = ssl.create_default_context(cafile=str(ca))
        self._open: dict[tuple[str, str], http.client.HTTPConnection] = {}

    def ask(self, method: str, url: str, headers: dict[str, str], body: bytes) -> Got:
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection = self._connection(parts.scheme, parts.netloc)
        whole = target if parts.scheme == "https" else f"http://{parts.netloc}{target}"
        connection.putrequest(method, whole, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", parts.netloc)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        data = response.read()
        if response.headers.get("content-encoding") in ("gzip", "deflate"):
            data = zlib.decompress(data, 47)
        return Got(
            response.status,
            response.headers.get("content-type", ""),
            data,
            response.headers.get("cache-status", ""),
        )

    def _connection(self, scheme: str, netloc: str) -> http.client.HTTPConnection:
        found = self._open.get((scheme, netloc))
        if found is not None:
            return found
        made: http.client.HTTPConnection
        if scheme == "https":
            made = http.client.HTTPSConnection(
                "127.0.0.1", self._proxy_port, timeout=TIMEOUT_S, context=self._context
            )
            host, _, port = netloc.partition(":")
            made.set_tunnel(host, int(port or 443))
        else:
            made = http.client.HTTPConnection("127.0.0.1", self._proxy_port, timeout=TIMEOUT_S)
        self._open[scheme, netloc] = made
        return made


@dataclass(frozen=True, slots=True)
class Ground:
    work: Path
    tools: Path
    corpus: Path
    cassette: Path

    @property
    def ca(self) -> Path:
        return self.work / "confdir" / "mitmproxy-ca-cert.pem"


@contextmanager
def upstream(ground: Ground) -> Iterator[int]:
    port = _free_port()
    command = [sys.executable, str(ground.tools / "upstream.py"), "--corpus", str(ground.corpus)]
    with _started([*command, "--port", str(port)], ground.work / "upstream.log", port):
        yield port


@contextmanager
def proxy(
    ground: Ground, mode: str, upstream_port: int, trace: Path | None = None
) -> Iterator[int]:
    port = _free_port()
    options = {
        "confdir": str(ground.work / "confdir"),
        "khazad_cassette": str(ground.cassette),
        "khazad_record": mode,
        "corpus_upstream": f"127.0.0.1:{upstream_port}",
        "ssl_insecure": "true",
    }
    command = [str(MITMDUMP), "-q", "--listen-host", "127.0.0.1", "--listen-port", str(port)]
    command += ["-s", str(ADDON), "-s", str(ground.tools / "redirect_addon.py")]
    for name, value in options.items():
        command += ["--set", f"{name}={value}"]
    if trace is not None:
        command = ["strace", "-f", "-qq", "-e", "trace=connect", "-o", str(trace), *command]
    with _started(command, ground.work / f"proxy-{mode}.log", port):
        while not ground.ca.exists():
            time.sleep(0.05)
        yield port


@contextmanager
def _started(command: Sequence[str], log: Path, port: int) -> Iterator[None]:
    with log.open("ab") as sink:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink, start_new_session=True
        )
    try:
        until = time.monotonic() + START_S
        while time.monotonic() < until and process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        else:
            raise SystemExit(f"{command[0]} did not start:\n{log.read_text()[-2000:]}")
        yield
    finally:
        # The group of its own: strace passes no signal on to what it traces.
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(TIMEOUT_S)


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ask_all(exchanges: Sequence[dict[str, Any]], headers: Any, client: Client) -> list[Got]:
    return [
        client.ask(one["request"]["method"], one["request"]["url"], headers(one), one["_req"])
        for one in exchanges
    ]


def digest_of(tree: Path) -> str:
    whole = hashlib.blake2b()
    for path in sorted(tree.rglob("*")):
        whole.update(f"{path.relative_to(tree)}\0".encode() + path.read_bytes())
    return whole.hexdigest()


def load_s(cassette: Path, work: Path, count: int) -> tuple[int, float, float]:
    """How many of the first `count` recordings were loaded, the seconds that took, and those of a
    core: a busy machine makes the two differ. In a process of its own, each the median of 3."""
    part = work / "part"
    part.mkdir()
    paths = sorted(path for path in cassette.iterdir() if path.suffix == ".yaml")[:count]
    for path in cassette.iterdir():
        if path in paths or path.suffix != ".yaml":
            shutil.copy(path, part)
    program = (
        "import sys, time; from pathlib import Path;"
        "from khazad_mitm.record.cassette import Cassette;"
        "started, used = time.perf_counter(), time.process_time();"
        "Cassette.open(Path(sys.argv[1]));"
        "print(time.perf_counter() - started, time.process_time() - used)"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", program, str(part)],
            cwd=CHECKOUT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout.split()
        for _ in range(3)
    ]
    took, used = (sorted(float(run[which]) for run in runs)[1] for which in (0, 1))
    return len(paths), took, used


def connections(trace: Path) -> list[str]:
    """Connections to anything but a file's socket, as strace has seen them."""
    return [line for line in trace.read_text().splitlines() if "AF_INET" in line]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m bench.fixtures")
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--tools", type=Path, required=True)
    parser.add_argument("--keep", type=Path, help="leave the cassette here")
    args = parser.parse_args(argv)
    if not args.corpus.is_file() or not (args.tools / "upstream.py").is_file():
        print(f"not run: {args.corpus} or {args.tools} is not there")
        return 0
    sys.path.insert(0, str(args.tools))
    exchanges = import_module("upstream").load([str(args.corpus)])
    headers = import_module("cases").headers
    for name, fact in machine.facts().items():
        print(f"{name}: {fact}")
    with tempfile.TemporaryDirectory(prefix="khazad-fixtures-") as folder:
        work = Path(folder)
        ground = Ground(work, args.tools, args.corpus, args.keep or work / "cassette")
        return measure(ground, exchanges, headers)


def measure(ground: Ground, exchanges: Sequence[dict[str, Any]], headers: Any) -> int:
    with upstream(ground) as port, proxy(ground, "once", port) as through:
        recorded = ask_all(exchanges, headers, Client(through, ground.ca))
    before = digest_of(ground.cassette)
    files = list(ground.cassette.iterdir())
    size = sum(path.stat().st_size for path in files)
    print(f"recorded    {len(exchanges)} exchanges, {len(files)} files, {size / 1e6:.1f} MB")

    trace = ground.work / "trace" if shutil.which("strace") else None
    with proxy(ground, "none", _free_port(), trace) as through:
        replayed = ask_all(exchanges, headers, Client(through, ground.ca))
    pairs = list(zip(recorded, replayed, strict=True))
    served = [live.status == got.status and "hit" in got.cache_status for live, got in pairs]
    same = [
        (live.status, live.media, live.body) == (got.status, got.media, got.body)
        for live, got in pairs
    ]
    scrubbed = [b"SCRUBBED" in got.body for _, got in pairs]
    good = [one or other for one, other in zip(same, scrubbed, strict=True)]
    print(f"served      {100 * sum(served) / len(served):.2f} %")
    print(
        f"identical   {100 * sum(same) / len(same):.2f} %,"
        f" {sum(s and not i for s, i in zip(scrubbed, same, strict=True))} others scrubbed"
    )
    for one, fine, (live, got) in zip(exchanges, good, pairs, strict=True):
        if not fine or "hit" not in got.cache_status:
            print(f"  {one['id']} {one['provider']} {one['kind']}: {live.status} -> {got.status}")
    made = [] if trace is None else connections(trace)
    print(f"connections {'not seen: no strace here' if trace is None else len(made)}")

    with upstream(ground) as port, proxy(ground, "all", port) as through:
        ask_all(exchanges, headers, Client(through, ground.ca))
    is_same = digest_of(ground.cassette) == before
    print(f"again       {'the same files' if is_same else 'OTHER FILES'}")

    count, seconds, used = load_s(ground.cassette, ground.work, 1000)
    print(
        f"loading     {count} recordings in {seconds:.2f} s, {used:.2f} s of a core (medians of 3)"
    )
    return 0 if all(served) and all(good) and not made and is_same else 1


if __name__ == "__main__":
    sys.exit(main())
