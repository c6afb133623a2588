"""How late is each event of many streams? Through `serve`, which keeps it, and through a bare tee.

    .venv/bin/python -m bench.streams [--quick] [--rate 4000]

64 streams at a time, of 4,000 events each, of questions that nobody has asked before, over TLS on
both sides. A provider on loopback writes into each event when it sends it, and the client takes the
time when it has come. Events come at a pace that leaves the proxies time (`--rate`, of all streams
together): a proxy that is flooded is late without bound, and its client measures nothing else.
"""

from __future__ import annotations

import argparse
import selectors
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from bench import conversation, drip, machine, memory, primed, proxies, report
from bench.ground import Ground, cpus, ground, keep_to
from bench.load import TIMEOUT_S, Connection
from bench.measure import Result, Target, in_turns, percentile
from bench.proxies import Proxy
from bench.through import provider

STREAMS = 64
EVENTS = 4_000
RATE = 4_000.0
HOST = "localhost"
# A proxy that has used less than this of a processor for that long has kept all it was given.
AT_REST, REST_S = 0.02, 0.5
NO_PROXY = "no proxy"


class Receipts:
    """What has come of one stream, and how late each event was."""

    def __init__(self, expected: bytes) -> None:
        self._expected = expected
        self._head: bytes | None = None
        self._chunks = bytearray()
        self._text = bytearray()
        self.late_ms: list[float] = []
        self.is_over = False

    def feed(self, data: bytes, now_ns: int) -> None:
        """Raises RuntimeError where the answer is not the one expected."""
        self._chunks += data
        if self._head is None:
            head, end, rest = bytes(self._chunks).partition(b"\r\n\r\n")
            if not end:
                return
            if self._expected not in head:
                raise RuntimeError(f"expected {self._expected!r} in {head!r}")
            self._head, self._chunks = head, bytearray(rest)
        self._unchunk()
        end = 0
        for stamp in drip.STAMP.finditer(self._text):
            self.late_ms.append((now_ns - int(stamp[1])) / 1e6)
            end = stamp.end()
        del self._text[:end]

    def _unchunk(self) -> None:
        """RFC 9112 §7.1, without extensions and trailers: neither is sent here."""
        while (line := self._chunks.find(b"\r\n")) >= 0:
            size = int(self._chunks[:line], 16)
            begin, end = line + 2, line + 2 + size
            if len(self._chunks) < end + 2:
                return
            self._text += self._chunks[begin:end]
            del self._chunks[: end + 2]
            self.is_over |= not size


def listen(sockets: Sequence[ssl.SSLSocket], expected: bytes) -> list[list[float]]:
    """Until all streams are over: how late the events of each were, in milliseconds."""
    reading = {each: Receipts(expected) for each in sockets}
    with selectors.DefaultSelector() as ready:
        for each in sockets:
            each.setblocking(False)
            ready.register(each, selectors.EVENT_READ)
        while ready.get_map():
            events = ready.select(TIMEOUT_S)
            if not events:
                raise TimeoutError("nothing comes any more")
            for key, _ in events:
                each: ssl.SSLSocket = key.fileobj  # type: ignore[assignment,no-redef]
                _receive(each, reading[each])
                if reading[each].is_over:
                    ready.unregister(each)
    return [receipts.late_ms for receipts in reading.values()]


def _receive(source: ssl.SSLSocket, receipts: Receipts) -> None:
    while not receipts.is_over:
        try:
            data = source.recv(65_536)
        except ssl.SSLWantReadError:
            return
        if not data:
            raise ConnectionError("the proxy has hung up")
        receipts.feed(data, time.monotonic_ns())


