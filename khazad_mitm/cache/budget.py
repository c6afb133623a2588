"""How often is a pool of requests answered wrongly by meaning, at most? Pure statistics.

A *candidate* is a question whose best neighbour the guards have let pass: it would be answered by
that neighbour if the threshold were no higher than their similarity. Candidates are counted in
bands of similarity, those that were served apart from the others, and with them how many were
*checked* against a fresh answer and how many of those were *wrong*. `upper_bound` says how wrong
those above a threshold are at most, `threshold` where a pool may be opened for a given budget.

Nothing is assumed of how the chance to be wrong depends on similarity or time. For a negative
size s, exp(s * wrong - sum ln(1 - q + q e^s)) is a martingale of mean one at the true chances q;
the sum is greatest where all are equal, so the statistic at their mean lies below it, a mixture
over sizes does too, and Ville's inequality bounds it at all times at once (Howard et al. 2021;
Waudby-Smith and Ramdas 2024). docs/budget.md has the proof.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
"""With which a bound holds, for one pool, at all thresholds and at every moment."""

LOWEST = 0.50
WIDTH = 0.025
BANDS = 20
"""Of similarity from LOWEST to 1: fixed, so that counts of different settings add up."""

SLOTS = 2 * BANDS
"""The bands of what was not served, all of which goes upstream and is checked; then those of what
was served, of which a share is."""

# Evidence older than two windows of so many checks is forgotten: what a pool is asked may change.
WINDOW = 5_000

# What was saved while little was served wrongly may be spent on the next of what is served: a
# quarter as much as was, or so many times the answers that would make one wrong one; and never on
# a threshold that is worse than so many budgets.
AHEAD_OF_SERVED = 0.25
AHEAD = 20
MOST_SPENT = 2.0
# Of the number of wrong ones that were found: what was not checked is taken for so much worse.
_STANDARD_ERRORS = 1.0

# So many of the first that are served are all checked, or so many times the answers that would
# make one wrong one; then fewer and fewer, as the inverse of what was. With less the bound would
# soon exceed the budget, the pool be closed, and the upstream asked just as often.
FIRST_CHECKS = 500
FIRST_FOR_ONE_WRONG = 10

# A pool that goes bad must not live on its good past. The doubt (Shiryaev and Roberts' statistic)
# grows with each wrong answer and reaches this once in so many checks, on average and at the
# least, while the rate is within the budget.
MOST_DOUBT = 10_000.0
SUSPECTED = 10.0
"""Times the budget: the rate that the doubt looks out for."""

# The confidence is shared out over the thresholds that may be looked at.
_ALLOWED = math.log(BANDS / (1 - CONFIDENCE))
# Small ones tell rates apart that are nearly the budget, large ones know soon that none is wrong.
_SIZES = tuple(-0.1 * 1.7**step for step in range(9))
_STEPS = 25


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of the candidates of one slot, or of several."""

    candidates: int = 0
    checked: int = 0
    wrong: int = 0


@dataclass(frozen=True, slots=True)
class Earned:
    """What the evidence allows of a pool."""

    at: float
    """The threshold, a cosine."""
    share: float = 0.0
    """Of what is served, the part that is to be checked."""


EMPTY = (Tally(),) * SLOTS


def band_of(similarity: float) -> int:
    """The band of a similarity; those below LOWEST belong to the first."""
    # A similarity at an edge is of the band above, and 0.3 / 0.025 is less than 12.
    return min(BANDS - 1, max(0, math.floor((similarity - LOWEST) / WIDTH + 1e-9)))


def slot_of(similarity: float, was_served: bool) -> int:
    """Where a candidate is counted."""
    return band_of(similarity) + (BANDS if was_served else 0)


def edge_of(band: int) -> float:
    """The least similarity of a band."""
    return round(LOWEST + band * WIDTH, 4)


def above(slots: Sequence[Tally], similarity: float) -> tuple[Tally, Tally]:
    """The candidates from `similarity` on: those that were not served, and those that were."""
    band = band_of(similarity)
    return _sum(slots[band:BANDS]), _sum(slots[BANDS + band :])


def threshold(slots: Sequence[Tally], budget: float, lowest: float) -> float | None:
    """The lowest threshold that keeps what is served within the budget; None: there is none.

    Not below `lowest`, and on the edges of bands only.
    """
    allowed = next_rate(slots, budget)
    first = band_of(lowest)
    if edge_of(first) < lowest:
        first += 1
    for band in range(first, BANDS):
        if _excludes(above(slots, edge_of(band)), allowed):
            return edge_of(band)
    return None


