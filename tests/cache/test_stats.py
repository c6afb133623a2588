from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from khazad_mitm.cache.stats import Counters, Stats
from khazad_mitm.exchange import Bypass, Digests, Hit, Miss

from .script import asked, entry

REQUEST = asked("hello")
MISS = Miss(REQUEST, Digests("f" * 32, "c" * 32))


def test_nothing_counted_is_all_zero() -> None:
    assert (0, 0.0, 0.0) == (Stats().total_requests, Stats().hit_rate, Stats().avg_hit_similarity)


def test_hits_misses_and_bypasses_are_told_apart() -> None:
    counters = Counters()
    counters.count(Hit(REQUEST, entry(tokens=5), "exact"))
    counters.count(Hit(REQUEST, entry(tokens=7), "semantic", 0.9))
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
        "errors": 0,
    } == told


def test_no_count_is_lost_between_threads() -> None:
    counters = Counters()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(counters.count, [MISS] * 2_000))

    assert 2_000 == counters.snapshot().cache_misses


def test_reset_forgets_all() -> None:
    counters = Counters()
    counters.count(MISS)
    counters.count_unkept("cut")
    counters.reset()

    assert Stats() == counters.snapshot()
