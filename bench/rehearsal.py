"""The benchmark of the budget without a cache around it: many seeds in minutes.

    python -m bench.rehearsal --passes 32 --seeds 6 --budgets 0.01 0.05 --share 0.1 [--strangers]

The same questions, similarities and guards, and the cache's own counting, thresholds and pairs
over its memory store; no requests, answers or threads. A pair is wrong where the labels differ, and
which hit is checked is a toss. What is chosen is chosen here, and confirmed by `bench.budget` with
other seeds. Prints, for each budget and workload, means over the seeds, and the worst.
"""

from __future__ import annotations

import argparse
import random
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from bench.budget import (
    DATA,
    LOWEST,
    NEIGHBOURS,
    PROFILE,
    STREAMS,
    Count,
    Question,
    Vectors,
    read,
    shuffled,
)
from khazad_mitm.cache import budget, shadow, verify
from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import IsRefuted, Standing
from khazad_mitm.cache.shadow import Terms
from khazad_mitm.settings import PROFILES
from khazad_mitm.store.memory import MemoryStore

POOL = "p"


class Workload:
    """Who is near whom, nearest first, and whom the guards refuse."""

    def __init__(self, questions: list[Question], vectors: Vectors) -> None:
        self.questions = questions
        matrix = vectors([question.text for question in questions])
        self.near = [self._near(place, row) for place, row in enumerate(matrix @ matrix.T)]

    def _near(self, asked: int, row: Any) -> list[tuple[int, float, bool]]:
        order = [place for place in np.argsort(-row, kind="stable").tolist() if place != asked]
        found = []
        for stored in order:
            similarity = float(row[stored])
            if similarity < LOWEST:
                break
            near = verify.closeness(similarity, PROFILES[PROFILE])
            one, other = self.questions[stored].text, self.questions[asked].text
            vetoed = verify.veto(one, other, profile=PROFILE, near=near)
            found.append((stored, similarity, bool(vetoed)))
        return found

    def is_wrong(self, stored: int, asked: int) -> bool:
        return self.questions[stored].label != self.questions[asked].label


@dataclass
class Run:
    workload: Workload
    terms: Terms
    strangers: bool
    chance: random.Random
    store: MemoryStore = field(default_factory=lambda: MemoryStore(max_entries=1))
    stored: set[int] = field(default_factory=set)
    count: Count = field(default_factory=Count)

    def play(self, orders: list[list[int]]) -> Count:
        for order in orders:
            self.stored.clear()
            if self.strangers:
                self._forget_pairs()
            for asked in order:
                self._ask(asked)
        return self.count

    def _ask(self, asked: int) -> None:
        self.count.asked += 1
        candidate = self._candidate(asked)
        if candidate is None:
            self.stored.add(asked)
            return
        stored, similarity = candidate
        wrong = self.workload.is_wrong(stored, asked)
        earned: Earned = self.store.perform(Standing(POOL)) or shadow.CLOSED
        served = similarity >= earned.at
        checked = not served or self.chance.random() < earned.share
        if served:
            self.count.hits += 1
            self.count.wrong += wrong
            self._count(similarity, was_served=True, candidates=1)
        if checked:
            self._count(
                similarity,
                was_served=served,
                candidates=not served,
                checked=1,
                wrong=int(wrong),
                doubted=budget.doubted(wrong, self.terms.most_wrong) if served else 0.0,
                refuted=_pair(stored, asked) if wrong else "",
            )
        if not served or (checked and wrong):
            self.stored.add(asked)

    def _candidate(self, asked: int) -> tuple[int, float] | None:
        looked_at = 0
        for stored, similarity, vetoed in self.workload.near[asked]:
            if stored not in self.stored:
                continue
            if not vetoed and not self.store.perform(IsRefuted(POOL, _pair(stored, asked))):
                return stored, similarity
            looked_at += 1
            if looked_at == NEIGHBOURS:
                break
        return None

    def _count(self, similarity: float, **counted: Any) -> None:
        steps = shadow.count(POOL, similarity, self.terms, **counted)
        told: Any = None
        try:
            while True:
                told = self.store.perform(steps.send(told))  # type: ignore[arg-type]  # of a store
        except StopIteration:
            return

    def _forget_pairs(self) -> None:
        self.store._refuted = type(self.store._refuted)()


def _pair(one: int, other: int) -> str:
    # Spread over all places, as digests are.
    number = (min(one, other) * 100_003 + max(one, other)) * 0x9E3779B97F4A7C15
    return f"{number % 2**64:016x}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.rehearsal", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--passes", type=int, default=32)
    parser.add_argument("--seeds", type=int, default=6)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--strangers", action="store_true")
    parser.add_argument("--budgets", type=float, nargs="+", default=[0.01, 0.02, 0.03, 0.05])
    parser.add_argument("--share", type=float, default=0.1)
    args = parser.parse_args()
    if not args.data.is_dir():
        print(f"not run: there are no labelled streams at {args.data}", file=sys.stderr)
        return 0
    vectors = Vectors()
    seeds = range(args.first_seed, args.first_seed + args.seeds)
    for name in STREAMS:
        workload = Workload(read(args.data / f"stream_{name}.json.gz"), vectors)
        for most in args.budgets:
            terms = Terms(most, args.share, LOWEST)
            found = []
            for seed in seeds:
                run = Run(workload, terms, args.strangers, random.Random(seed))
                found.append(run.play(shuffled(workload.questions, args.passes, seed)))
            wrong = [count.wrong / max(1, count.hits) for count in found]
            over = sum(one > most for one in wrong)
            mean = sum(found, Count())
            print(f"{most}  {name:<10} {mean}; worst {max(wrong):.2%}, {over} of {len(seeds)} over")
            sys.stdout.flush()
    return 0


if __name__ == "__main__":
    sys.exit(main())
