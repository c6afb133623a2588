from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from khazad_mitm.cache.breaker import LONGEST_PAUSE_S, Breaker
from khazad_mitm.cache.commands import Get, GetMany, Pause, Put, Steps
from khazad_mitm.cache.drive import nobody, obey, obey_async, run, run_async
from khazad_mitm.cache.parts import Parts
from khazad_mitm.cache.patience import Patience, Waiting
from khazad_mitm.errors import CacheUnavailable, NotAsked

from .driven import Store, both, executor, parts_of
from .script import entry

__all__ = ["executor", "parts_of"]


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_it_runs_while_it_is_entered() -> None:
    clock = Clock()
    patience = Patience(10.0, clock)
    clock.now += 100.0
    with patience:
        clock.now += 4.0
    clock.now += 100.0

    assert 6.0 == patience.left_s
    assert not patience.is_over


def test_it_ends_and_is_never_negative() -> None:
    clock = Clock()
    patience = Patience(10.0, clock)
    with patience:
        clock.now += 11.0

    assert 0.0 == patience.left_s
    assert patience.is_over


def test_half_of_it_is_for_the_part_itself() -> None:
    clock = Clock()
    patience = Patience(10.0, clock)

    spare = [patience.spare_s]
    for _ in range(2):
        with patience:
            clock.now += 3.0
        spare.append(patience.spare_s)

    assert [5.0, 2.0, 0.0] == spare


def test_what_takes_long_to_keep_is_kept_again_after_a_store_was_full(
    parts_of: Callable[..., Parts],
) -> None:
    now, store = [0.0], Slow(0.9 * 0.05)
    parts = replace(parts_of(), store=store, keeping_breaker=Breaker("store", clock=lambda: now[0]))
    parts.keeping_breaker.failed(OSError("full"))
    now[0] += LONGEST_PAUSE_S
    with pytest.raises(CacheUnavailable, match="passing by"):
        obey(parts, nobody(), Put(entry()))
    try:
        assert parts.probes.drain(5)

        assert not parts.keeping_breaker.is_open
        assert not parts.store_breaker.is_open
    finally:
        parts.probes.close()


def test_where_nobody_waits_it_has_no_end() -> None:
    patience = Patience(None)
    with patience:
        pass

    assert (None, None, False) == (patience.left_s, patience.spare_s, patience.is_over)


# -- one caller's patience


class Slow(Store):
    """Takes so long for each command, or all the time that there is."""

    def __init__(self, takes_s: float) -> None:
        self.takes_s = takes_s
        self.now = 0.0
        self.asked: list[Any] = []

    def perform(self, command: Any, within_s: float | None = None) -> Any:
        self.asked.append(command)
        self.now += self.takes_s if within_s is None else min(self.takes_s, within_s)
        if within_s is not None and within_s < self.takes_s:
            raise CacheUnavailable("no answer in time")
        return ()


class SlowAwaited(Slow):
    async def perform(self, command: Any, within_s: float | None = None) -> Any:
        return super().perform(command, within_s)


def told(parts: Parts, store: Slow, steps: Steps[Any]) -> Any:
    waiting = Waiting(1.0, 1.0, lambda: store.now)
    if isinstance(store, SlowAwaited):
        parts = replace(parts, awaitable_store=store)
        return asyncio.run(run_async(steps, partial(obey_async, parts, waiting)))
    return run(steps, partial(obey, replace(parts, store=store), waiting))


SLOW = pytest.mark.parametrize("kind", [Slow, SlowAwaited])


@SLOW
def test_all_commands_of_a_story_have_one_deadline(
    parts_of: Callable[..., Parts], kind: type[Slow]
) -> None:
    store, parts = kind(0.4), parts_of()

    def story() -> Steps[str]:
        for number in range(3):
            try:
                yield Get(f"{number}")
            except CacheUnavailable as error:
                return str(error)
        return "answered"

    assert "no answer within 1000 ms" == told(parts, store, story())
    assert 1.0 == pytest.approx(store.now)
    assert parts.store_breaker.is_open


@SLOW
def test_time_that_others_have_taken_is_not_held_against_the_store(
    parts_of: Callable[..., Parts], kind: type[Slow]
) -> None:
    store, parts = kind(0.1), parts_of()

    def story() -> Steps[str]:
        yield Get("a")
        store.now += 100.0  # elsewhere: embedding, or waiting for another's answer
        yield Get("b")
        return "answered"

    assert "answered" == told(parts, store, story())


@SLOW
def test_after_another_workers_answer_was_waited_for_the_store_has_a_new_deadline(
    parts_of: Callable[..., Parts], kind: type[Slow]
) -> None:
    store, parts = kind(0.6), parts_of()

    def story() -> Steps[str]:
        for number in range(5):
            yield Get(f"{number}")
            yield Pause(0.0)
        return "answered"

    assert "answered" == told(parts, store, story())


@SLOW
def test_each_piece_of_a_batch_has_a_deadline(
    parts_of: Callable[..., Parts], kind: type[Slow]
) -> None:
    store, parts = kind(0.9), parts_of()

    def story() -> Steps[str]:
        for number in range(5):
            yield GetMany((f"{number}",))
        return "answered"

    assert "answered" == told(parts, store, story())


def test_who_had_no_time_to_ask_says_nothing_of_the_store(parts_of: Callable[..., Parts]) -> None:
    parts = parts_of(NotAsked("all connections are taken"))

    def story() -> Steps[Any]:
        return (yield Get("f"))

    assert ["all connections are taken"] * 2 == both(parts, story)
    assert not parts.store_breaker.is_open


@pytest.mark.parametrize("obeyed", [obey, lambda *a: asyncio.run(obey_async(*a))])
def test_an_answer_on_its_way_into_the_store_takes_half_of_the_time_at_most(
    parts_of: Callable[..., Parts], obeyed: Callable[..., Any]
) -> None:
    parts, waiting = parts_of("stored"), Waiting(0.2, 0.2)
    parts.landings.begin(("f",))
    try:
        assert "stored" == obeyed(parts, waiting, Get("f"))
    finally:
        parts.landings.end(("f",))

    assert waiting.store.left_s is not None
    assert waiting.store.left_s <= 0.1
    assert 0.0 == waiting.store.spare_s


def test_where_nobody_waits_the_store_takes_its_own_time(parts_of: Callable[..., Parts]) -> None:
    store = Slow(100.0)

    assert () == obey(replace(parts_of(), store=store), nobody(), Put(entry()))
