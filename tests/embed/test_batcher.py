from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from khazad_mitm.embed.batcher import MOST_TEXTS, Batcher
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.own_calls import is_guarded
from tests.servers import until

PATIENCE_S = 10.0


class Gate:
    """A call that waits until it is let go, and remembers what it was given."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.is_open = threading.Event()

    def __call__(self, texts: list[str]) -> Any:
        self.calls.append(texts)
        assert self.is_open.wait(PATIENCE_S)
        return [[len(text), 1] for text in texts]


def all_waiting(gate: Gate, pool: ThreadPoolExecutor, count: int) -> list[Future[Any]]:
    """So many texts of as many lengths, of which the first is in flight and the others wait."""
    shared = Batcher(gate, "test")
    asked = [pool.submit(shared.embed, "x")]
    until(lambda: gate.calls)
    asked += [pool.submit(shared.embed, "x" * (number + 2)) for number in range(count - 1)]
    until(lambda: len(shared._waiting) == count - 1)
    return asked


def test_texts_that_wait_while_a_call_is_in_flight_go_together_in_the_next() -> None:
    gate = Gate()
    with ThreadPoolExecutor(20) as pool:
        asked = all_waiting(gate, pool, 20)
        gate.is_open.set()
        vectors = [one.result(PATIENCE_S) for one in asked]

    assert [1, 19] == [len(texts) for texts in gate.calls]
    # Each has its own: as long as its text, beside a 1.
    assert [pytest.approx(n + 1) for n in range(20)] == [v[0] / v[1] for v in vectors]


def test_a_call_has_a_most_of_texts() -> None:
    gate = Gate()
    with ThreadPoolExecutor(MOST_TEXTS + 4) as pool:
        asked = all_waiting(gate, pool, MOST_TEXTS + 4)
        gate.is_open.set()
        for one in asked:
            one.result(PATIENCE_S)

    assert [1, MOST_TEXTS, 3] == [len(texts) for texts in gate.calls]


def test_a_call_that_fails_fails_for_those_who_were_in_it() -> None:
    answers: list[Any] = [ValueError("no"), KeyboardInterrupt(), [[1, 2]]]

    def call(texts: list[str]) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    shared = Batcher(call, "test")
    with pytest.raises(CacheUnavailable, match=r"^ValueError at "):
        shared.embed("a")
    with pytest.raises(CacheUnavailable, match="KeyboardInterrupt"):
        shared.embed("b")

    assert (2,) == shared.embed("c").shape


def test_vectors_of_another_dimension_than_the_first_are_refused() -> None:
    answers = [[[1, 2]], [[1, 2, 3]], [[2, 1]]]
    shared = Batcher(lambda _: answers.pop(0), "test")
    shared.embed("a")
    with pytest.raises(CacheUnavailable, match="3 numbers, 2 before"):
        shared.embed("b")

    assert (2,) == shared.embed("c").shape


def test_nobody_waits_for_ever_and_a_text_given_up_is_not_sent() -> None:
    gate = Gate()
    shared = Batcher(gate, "test")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(shared.embed, "x")
        until(lambda: gate.calls)
        with pytest.raises(CacheUnavailable, match="no vector within"):
            shared.embed("given up", 0.0)
        gate.is_open.set()
        first.result(PATIENCE_S)
        shared.embed("later")

    assert [["x"], ["later"]] == gate.calls


def test_a_call_is_on_our_own_behalf() -> None:
    seen = []

    def call(texts: list[str]) -> Any:
        seen.append(is_guarded())
        return [[1]]

    Batcher(call, "test").embed("a")

    assert [True] == seen
    assert not is_guarded()
