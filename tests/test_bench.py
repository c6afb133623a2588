"""The benchmarks' arithmetic. What they measure is for people to read, not for a test."""

from __future__ import annotations

import pytest

from bench import report
from bench.measure import Result, Spread, Target, in_turns, percentile


def test_subjects_measure_in_turns():
    order: list[str] = []

    def subject(name: str, value: float) -> float:
        order.append(name)
        return value

    series = in_turns(2, {"a": lambda: subject("a", 1.0), "b": lambda: subject("b", 2.0)})

    assert ["a", "b", "a", "b"] == order
    assert {"a": (1.0, 1.0), "b": (2.0, 2.0)} == series


def test_a_spread_is_least_median_and_most():
    assert Spread(1, 2.5, 9) == Spread.of([9, 2, 1, 3])


def test_a_percentile_is_a_value_that_was_measured():
    values = [5, 1, 4, 2, 3]

    assert (1, 3, 5) == tuple(percentile(values, percent) for percent in (1, 50, 99))
    with pytest.raises(ValueError, match="nothing was measured"):
        percentile([], 50)


def test_nothing_measured_has_no_spread():
    with pytest.raises(ValueError, match="nothing was measured"):
        Spread.of([])


def test_a_slow_moment_of_the_machine_does_not_change_a_ratio():
    result = Result("ours", "theirs", "us", ours=(20, 200, 20), theirs=(10, 100, 10))

    assert [2, 2, 2] == result.figures


def test_a_speedup_is_how_many_times_less_it_takes():
    result = Result("ours", "theirs", "us", (1, 2), (10, 10), compare="speedup")

    assert [10, 5] == result.figures


def test_a_difference_is_taken_turn_by_turn():
    result = Result("ours", "theirs", "ms", (3, 5), (1, 4), compare="difference")

    assert [2, 1] == result.figures


@pytest.mark.parametrize(
    ("target", "verdict"),
    [
        (Target("at most", 2), "ok"),
        (Target("at most", 1.9), "missed"),
        (Target("at least", 2), "ok"),
        (Target("at least", 2.1), "missed"),
        (None, ""),
    ],
)
def test_the_median_is_judged_by_the_target(target: Target | None, verdict: str):
    # The mean of these ratios would be 4.
    result = Result("ours", "theirs", "us", (1, 2, 9), (1, 1, 1), target=target)

    assert verdict == result.verdict


def test_a_missed_target_stands_out_in_the_summary():
    missed = Result("a hit", "PING", "us", (30,), (10,), target=Target("at most", 2))
    context = Result("told", "PING", "us", (30,), (10,))

    (line,) = report.summary([missed, context]).splitlines()

    assert "MISSED" in line
    assert "3 x" in line
    assert "a hit / PING" in line
