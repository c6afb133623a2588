"""How late the event loop is: `asyncio.sleep(0.001)` beside sixteen tasks that ask.

Two programs that differ in one line, `khazad.init()`: in the one without it every call goes to
the fake provider. What is late in both is the share of the machine, of httpx and of asyncio.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from bench.ground import Ground
from bench.measure import Result, Target, in_turns, percentile
from bench.peer import questions, server, sides, stub
from bench.peer.sides import PATIENT, Kind, Make, Side

TASKS = 16
TICK_S = 0.001
UPSTREAM_DELAY_S = 0.05
TARGET = Target("at most", 5)
BARE: Kind = "uncached"

# Pauses of the tasks between two calls. With the first one they make some 100 calls a second; with
# none sixteen calls are always on their way, and the processors have no time left.
PAUSES_S = {"pausing": 0.1, "never pausing": 0.0}
# More than are made: a paraphrase that came twice would be an exact hit.
MOST_PER_S = 1_200


def lag(ground: Ground, rounds: int, seconds: float) -> Iterator[Result]:
    """Of ours, against the same program without a cache."""
    with (
        server.running(ground.folder) as redis,
        stub.running() as upstream,
        sides.running(
            (BARE, "ours"), Make(), upstream, redis.url, ground.folder, **PATIENT
        ) as by_kind,
    ):
        sides.learn(by_kind["ours"], upstream, questions.known())
        yield from of(by_kind, upstream, questions.paraphrases(), rounds, seconds)


def of(
    by_kind: Mapping[Kind, Side],
    upstream: stub.Stub,
    paraphrases: Iterator[str],
    rounds: int,
    seconds: float,
) -> Iterator[Result]:
    """Half of the calls repeat a question, a quarter are paraphrases, a quarter are new."""
    mixed = _mixed(paraphrases, questions.unknown())
    upstream.delay_s = UPSTREAM_DELAY_S
    for load, pause_s in PAUSES_S.items():
        most = int((TASKS / pause_s if pause_s else MOST_PER_S) * seconds) + TASKS
        # Every program is asked the same, and in each round something else.
        bodies = [list(itertools.islice(mixed, most)) for _ in range(rounds)]
        measures = {kind: _Lag(side, bodies, pause_s, seconds) for kind, side in by_kind.items()}
        p99 = in_turns(rounds, measures)
        bare = measures[BARE]
        for kind in by_kind:
            if kind == BARE:
                continue
            subject = f"{load}, {'ours' if kind == 'ours' else 'khazad 0.1.3'}"
            target = TARGET if kind == "ours" else None
            note = (
                f"{TASKS} tasks; {measures[kind].calls_per_s:.0f} calls/s,"
                f" {bare.calls_per_s:.0f} uncached"
            )
            p50 = measures[kind].p50_ms
            yield Result(f"lag p50, {subject}", BARE, "ms", p50, bare.p50_ms, "difference")
            yield Result(f"lag p99, {subject}", BARE, "ms", p99[kind], p99[BARE], "difference")
            yield Result(f"lag p99, {subject}", "", "ms", p99[kind], (), "value", target, note)
    upstream.delay_s = 0.0


class _Lag:
    """Measures the 99th percentile of a round, and keeps the rest."""

    def __init__(self, side: Side, bodies: list[list[str]], pause_s: float, seconds: float) -> None:
        self._side = side
        self._bodies = iter(bodies)
        self._pause_s = pause_s
        self._seconds = seconds
        self.p50_ms: list[float] = []
        self.calls: list[int] = []

    def __call__(self) -> float:
        asked = next(self._bodies)
        said = self._side.do(
            "lag",
            bodies=asked,
            tasks=TASKS,
            pause_s=self._pause_s,
            tick_s=TICK_S,
            seconds=self._seconds,
        )
        if said["calls"] > len(asked):
            raise RuntimeError("paraphrases have come twice")
        self.p50_ms.append(percentile(said["late_ms"], 50))
        self.calls.append(said["calls"])
        return percentile(said["late_ms"], 99)

    @property
    def calls_per_s(self) -> float:
        return percentile(self.calls, 50) / self._seconds


def _mixed(paraphrases: Iterator[str], unknown: Iterator[str]) -> Iterator[str]:
    for first, second in itertools.cycle(itertools.pairwise(questions.known())):
        yield from (first, next(paraphrases), second, next(unknown))
