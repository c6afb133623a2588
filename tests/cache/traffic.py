"""Made-up traffic for the budget: candidates with a similarity, wrong with a known chance."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from khazad_mitm.cache import budget
from khazad_mitm.cache.budget import EMPTY, MOST_DOUBT, WINDOW, Earned, Tally

Rate = Callable[[float], float]
"""The chance that a candidate of this similarity is wrong."""


@dataclass
class Pool:
    """A pool as the store keeps it, and what was served from it."""

    budget: float
    lowest: float = 0.70
    share: float = 0.1
    """Of what is served, the part that is checked in the long run."""
    slots: list[Tally] = field(default_factory=lambda: list(EMPTY))
    before: Sequence[Tally] = EMPTY
    doubt: float = 0.0
    earned: Earned | None = None
    served: list[bool] = field(default_factory=list)
    """Of each candidate that was served: was it wrong?"""
    asked: int = 0

    def ask(self, similarity: float, wrong: bool, coin: float) -> bool:
        """Was it checked?"""
        self.asked += 1
        is_served = self.earned is not None and similarity >= self.earned.at
        if is_served:
            self.served.append(wrong)
        is_checked = self.earned is None or not is_served or coin < self.earned.share
        slot = budget.slot_of(similarity, is_served)
        tally = self.slots[slot]
        self.slots[slot] = replace(
            tally,
            candidates=tally.candidates + 1,
            checked=tally.checked + is_checked,
            wrong=tally.wrong + (is_checked and wrong),
        )
        if not is_checked:
            return False
        if is_served:
            self.doubt = (self.doubt + 1) * budget.doubted(wrong, self.budget)
        if self.doubt >= MOST_DOUBT:
            self.slots, self.before, self.doubt = list(EMPTY), EMPTY, 0.0
        if sum(tally.checked for tally in self.slots) >= WINDOW:
            self.slots, self.before = list(EMPTY), tuple(self.slots)
        # As when it is kept: a wrong answer counts at once, others now and then.
        if wrong or self.asked % 100 == 0:
            at = budget.threshold(self.known, self.budget, self.lowest)
            share = budget.share(self.known, self.budget, self.share)
            self.earned = None if at is None else Earned(at, share)
        return True

    @property
    def threshold(self) -> float | None:
        return None if self.earned is None else self.earned.at

    @property
    def known(self) -> list[Tally]:
        return [
            Tally(a.candidates + b.candidates, a.checked + b.checked, a.wrong + b.wrong)
            for a, b in zip(self.slots, self.before, strict=True)
        ]


def similarities(chance: random.Random) -> float:
    """More of them far than near, as real questions are."""
    return min(0.999, 0.70 + 0.30 * chance.betavariate(1.2, 2.0))


def run(pool: Pool, chance: random.Random, rate: Rate, candidates: int) -> None:
    for _ in range(candidates):
        similarity = similarities(chance)
        pool.ask(similarity, chance.random() < rate(similarity), chance.random())


def run_known(
    pool: Pool, chance: random.Random, rate: Rate, candidates: int, *, known: int, refutes: bool
) -> None:
    """So many pairs meet again and again; with `refutes` none again that was found to be wrong."""
    drawn = [similarities(chance) for _ in range(known)]
    pairs = [(similarity, chance.random() < rate(similarity)) for similarity in drawn]
    for _ in range(candidates):
        pair = chance.choice(pairs)
        is_checked = pool.ask(*pair, chance.random())
        if refutes and is_checked and pair[1]:
            pairs.remove(pair)


def falling(at_lowest: float, steepness: float = 25.0) -> Rate:
    """Right where alike, and the more often wrong the less alike."""
    return lambda similarity: min(1.0, at_lowest * 2.718281828 ** (-steepness * (similarity - 0.7)))
