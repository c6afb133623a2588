"""What a threshold would have served of labelled pairs, and which one to take.

A false hit is a pair that does not mean the same and would have been served. Its share is counted
over the pairs that do not mean the same, and so does not depend on how many of each were given;
what is promised of it is an upper bound: Clopper and Pearson's exact one (Biometrika 26, 1934),
one-sided.

Thresholds are tried from the strictest down, and the first whose bound is too high ends the trial.
Tested in this order, fixed beforehand, the bound holds for the one that is taken, although several
were looked at (fixed sequence testing; Angelopoulos et al., "Learn then Test", arXiv 2110.01052).
That is so for pairs like those given: nobody can promise more of others.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

THRESHOLDS = tuple(hundredths / 100 for hundredths in range(99, 49, -1))
CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Scored:
    """A labelled pair as the cache sees it."""

    is_same: bool
    similarity: float | None
    """None: never compared by meaning, and so never served."""
    refused: str = ""
    """The guard that tells the two apart, the reason why they are not compared, or ""."""

    def is_served(self, threshold: float) -> bool:
        return not self.refused and self.similarity is not None and self.similarity >= threshold


@dataclass(frozen=True, slots=True)
class Row:
    """What one threshold would have done."""

    threshold: float
    hits: int
    """Pairs of the same meaning that would have been served."""
    same: int
    false_hits: int
    different: int
    false_hits_at_most: float
    """Upper bound of their share."""

    @property
    def recall(self) -> float:
        return self.hits / self.same if self.same else 0.0

    @property
    def false_hit_share(self) -> float:
        return self.false_hits / self.different if self.different else 0.0


def table(pairs: Sequence[Scored], confidence: float = CONFIDENCE) -> tuple[Row, ...]:
    """A row for each of `THRESHOLDS`, the strictest first."""
    same = [pair for pair in pairs if pair.is_same]
    different = [pair for pair in pairs if not pair.is_same]
    rows = []
    for threshold in THRESHOLDS:
        wrong = sum(pair.is_served(threshold) for pair in different)
        rows.append(
            Row(
                threshold,
                hits=sum(pair.is_served(threshold) for pair in same),
                same=len(same),
                false_hits=wrong,
                different=len(different),
                false_hits_at_most=upper_bound(wrong, len(different), confidence),
            )
        )
    return tuple(rows)


def proposed(rows: Sequence[Row], tolerated: float) -> Row | None:
    """The lowest threshold that is safe, as all stricter ones are; None: not even the first is."""
    best = None
    for row in rows:
        if row.false_hits_at_most > tolerated:
            break
        best = row
    return best


def pairs_needed(tolerated: float, confidence: float = CONFIDENCE) -> int:
    """How many pairs of different meaning it takes to promise this, if none of them is served."""
    return math.ceil(math.log(1 - confidence) / math.log(1 - tolerated))


@lru_cache(maxsize=1024)  # most thresholds of a table share their counts
def upper_bound(events: int, trials: int, confidence: float) -> float:
    """The share above which so few events would be less likely than 1 - confidence."""
    if events >= trials:
        return 1.0
    low, high = events / trials, 1.0
    for _ in range(50):  # each halves the gap: more than a float can tell
        middle = (low + high) / 2
        if _at_most(events, trials, middle) > 1 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(events: int, trials: int, share: float) -> float:
    """Probability of so many events or fewer (binomial), for a share of at least as many."""
    yes, no = math.log(share) if share else -math.inf, math.log1p(-share)
    ways = math.lgamma(trials + 1)
    total = 0.0
    # From the likeliest down: soon there is nothing to add.
    for count in range(events, -1, -1):
        log = ways - math.lgamma(count + 1) - math.lgamma(trials - count + 1)
        term = math.exp(log + (trials - count) * no + (count * yes if count else 0.0))
        total += term
        if term < total * 1e-12:
            break
    return total
