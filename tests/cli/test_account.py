from __future__ import annotations

from khazad_mitm.cache.stats import Stats
from khazad_mitm.cli.account import account, between

SERVED = Stats(
    cache_hits=3,
    cache_misses=1,
    exact_hits=2,
    semantic_hits=1,
    similarity_sum=2.9,
    saved_tokens=1_500_000,
    saved_seconds=12.34,
    saved_by_model={"gpt-4o": (1_000_000, 500_000)},
)


def test_nothing_seen_is_said() -> None:
    assert "no LLM call seen" == account(Stats(), "here")


def test_calls_seconds_tokens_and_money_are_told() -> None:
    told = account(SERVED).split("; ")

    assert "4 LLM calls, 3 served from the cache (75 %), 1 of them by meaning" == told[0]
    assert told[1].startswith("saved 12.3 s, 1,500,000 tokens, about $7.50 (list prices of ")


def test_of_an_unknown_model_no_money_is_told() -> None:
    told = account(Stats(cache_hits=1, saved_tokens=9, saved_by_model={"unheard-of": (5, 4)}))

    assert told.endswith("saved 9 tokens")


def test_where_the_answers_lie_is_told_last() -> None:
    assert account(SERVED, "redis://h:1").endswith(
        "\nanswers are kept in redis://h:1; `khazad-mitm flush` forgets them"
    )
    # Gone with the proxy.
    assert account(SERVED, "memory").endswith(")")


def test_what_went_by_and_what_was_not_kept_is_told_with_its_reasons() -> None:
    told = account(Stats(cache_misses=2, unkept={"cut": 1, "error": 1}, bypassed={"no-store": 4}))

    assert "6 LLM calls, 0 served from the cache (0 %)" in told
    assert "passed by: no-store 4; not kept: cut 1, error 1" in told


def test_between_two_pages_is_what_happened_meanwhile() -> None:
    before = Stats(cache_hits=1, unkept={"cut": 2}, saved_by_model={"m": (1, 1)})
    after = Stats(
        cache_hits=4, unkept={"cut": 2, "error": 1}, saved_by_model={"m": (1, 3), "n": (5, 0)}
    )
    changed = between(before.to_dict(), after.to_dict())

    assert (3, {"error": 1}) == (changed.exact_hits + changed.cache_hits, changed.unkept)
    assert {"m": (0, 2), "n": (5, 0)} == changed.saved_by_model
