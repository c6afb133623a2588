from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.calibration import (
    CONFIDENCE,
    THRESHOLDS,
    Scored,
    pairs_needed,
    proposed,
    table,
    upper_bound,
)


@pytest.mark.parametrize(
    ("events", "trials", "bound"),
    [
        # Closed forms: 1 - 0.05 ** (1 / n) for none, 0.95 ** (1 / n) for all but one.
        (0, 1, 0.95),
        (0, 299, 0.009969),
        (0, 60, 0.048703),
        (9, 10, 0.994884),
        # Tables of Clopper and Pearson's one-sided limits.
        (1, 10, 0.394163),
        (5, 100, 0.102253),
        (3, 3, 1.0),
        (0, 0, 1.0),
    ],
)
def test_the_bound_is_the_exact_one(events: int, trials: int, bound: float) -> None:
    assert pytest.approx(bound, abs=2e-6) == upper_bound(events, trials, 0.95)


@given(st.integers(0, 200), st.integers(1, 5000))
def test_the_bound_lies_above_what_was_seen(events: int, trials: int) -> None:
    events = min(events, trials)

    assert events / trials <= upper_bound(events, trials, CONFIDENCE) <= 1


@pytest.mark.parametrize(("share", "pairs"), [(0.01, 299), (0.05, 59), (0.1, 29)])
def test_it_is_told_how_many_pairs_a_promise_takes(share: float, pairs: int) -> None:
    assert pairs == pairs_needed(share)
    assert upper_bound(0, pairs, CONFIDENCE) <= share < upper_bound(0, pairs - 1, CONFIDENCE)


def test_a_row_counts_what_a_threshold_would_have_served() -> None:
    pairs = [
        Scored(True, 0.97),
        Scored(True, 0.85),
        Scored(True, 0.99, "figures"),
        Scored(True, None, "window"),
        Scored(False, 0.91),
        Scored(False, 0.99, "order"),
    ]
    rows = {row.threshold: row for row in table(pairs)}

    assert (1, 4, 1, 2) == tuple(
        getattr(rows[0.9], name) for name in ("hits", "same", "false_hits", "different")
    )
    assert (0.5, 0.0) == (rows[0.8].recall, rows[0.95].false_hit_share)


def test_the_lowest_threshold_is_taken_that_is_safe_as_all_above_it_are() -> None:
    different = [Scored(False, 0.3)] * 1000
    # Too many at 0.80, and so again below; what lies under it is not looked at.
    rows = table([Scored(True, 0.9), *different, *[Scored(False, 0.80)] * 30])
    found = proposed(rows, 0.01)

    assert found is not None
    assert 0.81 == found.threshold


def test_too_few_pairs_promise_nothing() -> None:
    assert None is proposed(table([Scored(False, 0.1)] * 298), 0.01)
    assert THRESHOLDS[-1] == proposed(table([Scored(False, 0.1)] * 299), 0.01).threshold  # type: ignore[union-attr]


def test_the_promise_is_kept_as_often_as_it_says() -> None:
    """Similarities are uniform: of pairs that differ a share of 1 - threshold is served."""
    tolerated, broken, trials = 0.1, 0, 200
    for seed in range(trials):
        chance = random.Random(seed)
        found = proposed(table([Scored(False, chance.random()) for _ in range(300)]), tolerated)
        broken += found is not None and 1 - found.threshold > tolerated + 1e-9

    # 10 are expected at the most; 19 is three standard deviations more.
    assert broken <= 19
