"""How often is a pool of requests answered wrongly by meaning, at most? Pure statistics.

A *candidate* is a question whose best neighbour the guards have let pass: it would be answered by
that neighbour if the threshold were no higher than their similarity. Candidates are counted in
bands of similarity, and with them how many were *checked* against a fresh answer and how many of
those were *wrong*. `upper_bound` says how wrong the candidates above a threshold are at most,
`threshold` where a pool may be opened for a given budget.

Within a band every candidate has the same chance to be wrong, whatever share of them is checked
and however that share changes: so nothing has to be weighted by it. A beta-binomial mixture for
each band (Robbins 1970; Howard et al. 2021) is a martingale of mean one at the true rate, the
product over bands is another, and Ville's inequality bounds it at all times at once. The bound is
the worst mixture of rates that the product does not exclude. docs/budget.md has the proof.
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

# Most bands are almost always right: a mixture that expects it pays 0.7 nats for a band without a
# wrong answer in 600 checks, where Jeffreys' Beta(1/2, 1/2) pays 3.8. It holds for any choice.
PRIOR = (0.1, 1.0)

# Evidence older than two windows of so many checks is forgotten: what a pool is asked may change.
WINDOW = 5_000

# A pool that goes bad must not live on its good past. The doubt (Shiryaev and Roberts' statistic)
# grows with each wrong answer and reaches this once in so many checks, on average and at the
# least, while the rate is within the budget.
MOST_DOUBT = 1_000.0
SUSPECTED = 10.0
"""Times the budget: the rate that the doubt looks out for."""

# The confidence is shared out over the thresholds that may be looked at.
_ALLOWED = math.log(BANDS / (1 - CONFIDENCE))
_STEPS = 40


@dataclass(frozen=True, slots=True)
class Tally:
    """What is known of the candidates of one band."""

    candidates: int = 0
    checked: int = 0
    wrong: int = 0


EMPTY = (Tally(),) * BANDS


def band_of(similarity: float) -> int:
    """The band of a similarity; those below LOWEST belong to the first."""
    # A similarity at an edge is of the band above, and 0.3 / 0.025 is less than 12.
    return min(BANDS - 1, max(0, math.floor((similarity - LOWEST) / WIDTH + 1e-9)))


def edge_of(band: int) -> float:
    """The least similarity of a band."""
    return round(LOWEST + band * WIDTH, 4)


def threshold(bands: Sequence[Tally], budget: float, lowest: float) -> float | None:
    """The lowest threshold at which the bound is within the budget; None: at none.

    Not below `lowest`, and on the edges of bands only.
    """
    first = band_of(lowest)
    if edge_of(first) < lowest:
        first += 1
    for band in range(first, BANDS):
        above = bands[band:]
        if sum(tally.candidates for tally in above) and _is_within(above, budget):
            return edge_of(band)
    return None


def bound_at(bands: Sequence[Tally], similarity: float) -> float:
    """The share of wrong ones among the candidates from `similarity` on, at most."""
    return upper_bound(bands[band_of(similarity) :])


def upper_bound(bands: Sequence[Tally]) -> float:
    """Of the candidates of these bands together, the share that is wrong, at most.

    1 where there are none. The bands must be the highest ones: which they are was not chosen by
    looking, or the confidence would be spent more often than it was shared out.
    """
    total = sum(tally.candidates for tally in bands)
    if not total:
        return 1.0
    unchecked = sum(tally.candidates for tally in bands if not tally.checked)
    checked = [tally for tally in bands if tally.checked]
    # The largest sum of candidates * rate for which the evidence against the rates is within what
    # is allowed: a concave programme, and this is its Lagrangian, solved for one multiplier.
    low, high = -20.0, 40.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        rates = [_rate_at(tally, math.exp(middle)) for tally in checked]
        against = sum(map(_evidence_against, checked, rates))
        low, high = (middle, high) if against <= _ALLOWED else (low, middle)
    rates = [_rate_at(tally, math.exp(high)) for tally in checked]
    worst = sum(tally.candidates * rate for tally, rate in zip(checked, rates, strict=True))
    return min(1.0, (unchecked + worst) / total)


def doubted(wrong: bool, budget: float) -> float:
    """By what the doubt in a pool is multiplied (after 1 was added) when it was checked."""
    suspected = min(0.5, SUSPECTED * budget)
    if suspected <= budget:
        return 1.0
    return suspected / budget if wrong else (1 - suspected) / (1 - budget)


def _is_within(bands: Sequence[Tally], budget: float) -> bool:
    # Two looks that cost a fortieth: what was seen is never above the bound, and nor is a mixture
    # that is not excluded, such as that of bands all as wrong as the budget allows.
    total = sum(tally.candidates for tally in bands)
    seen = sum(t.candidates * (t.wrong / t.checked if t.checked else 1.0) for t in bands)
    if seen > budget * total:
        return False
    against = sum(_evidence_against(tally, budget) for tally in bands if tally.checked)
    return against > _ALLOWED and upper_bound(bands) <= budget


def _rate_at(tally: Tally, multiplier: float) -> float:
    """The rate at which more of it costs as much evidence as it brings: from what was seen up."""
    pull = tally.candidates * multiplier
    slope = tally.checked - pull
    root = math.sqrt(slope * slope + 4 * pull * tally.wrong)
    # The same root of `pull q^2 + slope q - wrong = 0` either way; no difference of equal numbers.
    if slope > 0:
        return min(1.0, 2 * tally.wrong / (root + slope))
    return min(1.0, (root - slope) / (2 * pull)) if pull else 1.0


def _evidence_against(tally: Tally, rate: float) -> float:
    """The logarithm of the band's martingale at this rate."""
    right = tally.checked - tally.wrong
    a, b = PRIOR
    mixture = _log_beta(tally.wrong + a, right + b) - _log_beta(a, b)
    if (rate <= 0 and tally.wrong) or (rate >= 1 and right):
        return math.inf
    likelihood = tally.wrong * math.log(rate) if tally.wrong else 0.0
    return mixture - likelihood - (right * math.log1p(-rate) if right else 0.0)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