class Streaming:
    """One round: the streams through one proxy, from the first event to the last."""

    def __init__(
        self,
        connect: Callable[[], ssl.SSLSocket],
        proxy: Proxy | None,
        bodies: Iterator[bytes],
        upstream: int,
        events: int,
    ) -> None:
        self._connect = connect
        self._proxy = proxy
        self._bodies = bodies
        self._upstream = upstream
        self._events = events
        self._expected = b"fwd=miss" if proxy is not None and proxy.name == "serve" else b" 200 "
        self.p50_ms: list[float] = []
        self.busy: list[float] = []
        """Of a processor, the proxy's."""
        self.client: list[float] = []

    def __call__(self) -> float:
        sockets = [self._connect() for _ in range(STREAMS)]
        began, ours, theirs = time.perf_counter(), time.process_time(), self._cpu_s()
        for each in sockets:
            body = next(self._bodies)
            each.sendall(memory.head(body, self._upstream) + body)
        late_ms = listen(sockets, self._expected)
        took = time.perf_counter() - began
        self.busy.append((self._cpu_s() - theirs) / took)
        self.client.append((time.process_time() - ours) / took)
        for each in sockets:
            each.close()
        if [self._events] * STREAMS != (came := [len(of_one) for of_one in late_ms]):
            raise RuntimeError(f"events were lost: {came}")
        # What is kept now is kept on the processor of the next turn.
        self._rest()
        everything = [late for of_one in late_ms for late in of_one]
        self.p50_ms.append(percentile(everything, 50))
        return percentile(everything, 99)

    def _cpu_s(self) -> float:
        return 0.0 if self._proxy is None else self._proxy.cpu_s()

    def _rest(self) -> None:
        used = -1.0
        while self._cpu_s() - used > AT_REST * REST_S:
            used = self._cpu_s()
            time.sleep(REST_S)


def bodies(events: int, every_s: float) -> Iterator[bytes]:
    """Another question for each stream, and the same pace in each turn."""
    for number, question in enumerate(conversation.unlike_questions()):
        yield drip.asked(question, events, every_s, number % STREAMS)


@contextmanager
def running(ground: Ground, upstream: int) -> Iterator[dict[str, Proxy]]:
    with (
        memory.serving(ground, "serve", upstream, "cache") as ours,
        proxies.running(ground, ("tee addon",), upstream) as others,
    ):
        yield {"serve": ours, **others}


def streams(ground: Ground, rounds: int, events: int, rate: float) -> Iterator[Result]:
    """How late events are, of ours against a tee, and against the harness alone."""
    with primed.cache(), provider(ground) as upstream, running(ground, upstream) as by_kind:
        connects: dict[str, Callable[[], ssl.SSLSocket]] = {
            kind: lambda proxy=proxy: (
                Connection(  # type: ignore[misc]
                    proxy.port, HOST, upstream, ground.client
                ).socket
            )
            for kind, proxy in by_kind.items()
        }
        connects[NO_PROXY] = lambda: ground.client.wrap_socket(
            socket.create_connection(("127.0.0.1", upstream)), server_hostname=HOST
        )
        # Questions go on from one to the next: what is asked through one is new to all.
        asked = bodies(events, STREAMS / rate)
        rounds_of = {
            kind: Streaming(connect, by_kind.get(kind), asked, upstream, events)
            for kind, connect in connects.items()
        }
        # Once will do: what the harness' own share is.
        none_p99 = rounds_of[NO_PROXY]()
        p99 = in_turns(rounds, {kind: rounds_of[kind] for kind in by_kind})
    ours, theirs, none = (rounds_of[kind] for kind in ("serve", "tee addon", NO_PROXY))
    client = statistics.median([*ours.client, *theirs.client])
    note = (
        f"{rate:,.0f} events/s; busy: serve {statistics.median(ours.busy):.0%}, tee"
        f" {statistics.median(theirs.busy):.0%}, client {client:.0%}"
    )
    yield Result("event late, p50, serve", "bare tee addon", "ms", ours.p50_ms, theirs.p50_ms)
    yield Result(
        "event late, p99, serve",
        "bare tee addon",
        "ms",
        p99["serve"],
        p99["tee addon"],
        target=Target("at most", 1.2),
        note=note,
    )
    yield Result("event late, p50, no proxy", "", "ms", none.p50_ms, compare="value")
    yield Result("event late, p99, no proxy", "", "ms", [none_p99], compare="value")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.streams", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer events, wider spreads")
    parser.add_argument("--events", type=int, default=EVENTS, help="of each stream")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=float, default=RATE, help="events a second, of all streams")
    args = parser.parse_args()
    for name, fact in machine.facts().items():
        print(f"{name}: {fact}")
    events = args.events // 10 if args.quick else args.events
    print(f"\n{report.header(f'{STREAMS} streams of {events:,} events')}", flush=True)
    with ground() as here:
        keep_to(cpus()[1])
        results = list(streams(here, args.rounds, events, args.rate))
    for result in results:
        print(report.row(result))
    print(f"\n{report.summary(results)}\n\nload average after: {machine.load()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
