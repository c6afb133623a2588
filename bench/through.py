"""Through a proxy: hits, the first byte of a streamed miss, tunnels that are none of our business.

All proxies of a benchmark run at the same time and only one of them is asked at any moment; an
idle proxy uses no CPU.
"""

from __future__ import annotations

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
from bench.measure import CONTROL, Result, Target, in_turns
from bench.proxies import Proxy

CONNECTIONS = 8
WARM_UP_S = 0.5
SETTLE_S = 0.02
SETTLE_LONG_S = 0.5


def hits(ground: Ground, rounds: int, seconds: float) -> Iterator[Result]:
    """Answers per second, against an addon that answers from memory."""
    question = conversation.body(conversation.QUESTION)
    request = conversation.wire(question)
    kinds = ("canned addon", "mitmdump -s", "serve")
    with (
        primed.cache() as cache,
        provider(ground) as upstream,
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
        yield Result(
            f"exact hit through {kind}",
            "canned-answer addon",
            "hits/CPU s",
            loads[kind].per_cpu_s,
            loads["canned addon"].per_cpu_s,
            note="not judged; steadier than the above where others use the CPU too",
        )


def first_byte(ground: Ground, rounds: int) -> Iterator[Result]:
    """Milliseconds to the first byte of a stream that nobody has asked for before."""
    kinds = ("tee addon", "mitmdump -s")
    with (
        primed.cache(),  # started here, not by a proxy: on the CPUs of everything else
        provider(ground) as upstream,
        proxies.running(ground, kinds, upstream) as by_kind,
    ):
        questions = conversation.unlike_questions()

        def asking(
            kind: str, expected: bytes, follows: bool = False, **more: Any
        ) -> Callable[[], float]:
            connection = _connect(by_kind[kind], ground)

            def measure() -> float:
                before = next(questions) if follows else ""
                request = _asked(next(questions), before=before, stream=True, **more)
                took = connection.first_byte_s(request, expected)
                # Ours stores the answer now, on the CPU that the next turn is measured on.
                time.sleep(SETTLE_S)
                return took * 1e3

            return measure

        subjects = {
            "tee": asking("tee addon", b" 200 "),
            "ours": asking("mitmdump -s", b"fwd=miss"),
            "tee again": asking("tee addon", b" 200 ", n=2),
            # Two choices are never compared by meaning.
            "exact only": asking("mitmdump -s", b"exact-only", n=2),
            "tee later": asking("tee addon", b" 200 ", follows=True),
            "later": asking("mitmdump -s", b"fwd=miss", follows=True),
        }
        in_turns(10, subjects)  # the first ones open connections, and wait for the model
        took = in_turns(rounds, subjects)
    tee, again = took["tee"], took["tee again"]
    within = Target("at most", 1)
    yield Result(
        "first byte of a streamed miss",
        "bare tee addon",
        "ms",
        took["ours"],
        tee,
        "difference",
        within,
        "the question is embedded and compared before it goes upstream",
    )
    yield Result(
        "first byte, exact only",
        "bare tee addon",
        "ms",
        took["exact only"],
        again,
        "difference",
        within,
        "nothing to embed",
    )
    yield Result(
        "first byte, second turn",
        "bare tee addon",
        "ms",
        took["later"],
        took["tee later"],
        "difference",
        within,
        "of a conversation that nobody had: nothing to compare with, so nothing to embed",
    )
    yield Result("again", "bare tee addon", "ms", again, tee, "difference", note=CONTROL)


def long_answers(ground: Ground, rounds: int) -> Iterator[Result]:
    """Milliseconds to the last byte of a stream of 4,000 events and of a body of 10 MB."""
    kinds = ("tee addon", "mitmdump -s")
    with (
        primed.cache(),
        provider(ground) as upstream,
        proxies.running(ground, kinds, upstream) as by_kind,
    ):
        questions = conversation.unlike_questions()

        def asking(kind: str, expected: bytes, **more: Any) -> Callable[[], float]:
            connection = _connect(by_kind[kind], ground)

            def measure() -> float:
                asked = conversation.body(next(questions), conversation.LONG, n=2, **more)
                took = connection.whole_s(conversation.wire(asked), expected)
                # Ours reads and stores the answer now, on the CPU of the next turn.
                time.sleep(SETTLE_LONG_S)
                return took * 1e3

            return measure

        subjects = {
            "tee stream": asking("tee addon", b" 200 ", stream=True),
            "our stream": asking("mitmdump -s", b"fwd=miss", stream=True),
            "tee body": asking("tee addon", b" 200 "),
            "our body": asking("mitmdump -s", b"fwd=miss"),
        }
        in_turns(2, subjects)
        took = in_turns(rounds, subjects)
    for name, label in (("stream", "4,000 events"), ("body", "10 MB of JSON")):
        yield Result(
            f"{label}, to the last byte",
            "bare tee addon",
            "ms",
            took[f"our {name}"],
            took[f"tee {name}"],
            target=Target("at most", 1.05),
            note="read and stored after it has passed",
        )


def tunnels(ground: Ground, rounds: int, seconds: float) -> Iterator[Result]:
    """TLS of hosts that are none of ours, against a mitmdump that ignores all hosts."""
    request = conversation.wire(conversation.body(conversation.QUESTION))
    kinds = ("ignore-hosts", "mitmdump -s", "serve")
    with (
        primed.cache(),
        provider(ground) as port,
        proxies.running(ground, kinds, port) as by_kind,
    ):

        def connect(proxy: Proxy) -> Connection:
            connection = _connect(proxy, ground, "localhost", port)
            if connection.certificate() != ground.certificate_der:
                raise RuntimeError(f"{proxy.name} has opened the TLS of localhost")
            return connection

        def anew(proxy: Proxy) -> Callable[[], float]:
            def measure() -> float:
                opened, started, before = 0, time.perf_counter(), proxy.cpu_s()
                while time.perf_counter() - started < seconds:
                    connection = connect(proxy)
                    connection.send(request)
                    connection.receive(b" 200 ")
                    connection.close()
                    opened += 1
                return opened / (proxy.cpu_s() - before)

            return measure

        loads = {
            kind: _Load(
                proxy, [connect(proxy) for _ in range(CONNECTIONS)], request, b" 200 ", seconds
            )
            for kind, proxy in by_kind.items()
        }
        rates = in_turns(rounds, loads)
        took_anew = in_turns(rounds, {kind: anew(proxy) for kind, proxy in by_kind.items()})
    target, stock = Target("at least", 0.95), "mitmdump --ignore-hosts '.*'"
    for kind in ("mitmdump -s", "serve"):
        ours, theirs = loads[kind], loads["ignore-hosts"]
        yield Result(
            f"tunnel through {kind}",
            stock,
            "trips/CPU s",
            ours.per_cpu_s,
            theirs.per_cpu_s,
            target=target,
        )
        yield Result(
            f"tunnel through {kind}",
            stock,
            "trips/s",
            rates[kind],
            rates["ignore-hosts"],
            note=f"not judged where the client is what is slow; busy: {ours.busy}, {theirs.busy}",
        )
        yield Result(
            f"new tunnels through {kind}",
            stock,
            "/CPU s",
            took_anew[kind],
            took_anew["ignore-hosts"],
            target=target,
            note="CONNECT, TLS handshake and one answer",
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
        self.per_cpu_s: list[float] = []
        """Answers per second of the proxy's CPU time, turn by turn: less what the client takes."""
        self._ask(WARM_UP_S)

    def __call__(self) -> float:
        before, started = self._proxy.cpu_s(), time.perf_counter()
        per_second = self._ask(self._seconds)
        share = (self._proxy.cpu_s() - before) / (time.perf_counter() - started)
        self._shares.append(share)
        self.per_cpu_s.append(per_second / share)
        return per_second

    @property
    def busy(self) -> str:
        """CPU time of the proxy per second of load: the client held it up where this is low."""
        return f"{statistics.median(self._shares):.0%}"

    def _ask(self, seconds: float) -> float:
        return answers_per_second(self._connections, self._request, self._expected, seconds)


def _asked(text: str, **more: Any) -> bytes:
    return conversation.wire(conversation.body(text, **more))


def _connect(
    proxy: Proxy, ground: Ground, host: str = conversation.HOST, port: int = 443
) -> Connection:
    return Connection(proxy.port, host, port, ground.client)


@contextmanager
def provider(ground: Ground, module: str = "bench.upstream") -> Iterator[int]:
    """The port of a fake provider."""
    command = [sys.executable, "-m", module, str(ground.certificate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        with process.stdout as output:
            yield int(output.readline())
    finally:
        proxies.stop(process)
