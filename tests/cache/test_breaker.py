from __future__ import annotations

import pytest

from khazad_mitm.cache.breaker import FIRST_PAUSE_S, LONGEST_PAUSE_S, Breaker

WHY = OSError("refused")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("store", clock)


def test_the_first_failure_opens_it(breaker: Breaker) -> None:
    breaker.failed(WHY)

    assert not breaker.allows()


def test_one_probe_goes_after_each_pause(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(WHY)
    clock.now += FIRST_PAUSE_S

    assert [True, False, False] == [breaker.wants_probe() for _ in range(3)]
    assert not breaker.allows()


def test_a_probe_that_succeeds_closes_it(breaker: Breaker, clock: Clock) -> None:
    breaker.failed(WHY)
    clock.now += FIRST_PAUSE_S
    breaker.wants_probe()
    breaker.succeeded()

    assert [True, True] == [breaker.allows() for _ in range(2)]


def test_each_probe_that_fails_doubles_the_pause_up_to_the_longest(
    breaker: Breaker, clock: Clock
) -> None:
    breaker.failed(WHY)
    pause = FIRST_PAUSE_S
    for _ in range(10):
        clock.now += pause
        assert breaker.wants_probe()
        breaker.failed(WHY)
        pause = min(pause * 2, LONGEST_PAUSE_S)
        clock.now += pause * 0.99
        assert not breaker.wants_probe()
        clock.now -= pause * 0.99


def test_calls_that_were_on_their_way_when_it_opened_prolong_no_pause(
    breaker: Breaker, clock: Clock
) -> None:
    for _ in range(20):
        breaker.failed(WHY)
    clock.now += FIRST_PAUSE_S

    assert breaker.wants_probe()


def test_it_says_once_that_it_opened_and_once_that_it_closed(
    breaker: Breaker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    breaker.failed(WHY)
    breaker.failed(WHY)
    breaker.allows()
    clock.now += LONGEST_PAUSE_S
    breaker.wants_probe()
    breaker.succeeded()
    breaker.succeeded()

    assert [
        "[Khazad] store unavailable, passing calls through: refused",
        "[Khazad] store is back, 1 calls passed by",
    ] == caplog.messages


def test_one_that_was_on_its_way_when_another_failed_closes_nothing(breaker: Breaker) -> None:
    breaker.failed(WHY)
    breaker.succeeded()

    assert breaker.is_open


def test_a_part_that_is_back_for_a_moment_only_is_left_alone_for_longer(
    breaker: Breaker, clock: Clock
) -> None:
    breaker.failed(WHY)
    pauses = [FIRST_PAUSE_S, 2 * FIRST_PAUSE_S, 4 * FIRST_PAUSE_S]
    for pause in pauses:
        clock.now += pause * 0.99
        assert not breaker.wants_probe()
        clock.now += pause * 0.02
        assert breaker.wants_probe()
        breaker.succeeded()
        breaker.failed(WHY)


def test_a_part_that_was_back_for_long_is_tried_again_as_soon_as_ever(
    breaker: Breaker, clock: Clock
) -> None:
    for _ in range(3):
        breaker.failed(WHY)
        clock.now += FIRST_PAUSE_S
        assert breaker.wants_probe()
        breaker.succeeded()
        clock.now += FIRST_PAUSE_S


def test_a_long_pause_does_not_make_the_next_trouble_the_same(
    breaker: Breaker, clock: Clock
) -> None:
    breaker.failed(WHY)
    for _ in range(10):
        clock.now += LONGEST_PAUSE_S
        assert breaker.wants_probe()
        breaker.failed(WHY)
    clock.now += LONGEST_PAUSE_S
    assert breaker.wants_probe()
    breaker.succeeded()
    clock.now += FIRST_PAUSE_S
    breaker.failed(WHY)
    clock.now += FIRST_PAUSE_S

    assert breaker.wants_probe()
