from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache import budget
from khazad_mitm.cache.budget import BANDS, CONFIDENCE, EMPTY, LOWEST, Tally

from .traffic import Pool, falling, run, similarities

SEEDS = range(40)


def tallies(checked: int, wrong: int = 0, band: int = BANDS - 1) -> list[Tally]:
    return [Tally(checked, checked, wrong) if at == band else Tally() for at in range(BANDS)]


def test_nothing_is_promised_of_what_nobody_has_seen():
    assert 1.0 == budget.upper_bound(EMPTY)
    assert budget.threshold(EMPTY, 0.5, 0.7) is None


def test_nothing_is_promised_of_what_nobody_has_checked():
    assert 1.0 == budget.upper_bound([Tally(1000, 0, 0)])


def test_a_thousand_right_answers_allow_a_budget_of_one_percent():
    assert budget.upper_bound([Tally(1000, 1000, 0)]) < 0.01


def test_four_hundred_right_answers_do_not():
    assert budget.upper_bound([Tally(400, 400, 0)]) > 0.01


def test_what_is_seldom_checked_is_judged_by_what_was():
    """A hundred checks of a thousand say as much as a hundred of a hundred."""
    few = budget.upper_bound([Tally(1000, 100, 1)])

    assert pytest.approx(budget.upper_bound([Tally(100, 100, 1)]), rel=1e-3) == few


def test_a_bound_is_above_what_was_seen_and_falls_with_evidence():
    bounds = [budget.upper_bound([Tally(n, n, n // 50)]) for n in (50, 500, 5_000, 50_000)]

    assert bounds == sorted(bounds, reverse=True)
    assert 0.02 < bounds[-1] < 0.024


@given(
    st.lists(
        st.tuples(st.integers(0, 2000), st.integers(0, 2000), st.integers(0, 2000)), max_size=BANDS
    )
)
def test_a_bound_is_never_below_what_was_seen(drawn):
    bands = [Tally(a, min(a, b), min(a, b, c)) for a, b, c in drawn]
    total = sum(tally.candidates for tally in bands)
    seen = sum(t.candidates * (t.wrong / t.checked if t.checked else 1.0) for t in bands)

    assert seen <= budget.upper_bound(bands) * max(total, 1) + 1e-6
    assert 0.0 <= budget.upper_bound(bands) <= 1.0


@given(st.floats(LOWEST, 1.0))
def test_a_similarity_lies_in_its_band(similarity):
    band = budget.band_of(similarity)

    assert budget.edge_of(band) <= similarity + 1e-8
    assert band == BANDS - 1 or similarity < budget.edge_of(band + 1) + 1e-8


def test_an_edge_belongs_to_the_band_above_it():
    assert list(range(BANDS)) == [budget.band_of(budget.edge_of(band)) for band in range(BANDS)]


def test_a_threshold_is_not_below_the_lowest_allowed():
    bands = [Tally(1000, 1000, 0)] * BANDS

    assert 0.9 == budget.threshold(bands, 0.01, 0.9)
    assert 0.925 == budget.threshold(bands, 0.01, 0.905)


def test_bands_with_wrong_answers_are_left_below_the_threshold():
    bands = [Tally(1000, 1000, 100 if band < 10 else 0) for band in range(BANDS)]

    assert 0.75 == budget.threshold(bands, 0.005, 0.7)


def test_the_bound_holds_at_every_moment():
    """At shares that change, over bands of different rates, at each threshold that is looked at."""
    failed = sum(_ever_fails(seed, budget.upper_bound) for seed in SEEDS)

    assert failed <= (1 - CONFIDENCE) * len(SEEDS)


def _ever_fails(seed: int, bound: Callable[[list[Tally]], float]) -> bool:
    chance = random.Random(seed)
    bands = list(EMPTY)
    wrongness = [0.0] * BANDS
    for step in range(40):
        for _ in range(20):
            similarity = similarities(chance)
            band = budget.band_of(similarity)
            # Of one rate within a band, as is assumed.
            rate = falling(0.12)(budget.edge_of(band))
            wrong, checked = chance.random() < rate, chance.random() < (1.0, 0.3, 0.05)[step % 3]
            wrongness[band] += rate
            old = bands[band]
            bands[band] = Tally(
                old.candidates + 1, old.checked + checked, old.wrong + (wrong and checked)
            )
        for first in (5, 10, 14):
            total = sum(tally.candidates for tally in bands[first:])
            if total and sum(wrongness[first:]) / total > bound(bands[first:]):
                return True
    return False


def test_what_was_merely_seen_holds_at_few_seeds():
    """Else the test above would prove nothing."""
    failed = sum(_ever_fails(seed, _seen) for seed in range(20))

    assert failed > 15


def _seen(bands) -> float:
    total = sum(tally.candidates for tally in bands)
    return sum(t.candidates * t.wrong / t.checked for t in bands if t.checked) / total


def test_what_is_served_stays_within_the_budget():
    exceeded = 0
    for seed in SEEDS:
        pool = Pool(budget=0.02)
        run(pool, random.Random(seed), falling(0.12), 1_500)
        exceeded += sum(pool.served) > 0.02 * len(pool.served) + 3

    assert exceeded <= (1 - CONFIDENCE) * len(SEEDS)


def test_hits_grow_with_traffic():
    pool = Pool(budget=0.02)
    chance = random.Random(7)
    hits = []
    for _ in range(4):
        before = len(pool.served)
        run(pool, chance, falling(0.12), 1_500)
        hits.append(len(pool.served) - before)

    assert 0 <= hits[0] < hits[1] <= hits[-1]
    assert hits[-1] > 500


def test_a_workload_that_is_right_everywhere_is_opened_wide():
    pool = Pool(budget=0.02)
    run(pool, random.Random(3), lambda similarity: 0.0005, 3_000)

    assert pool.threshold is not None
    assert pool.threshold <= 0.72


def test_a_hostile_pool_is_never_opened():
    for seed in SEEDS:
        pool = Pool(budget=0.02)
        run(pool, random.Random(seed), lambda similarity: 0.3, 500)
        assert [] == pool.served


def test_a_pool_that_goes_bad_is_closed_and_opens_when_it_is_good_again():
    pool = Pool(budget=0.02)
    chance = random.Random(5)
    run(pool, chance, falling(0.02), 3_000)
    assert pool.threshold is not None

    before = len(pool.served)
    run(pool, chance, lambda similarity: 0.5, 2_000)
    assert pool.threshold is None
    assert len(pool.served) - before < 300

    run(pool, chance, falling(0.02), 14_000)
    assert pool.threshold is not None


def test_doubt_reaches_its_bound_no_sooner_than_stated():
    """Within the budget, on average over runs, a false alarm takes that many checks or more."""
    waits = []
    for seed in range(40):
        chance = random.Random(seed)
        doubt, checks = 0.0, 0
        while doubt < budget.MOST_DOUBT:
            doubt = (doubt + 1) * budget.doubted(chance.random() < 0.02, 0.02)
            checks += 1
        waits.append(checks)

    assert sum(waits) / len(waits) >= budget.MOST_DOUBT


def test_a_budget_of_a_half_has_nothing_to_suspect():
    assert 1.0 == budget.doubted(True, 0.5)
