from __future__ import annotations

import threading

import pytest

from khazad_mitm.cache.keeper import Keeper


def test_jobs_are_done_in_order_on_another_thread() -> None:
    keeper, done = Keeper(), []
    for number in range(50):
        keeper.hand(lambda number=number: done.append((number, threading.current_thread().name)))

    assert keeper.drain(5)
    assert [(number, "khazad-keeper") for number in range(50)] == done


def test_a_job_that_fails_costs_only_itself(caplog: pytest.LogCaptureFixture) -> None:
    keeper, done = Keeper(), []
    keeper.hand(lambda: 1 / 0)  # type: ignore[arg-type, return-value]  # a job that fails
    keeper.hand(lambda: done.append(1))

    assert keeper.drain(5)
    assert [1] == done
    (said,) = caplog.messages
    assert said.startswith("[Khazad] an answer could not be kept: ZeroDivisionError at ")


def test_more_than_the_limit_is_refused_without_waiting() -> None:
    keeper, go, started = Keeper(limit=1), threading.Event(), threading.Event()
    keeper.hand(lambda: (started.set(), go.wait(5), None)[-1])
    started.wait(5)

    assert [True, False] == [keeper.hand(lambda: None) for _ in range(2)]
    go.set()


def test_closing_finishes_what_waits_and_takes_nothing_more() -> None:
    keeper, done = Keeper(), []
    keeper.hand(lambda: done.append(1))
    keeper.close()

    assert [1] == done
    assert not keeper.hand(lambda: None)


def test_a_keeper_without_jobs_has_nothing_to_wait_for() -> None:
    assert Keeper().drain(0)
