"""Through a proxy: hits, the first byte of a streamed miss, tunnels that are none of our business.

All proxies of a benchmark run at the same time and only one of them is asked at any moment; an
idle proxy uses no CPU.
"""

from __future__ import annotations

import itertools
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from bench import conversation, primed, proxies
from bench.ground import Ground
from bench.load import Connection, answers_per_second
from bench.measure import Result, Target, in_turns
from bench.proxies import Proxy

CONNECTIONS = 8
WARM_UP_S = 0.5


def hits(ground: Ground, rounds: int, seconds: float) -> Iterator[Result]:
    """Answers per second, against an addon that answers from memory."""
    question = conversation.body(conversation.QUESTION)
    request = conversation.wire(question)
    kinds = ("canned addon", "mitmdump -s", "serve")
    with (
        primed.cache() as cache,
        _upstream(ground) as upstream,
        proxies.running(ground, kinds, upstream) as by_kind,
    ):
        primed.teach(cache, question)
        primed.settled(cache)
        loads = {
            kind: _Load(
                proxy,
                [_connect(proxy, ground) for _ in range(CONNECTIONS)],
                request,
                b" 200 " if kind == "canned addon" else b"khazad; hit",
                seconds,
            )
            for kind, proxy in by_kind.items()
        }
        took = in_turns(rounds, loads)
    canned = took["canned addon"]
    for kind, bound in (("serve", 1.5), ("mitmdump -s", 0.8)):
        busy = f"busy: {loads[kind].busy}, canned addon {loads['canned addon'].busy}"
        yield Result(
            f"exact hit through {kind}",
            "canned-answer addon",
            "hits/s",
            took[kind],
            canned,
            target=Target("at least", bound),
            note=busy,
        )


def first_byte(ground: Ground, rounds: int) -> Iterator[Result]:
    """Milliseconds to the first byte of a stream that nobody has asked for before."""
    kinds = ("tee addon", "mitmdump -s")
    with (
        primed.cache(),  # started here, not by a proxy: on the CPUs of everything else
        _upstream(ground) as upstream,
        proxies.running(ground, kinds, upstream) as by_kind,
    ):
        tee, ours = (_connect(by_kind[kind], ground) for kind in kinds)
        count = itertools.count()

        def question() -> bytes:
            # Another number is another question, however alike the two are.
            return _asked(f"What did order {next(count)} cost?", stream=True)

        def opaque() -> bytes:
            # What asks for two choices is never compared by meaning.
            return _asked(f"What did order {next(count)} cost?", stream=True, n=2)

        def by(connection: Connection, make: Callable[[], bytes]) -> Callable[[], float]:
            return lambda: connection.first_byte_s(make()) * 1e3

        subjects = {
            "tee": by(tee, question),
            "ours": by(ours, question),
            "opaque tee": by(tee, opaque),
            "opaque ours": by(ours, opaque),
        }
        in_turns(10, subjects)  # warm: the first misses wait for the model to be read
        took = in_turns(rounds, subjects)
    within = Target("at most", 1)
    yield Result(
        "first byte of a streamed miss",
        "bare tee addon",
        "ms",
        took["ours"],
        took["tee"],
        "difference",
        within,
        "embeds the question and looks for its like before it goes upstream",
    )
    yield Result(
        "first byte, nothing to embed",
        "bare tee addon",
        "ms",
        took["opaque ours"],
        took["opaque tee"],
        "difference",
        within,
    )


def tunnels(ground: Ground, rounds: int, seconds: float) -> Iterator[Result]:
    """TLS of hosts that are none of ours, against a mitmdump that ignores all hosts."""
    request = conversation.wire(conversation.body(conversation.QUESTION))
    kinds = ("ignore-hosts", "mitmdump -s", "serve")
    with (
        primed.cache(),
        _upstream(ground) as port,
        proxies.running(ground, kinds, port) as by_kind,
    ):

        def kept(proxy: Proxy) -> _Load:
            connections = [_connect(proxy, ground, "localhost", port) for _ in range(CONNECTIONS)]
            return _Load(proxy, connections, request, b" 200 ", seconds)

        def anew(proxy: Proxy) -> Callable[[], float]:
            def measure() -> float:
                opened, started = 0, time.perf_counter()
                while (took := time.perf_counter() - started) < seconds:
                    connection = _connect(proxy, ground, "localhost", port)
                    connection.send(request)
                    connection.receive(b" 200 ")
                    connection.close()
                    opened += 1
                return opened / took

            return measure

        loads = {kind: kept(proxy) for kind, proxy in by_kind.items()}
        took = in_turns(rounds, loads)
        took_anew = in_turns(rounds, {kind: anew(proxy) for kind, proxy in by_kind.items()})
    target = Target("at least", 0.95)
    for kind in ("mitmdump -s", "serve"):
        yield Result(
            f"tunnel through {kind}",
            "mitmdump --ignore-hosts '.*'",
            "trips/s",
            took[kind],
            took["ignore-hosts"],
            target=target,
            note=f"busy: {loads[kind].busy}, mitmdump {loads['ignore-hosts'].busy}",
        )
        yield Result(
            f"new tunnels through {kind}",
            "mitmdump --ignore-hosts '.*'",
            "tunnels/s",
            took_anew[kind],
            took_anew["ignore-hosts"],
            target=target,
            note="CONNECT, TLS handshake and one answer, one after another",
        )


class _Load:
    """A closed loop over connections that stay open, and how busy the proxy was meanwhile."""

    def __init__(
        self,
        proxy: Proxy,
        connections: Sequence[Connection],
        request: bytes,
        expected: bytes,
        seconds: float,
    ) -> None:
        self._proxy = proxy
        self._connections = connections
        self._request = request
        self._expected = expected
        self._seconds = seconds
        self._shares: list[float] = []
        self._ask(WARM_UP_S)

    def __call__(self) -> float:
        before, started = self._proxy.cpu_s(), time.perf_counter()
        answers = self._ask(self._seconds)
        after, took = self._proxy.cpu_s(), time.perf_counter() - started
        if before is not None and after is not None:
            self._shares.append((after - before) / took)
        return answers

    @property
    def busy(self) -> str:
        """CPU time of the proxy per second of load: the client held it up where this is low."""
        return f"{statistics.median(self._shares):.0%}" if self._shares else "unknown"

    def _ask(self, seconds: float) -> float:
        return answers_per_second(self._connections, self._request, self._expected, seconds)


def _asked(text: str, **more: Any) -> bytes:
    return conversation.wire(conversation.body(text, **more))


def _connect(
    proxy: Proxy, ground: Ground, host: str = conversation.HOST, port: int = 443
) -> Connection:
    return Connection(proxy.port, host, port, ground.client_context())


@contextmanager
def _upstream(ground: Ground) -> Iterator[int]:
    """The port of a fake provider."""
    command = [sys.executable, "-m", "bench.upstream", str(ground.certificate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with process.stdout as output:
            yield int(output.readline())
    finally:
        proxies.stop(process)
