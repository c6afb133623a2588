from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from khazad_mitm.cache.commands import Put
from khazad_mitm.exchange import Hit, Miss, Outcome
from khazad_mitm.messages import Headers

from .desk import ANSWER, Desk
from .script import asked

PATIENCE_S = 5.0


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.cache.close()


class Gate:
    """Holds up whoever comes, until it is opened; not for ever, where a test fails."""

    def __init__(self) -> None:
        self._opened = threading.Event()
        self.was_late = False

    def open(self) -> None:
        self._opened.set()

    def pass_(self) -> None:
        self.was_late = not self._opened.wait(PATIENCE_S) or self.was_late


def answered(desk: Desk, miss: Outcome | None, status: int = 200) -> None:
    """It has come whole, and nobody waits until it is kept."""
    assert isinstance(miss, Miss)
    capture = desk.cache.capture(miss)
    capture.feed(ANSWER)
    capture.finish(status, Headers([("Content-Type", "application/json")]))


def held_up(desk: Desk, at: Callable[[Any], bool]) -> Gate:
    """The store, at commands like this."""
    gate, perform = Gate(), desk.store.perform

    def slowly(command: Any, within_s: float | None = None) -> Any:
        if at(command):
            gate.pass_()
        return perform(command)

    desk.store.perform = slowly  # type: ignore[method-assign]  # a slow one
    return gate


def holding_embedder(desk: Desk) -> Gate:
    gate, embedder = Gate(), desk.cache._parts.embedder
    embed = embedder.embed_if_fits

    def slowly(text: str) -> Any:
        gate.pass_()
        return embed(text)

    embedder.embed_if_fits = slowly  # type: ignore[method-assign]  # a model that hangs
    return gate


@pytest.mark.parametrize("awaiting", [False, True])
def test_who_asks_again_does_not_wait_until_the_answer_is_kept(desk: Desk, awaiting: bool) -> None:
    keeping = held_up(desk, lambda command: isinstance(command, Put))
    answered(desk, desk.ask(asked("tea")))
    again = desk.ask(asked("tea"), awaiting=awaiting)
    keeping.open()

    assert isinstance(again, Hit)
    assert not keeping.was_late


def test_who_asks_again_does_not_wait_for_another_answer_that_is_kept(desk: Desk) -> None:
    keeping = held_up(desk, lambda command: isinstance(command, Put))
    answered(desk, desk.ask(asked("milk")))
    answered(desk, desk.ask(asked("tea")))
    again = desk.ask(asked("tea"))
    keeping.open()

    assert isinstance(again, Hit)
    assert not keeping.was_late


def test_no_answer_waits_for_the_vector_of_another(desk: Desk) -> None:
    embedding = holding_embedder(desk)
    for miss in [desk.ask(asked("milk")), desk.ask(asked("tea"))]:
        answered(desk, miss)
    kept = threading.Event()
    desk.cache._archive._reader.hand(lambda: desk.cache._archive._keeper.hand(kept.set) and None)

    assert kept.wait(PATIENCE_S)
    assert 2 == desk.store.count()
    embedding.open()
    assert desk.cache.drain(PATIENCE_S)
    assert not embedding.was_late


def test_who_waits_behind_an_error_does_not_wait_for_the_store(desk: Desk) -> None:
    desk.answer(desk.ask(asked("milk")))
    keeping = held_up(desk, lambda command: isinstance(command, Put))
    answered(desk, desk.ask(asked("water")))
    first, turns = desk.ask(asked("tea")), []
    assert isinstance(first, Miss)
    waiting = threading.Thread(target=lambda: turns.append(desk.ask(asked("tea"))))
    waiting.start()
    while not desk.flights._flights[first.flight].waiting:
        waiting.join(0.001)
    answered(desk, first, status=500)
    waiting.join(PATIENCE_S)
    keeping.open()

    assert not keeping.was_late
    assert isinstance(turns[0], Miss)
