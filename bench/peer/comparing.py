"""What is measured of both libraries, in turns: hits, throughput, a stampede, a stopped Redis."""

from __future__ import annotations

import itertools
import statistics
import time
from collections.abc import Callable, Iterator, Mapping

from bench.measure import Result, Target, in_turns, percentile
from bench.peer import questions
from bench.peer.server import RedisServer
from bench.peer.sides import AllHits, Kind, Side, learn
from bench.peer.stub import Stub

YARDSTICK = "khazad 0.1.3"
CALLERS = 100
# As an LLM takes; every caller is there long before the first answer.
STAMPEDE_DELAY_S = 2.0
OUTAGE_CALLS = 20
OUTAGE_LIMIT_S = 30.0
BACK_WITHIN_S = 30.0
UPSTREAM_DELAY_S = 0.1

Sides = Mapping[Kind, Side]


class Wordings:
    """Paraphrases that a side has not been asked yet; the same ones in the same order for all."""

    def __init__(self) -> None:
        self._left = {kind: questions.paraphrases() for kind in ("ours", "original")}

    def take(self, kind: Kind, count: int) -> list[str]:
        taken = list(itertools.islice(self._left[kind], count))
        if len(taken) < count:
            raise RuntimeError("there are no more wordings; ask for fewer rounds")
        return taken


def latencies(
    sides: Sides, stub: Stub, wordings: Wordings, rounds: int, calls: int
) -> Iterator[Result]:
    """Milliseconds of one call that is a hit, blocking, one after the other."""
    bodies = {
        "exact": lambda _: list(itertools.islice(itertools.cycle(questions.known()), calls)),
        "paraphrase": lambda kind: wordings.take(kind, calls),
    }
    bounds = {"exact": 10.0, "paraphrase": 2.0}
    p99: dict[str, list[float]] = {f"{tier} {kind}": [] for tier in bodies for kind in sides}

    def asking(tier: str, kind: Kind) -> Callable[[], float]:
        def measure() -> float:
            asked = bodies[tier](kind)
            with AllHits(sides[kind], stub):
                took = sides[kind].do("ask", bodies=asked)
            p99[f"{tier} {kind}"].append(percentile(took, 99))
            return statistics.median(took)

        return measure

    p50 = in_turns(
        rounds, {f"{tier} {kind}": asking(tier, kind) for tier in bodies for kind in sides}
    )
    for tier, bound in bounds.items():
        for name, took, target in (
            ("p50", p50, Target("at least", bound)),
            ("p99", p99, None),
        ):
            ours, theirs = took[f"{tier} ours"], took[f"{tier} original"]
            yield Result(f"{tier} hit, {name}", YARDSTICK, "ms", ours, theirs, "speedup", target)


def throughput(
    sides: Sides, stub: Stub, wordings: Wordings, rounds: int, seconds: float
) -> Iterator[Result]:
    """Hits a second of threads and of tasks."""
    for tier, most, ways in (
        ("exact", 0, (("threads", 1), ("threads", 16), ("tasks", 1), ("tasks", 16), ("tasks", 64))),
        # More wordings than can be served in that time, so that none comes twice.
        ("paraphrase", int(seconds * 700), (("threads", 1), ("threads", 16), ("tasks", 16))),
    ):
        rates: dict[str, tuple[float, ...]] = {}
        for way, count in ways:

            def rate(kind: Kind, way: str = way, count: int = count, most: int = most) -> float:
                bodies = wordings.take(kind, most) if most else questions.known()
                arguments = {"bodies": bodies, way: count, "seconds": seconds}
                with AllHits(sides[kind], stub):
                    per_second: float = sides[kind].do(f"by_{way}", **arguments)
                if most and per_second * seconds > most:
                    raise RuntimeError("paraphrases have come twice")
                return per_second

            took = in_turns(rounds, {kind: lambda kind=kind: rate(kind) for kind in sides})
            many = f"{count} {way}" if count > 1 else f"1 {way[:-1]}"
            rates[many] = took["ours"]
            yield Result(
                f"{tier} hits, {many}", YARDSTICK, "hits/s", took["ours"], took["original"]
            )
        yield Result(
            f"our {tier} hits, 16 threads",
            "our 1 thread",
            "hits/s",
            rates["16 threads"],
            rates["1 thread"],
            note="threads of one Python share one interpreter; what scales is what lets go of it",
        )


