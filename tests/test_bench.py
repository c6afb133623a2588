"""The benchmarks' arithmetic. What they measure is for people to read, not for a test."""

from __future__ import annotations

import itertools
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import drip, report
from bench.measure import Result, Spread, Target, in_turns, percentile
from bench.streams import Receipts

CHECKOUT = Path(__file__).resolve().parent.parent


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


def chunks(*late_ms: int) -> bytes:
    """An answer whose events were sent so long before second 1 of the clock."""
    events = [b"data: @%d \n\n" % (10**9 - ms * 10**6) for ms in late_ms]
    body = b"".join(b"%x\r\n%s\r\n" % (len(event), event) for event in [b"data: {}\n\n", *events])
    return b"HTTP/1.1 200 OK\r\n\r\n" + body + b"0\r\n\r\n"


@given(st.lists(st.integers(0, 900), max_size=5), st.integers(1, 40))
def test_every_event_is_late_once_wherever_the_network_cuts(late_ms: list[int], size: int):
    receipts, data = Receipts(b" 200 "), chunks(*late_ms)
    for begin in range(0, len(data), size):
        assert not receipts.is_over
        receipts.feed(data[begin : begin + size], 10**9)

    assert (late_ms, True) == (receipts.late_ms, receipts.is_over)


def test_an_answer_that_is_not_a_miss_is_not_measured():
    with pytest.raises(RuntimeError, match="expected b'fwd=miss'"):
        Receipts(b"fwd=miss").feed(chunks(1), 10**9)


def test_a_stream_is_paced_alike_for_each_proxy_and_unlike_for_each_stream():
    first, again, other = (list(itertools.islice(drip.gaps(0.02, seed), 500)) for seed in (1, 1, 2))

    assert first == again != other
    assert 0.018 < sum(first) / len(first) < 0.022


@pytest.mark.skipif(sys.platform != "linux", reason="processor time is read from /proc")
def test_streams_are_measured_through_both_proxies_and_none_of_their_events_is_lost():
    done = subprocess.run(
        [sys.executable, "-m", "bench.streams", "--events", "5", "--rounds", "1"],
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stderr
    assert "event late, p99, serve / bare tee addon" in done.stdout
