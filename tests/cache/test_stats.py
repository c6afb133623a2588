from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict

from khazad_mitm.cache.stats import MAX_MODELS, OTHER_MODELS, Counters, Stats
from khazad_mitm.exchange import Bypass, Digests, Hit, Miss, Outcome

from .script import asked, entry

REQUEST = asked("hello")
MISS = Miss(REQUEST, Digests("f" * 32, "c" * 32))


def test_nothing_counted_is_all_zero() -> None:
    assert (0, 0.0, 0.0) == (Stats().total_requests, Stats().hit_rate, Stats().avg_hit_similarity)


def test_hits_misses_and_bypasses_are_told_apart() -> None:
    counters = Counters()
    counters.count(Hit(REQUEST, entry(tokens=5, output_tokens=2, took_s=1.5), "exact"))
    counters.count(Hit(REQUEST, entry(tokens=7, took_s=2), "semantic", 0.9))
    counters.count(MISS)
    counters.count(MISS)
    counters.count(Bypass(REQUEST, "no-store"))
    told = counters.snapshot().to_dict()

    assert {
        "total_requests": 4,
        "cache_hits": 2,
        "cache_misses": 2,
        "hit_rate": 0.5,
        "avg_hit_similarity": 0.95,
        "exact_hits": 1,
        "semantic_hits": 1,
        "coalesced": 0,
        "stored": 0,
        "unkept": {},
        "bypassed": {"no-store": 1},
        "saved_tokens": 12,
        "saved_seconds": 3.5,
        "saved_by_model": {"m": [10, 2]},
        "checked_hits": 0,
        "wrong_hits": 0,
        "checked_misses": 0,
        "unopened": 0,
        "errors": 0,
    } == told


def test_who_waited_for_another_ones_answer_has_saved_no_time() -> None:
    counters = Counters()
    counters.count(Hit(REQUEST, entry(tokens=5, took_s=9), "exact", is_collapsed=True))
    stats = counters.snapshot()

    assert (5, 0) == (stats.saved_tokens, stats.saved_seconds)


def test_names_of_models_do_not_fill_the_memory() -> None:
    counters = Counters()
    for number in range(3 * MAX_MODELS):
        counters.count(Hit(REQUEST, entry(model=f"m{number}", tokens=1), "exact"))
    saved = counters.snapshot().saved_by_model

    assert MAX_MODELS + 1 == len(saved)
    assert (2 * MAX_MODELS, 0) == saved[OTHER_MODELS]


def test_no_count_is_lost_between_threads() -> None:
    counters = Counters()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(counters.count, [MISS] * 2_000))

    assert 2_000 == counters.snapshot().cache_misses


def test_the_rates_are_exact_however_many_threads_count() -> None:
    counters = Counters()
    exact, semantic = Hit(REQUEST, entry(tokens=3), "exact"), Hit(REQUEST, entry(), "semantic", 0.5)
    collapsed = Hit(REQUEST, entry(tokens=3), "exact", is_collapsed=True)
    bypasses = [Bypass(REQUEST, "no-store"), Bypass(REQUEST, "no-tenant")]
    outcomes = [exact, semantic, collapsed, MISS, *bypasses] * 500
    snapshots = []

    def count(outcome: Outcome) -> None:
        counters.count(outcome)
        counters.count_error()
        snapshots.append(counters.snapshot())

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(count, outcomes))
    stats = counters.snapshot()

    assert (2_000, 1_500, 0.75) == (stats.total_requests, stats.cache_hits, stats.hit_rate)
    assert (1_000, 500, 500) == (stats.exact_hits, stats.semantic_hits, stats.coalesced)
    assert {"no-store": 500, "no-tenant": 500} == stats.bypassed
    assert (3_000, 3_000) == (stats.saved_tokens, stats.errors)
    assert 1_250 / 1_500 == stats.avg_hit_similarity
    # None was taken in the middle of a count.
    assert all(one.similarity_sum == one.exact_hits + one.semantic_hits / 2 for one in snapshots)


def test_reset_forgets_all() -> None:
    counters = Counters()
    counters.count(MISS)
    counters.count_unkept("cut")
    counters.reset()

    assert Stats() == counters.snapshot()


def test_sums_are_of_every_field_and_survive_json() -> None:
    one = Stats(cache_hits=1, similarity_sum=0.5, unkept={"cut": 1}, saved_by_model={"m": (1, 2)})
    other = Stats(cache_hits=2, errors=1, unkept={"cut": 2, "x": 1}, saved_by_model={"m": (3, 4)})

    total = one + other

    assert total == Stats.of(json.loads(json.dumps(asdict(total))))
    assert total == Stats(
        cache_hits=3,
        similarity_sum=0.5,
        errors=1,
        unkept={"cut": 3, "x": 1},
        saved_by_model={"m": (4, 6)},
    )