def next_rate(slots: Sequence[Tally], budget: float) -> float:
    """How wrong what is served next may be, so that it is within the budget with what was."""
    served = _sum(slots[BANDS:])
    ahead = max(AHEAD_OF_SERVED * served.candidates, AHEAD / budget)
    left = budget * (served.candidates + ahead) - _spent(served)
    return min(MOST_SPENT * budget, left / ahead)


def share(slots: Sequence[Tally], budget: float, least: float) -> float:
    """Of what is served next, the part to be checked; `least` is the user's, 0 for never."""
    if not least:
        return 0.0
    checked = sum(tally.checked for tally in slots[BANDS:])
    first = max(FIRST_CHECKS, FIRST_FOR_ONE_WRONG / budget)
    return max(least, min(1.0, first / max(1, checked)))


def upper_bound(groups: Sequence[Tally]) -> float:
    """Of the candidates of these groups, two at most, the share that is wrong at most.

    1 where there are none. Of a group, what was checked must be a fair sample.
    """
    if not _excludes(groups, 1.0):
        return 1.0
    low, high = _seen(groups), 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        low, high = (low, middle) if _excludes(groups, middle) else (middle, high)
    return high


def doubted(wrong: bool, budget: float) -> float:
    """By what the doubt in a pool is multiplied (after 1 was added) when it was checked."""
    suspected = min(0.5, SUSPECTED * budget)
    if suspected <= budget:
        return 1.0
    return suspected / budget if wrong else (1 - suspected) / (1 - budget)


def _sum(tallies: Sequence[Tally]) -> Tally:
    return Tally(
        sum(tally.candidates for tally in tallies),
        sum(tally.checked for tally in tallies),
        sum(tally.wrong for tally in tallies),
    )


def _spent(served: Tally) -> float:
    """Of what was served, how many were wrong, and a little more where not all were checked."""
    unseen = max(0, served.candidates - served.checked)
    if not unseen:
        return served.wrong
    margin = _STANDARD_ERRORS * math.sqrt(served.wrong + 1) + _STANDARD_ERRORS**2 / 2
    return served.wrong + unseen * min(1.0, (served.wrong + margin) / max(1, served.checked))


def _seen(groups: Sequence[Tally]) -> float:
    """The share of wrong ones as it looks; those of which none was checked are all wrong."""
    total = sum(tally.candidates for tally in groups)
    wrong = sum(t.candidates * (t.wrong / t.checked if t.checked else 1.0) for t in groups)
    return wrong / total if total else 1.0


def _excludes(groups: Sequence[Tally], rate: float) -> bool:
    """Are the candidates of these groups together less often wrong than `rate`?"""
    groups = [tally for tally in groups if tally.candidates]
    total = sum(tally.candidates for tally in groups)
    if not total or _seen(groups) >= rate:
        return False
    if len(groups) == 1:
        return _evidence_against(groups, [rate]) > _ALLOWED
    # The worst way to share the wrong ones out among the two: a convex function of one number.
    one, other = groups
    low = max(0.0, (rate * total - other.candidates) / one.candidates)
    high = min(1.0, rate * total / one.candidates)

    def against(first: float) -> float:
        second = (rate * total - first * one.candidates) / other.candidates
        return _evidence_against(groups, [first, min(1.0, max(0.0, second))])

    # Equally wrong is one way: most thresholds need no other to be refused.
    if against(rate) <= _ALLOWED:
        return False
    for _ in range(_STEPS):
        third = (high - low) / 3
        if against(low + third) < against(high - third):
            high -= third
        else:
            low += third
    return against((low + high) / 2) > _ALLOWED


def _evidence_against(groups: Sequence[Tally], rates: Sequence[float]) -> float:
    """The logarithm of the statistic, were these the mean chances of each group's candidates."""
    # One mixture of the groups' products, and not a product of mixtures, which would pay twice
    # for not knowing the best size.
    found = [
        sum(_wealth(size, tally, rate) for tally, rate in zip(groups, rates, strict=True))
        for size in _SIZES
    ]
    most = max(found)
    return most + math.log(sum(math.exp(one - most) for one in found) / len(found))


def _wealth(size: float, tally: Tally, rate: float) -> float:
    # Each is checked by a toss of this chance: what is bounded is the mean of all, not only of
    # those it fell on.
    share = min(1.0, tally.checked / tally.candidates)
    return size * tally.wrong - tally.candidates * math.log(1 + share * rate * math.expm1(size))
