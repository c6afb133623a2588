"""Does a proxy grow with what has passed through it? 20,000 flows, and two HTTP/2 connections.

    .venv/bin/python -m bench.memory [--flows 20000] [--requests 10000] [--kind serve]

Prints the resident memory after each tenth. Everything that may grow until it is full is filled in
the first tenths. Each question is asked five times, one of them as a stream, and the store holds
600 (`max_entries`): what is asked anew is kept, evicts and is evicted. Connections are opened anew
every hundred requests.
"""

from __future__ import annotations

import argparse
import json
import ssl
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h2.config
import h2.connection
import h2.events

from bench import conversation, machine, primed, proxies
from bench.ground import Ground, cpus, ground, keep_to
from bench.load import Connection
from bench.through import provider

HOST = "localhost"
CONNECTIONS = 8
REQUESTS_EACH = 100
TIMES = 5
QUESTIONS = 3_000
MOST_ENTRIES = 600
TENTHS = 10
# What glibc gives back late, and mitmproxy's certificates: far below what 20,000 flows would hold.
FLAT_MB = 8.0


def bodies() -> Iterator[bytes]:
    """Questions by turns, each several times."""
    number = 0
    texts = conversation.unlike_questions()
    known: list[str] = []
    while True:
        if len(known) < QUESTIONS:
            known.append(next(texts))
        text = known[number % len(known)]
        asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}]}
        yield json.dumps({**asked, "stream": True}).encode()
        for _ in range(TIMES - 1):
            yield json.dumps(asked).encode()
        number += 1


def head(body: bytes, port: int) -> bytes:
    fields = [("Host", f"{HOST}:{port}"), *conversation.HEADERS[1:]]
    lines = [f"{name}: {value}" for name, value in fields]
    lines += [f"Content-Length: {len(body)}", "", ""]
    return f"POST {conversation.PATH} HTTP/1.1\r\n".encode() + "\r\n".join(lines).encode()


def resident_mb(pid: int) -> float:
    """RuntimeError where there is no /proc (not Linux)."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except FileNotFoundError:
        raise RuntimeError("memory of a process is read from /proc: Linux only") from None
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:")) / 1024


def flows(proxy: proxies.Proxy, port: int, context: ssl.SSLContext) -> Callable[[int], None]:
    """Sends so many requests, over connections that come and go."""
    asked = bodies()
    open_: list[Connection] = []
    sent = 0

    def send(count: int) -> None:
        nonlocal sent
        for _ in range(count):
            if sent % (CONNECTIONS * REQUESTS_EACH) == 0:
                while open_:
                    open_.pop().close()
                open_.extend(
                    Connection(proxy.port, HOST, port, context) for _ in range(CONNECTIONS)
                )
            body = next(asked)
            open_[sent % CONNECTIONS].whole_s(head(body, port) + body, b"khazad")
            sent += 1

    return send


def one_connection(
    proxy: proxies.Proxy, port: int, context: ssl.SSLContext
) -> Callable[[int], None]:
    """Sends so many requests, all of them over one HTTP/2 connection."""
    asked = bodies()
    socket = Connection(proxy.port, HOST, port, context).socket
    if socket.selected_alpn_protocol() != "h2":
        raise RuntimeError("the proxy does not speak HTTP/2")
    speaker = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="latin-1"))
    speaker.initiate_connection()

    def send(count: int) -> None:
        for _ in range(count):
            body = next(asked)
            stream = speaker.get_next_available_stream_id()
            fields = [(":method", "POST"), (":scheme", "https"), (":path", conversation.PATH)]
            fields += [(":authority", f"{HOST}:{port}"), ("content-length", str(len(body)))]
            fields += [(name.lower(), value) for name, value in conversation.HEADERS[1:]]
            speaker.send_headers(stream, fields)
            speaker.send_data(stream, body, end_stream=True)
            is_over = False
            while not is_over:
                socket.sendall(speaker.data_to_send())
                for event in speaker.receive_data(socket.recv(65_536)):
                    if isinstance(event, h2.events.DataReceived):
                        length = event.flow_controlled_length or 0
                        speaker.acknowledge_received_data(length, event.stream_id or 0)
                    elif isinstance(event, h2.events.StreamEnded):
                        is_over = True
                    elif isinstance(event, (h2.events.StreamReset, h2.events.ConnectionTerminated)):
                        raise RuntimeError(repr(event))
            socket.sendall(speaker.data_to_send())

    return send


@contextmanager
def serving(ground: Ground, kind: str, upstream: int, mode: str) -> Iterator[proxies.Proxy]:
    primed.SETTINGS.update(hosts=HOST, max_entries=str(MOST_ENTRIES), mode=mode)
    port = proxies.free_port()
    if kind == "serve":
        command = [*proxies.serve(port, ground.confdir)]
        command += ["--set", f"ssl_verify_upstream_trusted_ca={ground.ca}"]
    else:
        command = proxies.mitmdump(port, ground, upstream, kind)
    log = ground.folder / "memory.log"
    with proxies.child(command, log) as process:
        proxy = proxies.Proxy(kind, port, process, log)
        proxies.wait_for(proxy)
        yield proxy


def measured(name: str, proxy: proxies.Proxy, send: Callable[[int], None], count: int) -> bool:
    """Print how much memory there is after each tenth; is it flat from the fourth on?"""
    print(f"-- {name}, through {proxy.name}", flush=True)
    series = []
    for tenth in range(1, TENTHS + 1):
        began = time.perf_counter()
        send(count // TENTHS)
        rate = count // TENTHS / (time.perf_counter() - began)
        series.append(resident_mb(proxy.process.pid))
        print(f"{tenth * count // TENTHS:>8,}{series[-1]:>9.1f} MB{rate:>9.0f}/s", flush=True)
    grown = series[-1] - series[3]
    verdict = "flat" if grown <= FLAT_MB else "GROWING"
    print(f"   {verdict}: {grown:+.1f} MB over the last {count * 6 // 10:,}\n", flush=True)
    return grown <= FLAT_MB


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.memory", description=__doc__)
    parser.add_argument("--flows", type=int, default=20_000)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--http2", type=int, default=10_000, help="the same, to HTTP/2 upstream")
    parser.add_argument("--kind", choices=("serve", "mitmdump -s"), action="append")
    parser.add_argument(
        "--mode", default="cache", help="exact: without embedding; ten times as fast"
    )
    args = parser.parse_args()
    for name, fact in machine.facts().items():
        print(f"{name}: {fact}")
    print()
    is_flat = True
    with (
        ground() as standing,
        provider(standing) as http1,
        provider(standing, "bench.upstream_h2") as http2,
    ):
        keep_to(cpus()[1])
        both = ssl.create_default_context(cafile=str(standing.ca))
        both.set_alpn_protocols(["h2", "http/1.1"])
        for kind in args.kind or ("serve", "mitmdump -s"):
            one = "one HTTP/2 connection, upstream"
            for name, count, make, context, upstream in (
                ("connections that come and go", args.flows, flows, standing.client, http1),
                (f"{one} HTTP/1", args.requests, one_connection, both, http1),
                (f"{one} HTTP/2", args.http2, one_connection, both, http2),
            ):
                if not count:
                    continue
                with serving(standing, kind, upstream, args.mode) as proxy:
                    is_flat &= measured(name, proxy, make(proxy, upstream, context), count)
    return 0 if is_flat else 1


if __name__ == "__main__":
    sys.exit(main())
