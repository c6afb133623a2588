from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from khazad_mitm.cache.collapsing import renewed
from khazad_mitm.cache.drive import run
from khazad_mitm.cache.flights import Flights, Turn
from khazad_mitm.cache.leases import LEASE_S, LONGEST_S, RENEWED_S, Leases
from khazad_mitm.cache.renewer import Renewer
from khazad_mitm.cache.worker_commands import Renew
from khazad_mitm.errors import CacheUnavailable

from .driven import executor, parts_of
from .script import entry

__all__ = ["executor", "parts_of"]


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def leases(now: list[float]) -> Leases:
    return Leases(clock=lambda: now[0])


def due_every(seconds: float, until: float, leases: Leases, now: list[float]) -> list[Any]:
    found = []
    while now[0] < until:
        now[0] += seconds
        found.append((now[0], due)) if (due := leases.due()) else None
    return found


def test_one_that_is_held_is_due_long_before_it_ends_and_again(
    leases: Leases, now: list[float]
) -> None:
    leases.hold("a")
    times = [when for when, _ in due_every(0.25, 2 * LEASE_S, leases, now)]

    assert 3 * RENEWED_S <= LEASE_S
    assert [RENEWED_S * count for count in range(1, 7)] == times


def test_all_are_due_together_however_late_they_began(leases: Leases, now: list[float]) -> None:
    leases.hold("a")
    now[0] = RENEWED_S * 0.9
    leases.hold("b")
    now[0] = RENEWED_S

    assert ("a", "b") == leases.due()
    assert () == leases.due()


def test_no_lease_waits_longer_for_its_first_renewal_than_for_others(
    leases: Leases, now: list[float]
) -> None:
    for pause in (0.0, RENEWED_S / 2, 10 * RENEWED_S):
        now[0] += pause
        leases.hold("a")
        now[0] += RENEWED_S
        assert ("a",) == leases.due()
        leases.drop("a")


def test_what_is_over_is_due_no_more(leases: Leases, now: list[float]) -> None:
    for flight in "abc":
        leases.hold(flight)
    leases.drop("b")
    leases.drop("none")
    now[0] = RENEWED_S

    assert ("a", "c") == leases.due()


def test_none_is_held_for_ever(leases: Leases, now: list[float]) -> None:
    leases.hold("a")
    last, _ = due_every(1.0, 2 * LONGEST_S, leases, now)[-1]

    assert LONGEST_S - RENEWED_S <= last < LONGEST_S


def led(some: Flights, *flights: str) -> None:
    for flight in flights:
        assert Turn.LEAD is some.wait(flight)
        some.leases.hold(flight)


@pytest.mark.parametrize(
    "end",
    [
        lambda some: some.land("a", entry()),
        lambda some: some.dissolve("a"),
        lambda some: some.hand_over("a"),
        lambda some: some.dissolve_all(),
    ],
    ids=["answered", "nobody else's", "failed", "closed"],
)
def test_a_flight_that_is_over_is_held_no_longer(
    end: Callable[[Flights], Any], now: list[float]
) -> None:
    some = Flights(clock=lambda: now[0])
    led(some, "a")
    end(some)
    now[0] = RENEWED_S

    assert () == some.leases.due()


def test_a_flight_that_is_handed_over_is_still_this_workers(now: list[float]) -> None:
    some = Flights(clock=lambda: now[0])
    led(some, "a")
    some.join("a")
    some.hand_over("a")
    now[0] = RENEWED_S

    assert ("a",) == some.leases.due()


def test_what_another_worker_has_taken_over_is_left_to_it(now: list[float]) -> None:
    some = Flights(clock=lambda: now[0])
    led(some, "a", "b")
    asked: list[Any] = []
    run(renewed(("a", "b"), some), lambda command: asked.append(command) or (True, False))
    now[0] = RENEWED_S

    assert [Renew(("a", "b"), some.holder, LEASE_S)] == asked
    assert ("a",) == some.leases.due()


def test_a_store_that_does_not_answer_is_told_again_when_the_time_comes(
    parts_of: Any, now: list[float]
) -> None:
    parts = parts_of(CacheUnavailable("away"))
    parts.flights.leases._clock = lambda: now[0]
    led(parts.flights, "a")
    renewer = Renewer(parts)
    renewer.renew(("a",))
    renewer.close()
    now[0] = RENEWED_S

    assert ("a",) == parts.flights.leases.due()


def test_a_thread_tells_the_store_and_a_mistake_does_not_end_it(
    parts_of: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("khazad_mitm.cache.leases.RENEWED_S", 0.001)
    replies: list[Any] = [(), (True,), (True,)]
    told: list[Any] = []
    enough = threading.Event()

    def perform(command: Any, within_s: float | None = None) -> Any:
        told.append(command)
        if len(told) == 3:
            enough.set()
        return replies[min(len(told), 3) - 1]

    parts = parts_of()
    parts.store.perform = perform
    renewer = Renewer(parts)
    led(parts.flights, "a")

    assert enough.wait(20)
    renewer.close()
    assert {Renew(("a",), parts.flights.holder, LEASE_S)} == set(told)
    assert caplog.messages[0].startswith("[Khazad] leases could not be renewed: ValueError at ")
    # Nothing is told once it is closed.
    count = len(told)
    led(parts.flights, "b")
    assert count == len(told)
    assert () == parts.flights.leases.wait()