def misses(sides: Sides, stub: Stub, rounds: int, seconds: float) -> Iterator[Result]:
    """Misses a second by threads, which wait for the upstream and should not for each other."""
    unknown = {kind: questions.unknown() for kind in sides}

    def rate(kind: Kind, threads: int) -> float:
        most = int(threads * seconds / UPSTREAM_DELAY_S) + threads
        bodies = list(itertools.islice(unknown[kind], most))
        per_second: float = sides[kind].do(
            "by_threads", bodies=bodies, threads=threads, seconds=seconds
        )
        return per_second

    stub.delay_s = UPSTREAM_DELAY_S
    took = in_turns(
        rounds,
        {
            f"{threads} {kind}": lambda kind=kind, threads=threads: rate(kind, threads)
            for threads in (1, 16)
            for kind in sides
        },
    )
    stub.delay_s = 0.0
    for kind, whose in (("ours", "our"), ("original", "its")):
        yield Result(
            f"{whose} misses, 16 threads",
            f"{whose} 1 thread",
            "misses/s",
            took[f"16 {kind}"],
            took[f"1 {kind}"],
            note=f"the upstream takes {UPSTREAM_DELAY_S * 1e3:.0f} ms; 16 x is all there is",
        )


def stampede(sides: Sides, stub: Stub, rounds: int) -> Iterator[Result]:
    """Calls of the upstream for one question that many ask for the first time, together."""
    unknown = {kind: itertools.islice(questions.unknown(), 5_000, None) for kind in sides}
    for way in ("threads", "tasks"):

        def calls(kind: Kind, way: str = way) -> float:
            before = stub.calls
            sides[kind].do(f"at_once_by_{way}", body=next(unknown[kind]), callers=CALLERS)
            return stub.calls - before

        stub.delay_s = STAMPEDE_DELAY_S
        took = in_turns(rounds, {kind: lambda kind=kind: calls(kind) for kind in sides})
        stub.delay_s = 0.0
        yield Result(
            f"upstream calls, {CALLERS} {way} at once",
            YARDSTICK,
            "calls",
            took["ours"],
            took["original"],
            "value",
            Target("at most", 1),
            f"the same new question from each; the upstream takes {STAMPEDE_DELAY_S:.0f} s",
        )


def outage(sides: Sides, stub: Stub, redis: RedisServer) -> Iterator[Result]:
    """Calls of known questions while Redis is stopped (SIGSTOP), and after it goes on."""
    first, later, answered, back = (dict.fromkeys(sides, 0.0) for _ in range(4))
    for kind, side in sides.items():
        learn(side, stub, questions.known())
        asked = questions.known()[:OUTAGE_CALLS]
        with redis.stopped():
            took = side.do("ask_for", bodies=asked, limit_s=OUTAGE_LIMIT_S)
        answered[kind] = len(took)
        # What has not returned took the limit at least.
        first[kind] = took[0] if took else OUTAGE_LIMIT_S * 1e3
        later[kind] = statistics.median(took[1:]) if took[1:] else OUTAGE_LIMIT_S * 1e3
        back[kind] = _until_a_hit(side, stub)
    limit = f"{OUTAGE_LIMIT_S:.0f} s"
    for subject, unit, by_kind, note in (
        ("Redis stopped: the first call", "ms", first, f"{limit} at most: it is left alone then"),
        ("Redis stopped: later calls, median", "ms", later, f"{limit} where there were none"),
        (f"Redis stopped: answered of {OUTAGE_CALLS}", "calls", answered, f"within {limit}"),
        ("Redis goes on: until the first hit", "s", back, ""),
    ):
        ours, theirs = [by_kind["ours"]], [by_kind["original"]]
        yield Result(subject, YARDSTICK, unit, ours, theirs, "value", note=note)


def _until_a_hit(side: Side, stub: Stub) -> float:
    """Seconds until a known question is answered without asking anybody."""
    started = time.monotonic()
    while time.monotonic() - started < BACK_WITHIN_S:
        before = stub.calls
        side.do("ask", bodies=questions.known()[:1])
        if stub.calls == before:
            return time.monotonic() - started
    raise RuntimeError(f"{side.kind}: no hit within {BACK_WITHIN_S:.0f} s of Redis' return")
