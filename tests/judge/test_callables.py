from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Pair
from khazad_mitm.judge.callables import CallableVerifier
from khazad_mitm.own_calls import is_guarded

PAIR = Pair("one", "other", 0.93)


@pytest.mark.parametrize("said", [True, False, np.bool_(True), np.float32(1) > 2])
def test_a_function_says_true_or_false_of_a_pair(said: Any) -> None:
    shown: list[Pair] = []

    def verify(pair: Pair) -> Any:
        shown.append(pair)
        return said

    assert bool(said) is CallableVerifier(verify).approves(PAIR)
    assert [PAIR] == shown


@pytest.mark.parametrize("said", [None, 0.2, 1, "no"])
def test_what_is_neither_true_nor_false_is_no_opinion(said: Any) -> None:
    with pytest.raises(CacheUnavailable, match="not True or False"):
        CallableVerifier(lambda pair: said).approves(PAIR)


def test_an_async_function_keeps_its_loop_and_is_guarded() -> None:
    loops, guards = set(), []

    async def verify(pair: Pair) -> bool:
        loops.add(asyncio.get_running_loop())
        guards.append(is_guarded())
        return True

    verifier = CallableVerifier(verify)

    assert [True, True] == [verifier.approves(PAIR) for _ in range(2)]
    assert 1 == len(loops)
    assert [True, True] == guards


def test_several_calls_of_an_async_function_are_on_their_way_at_once() -> None:
    here = threading.Barrier(2)
    together = asyncio.Event()
    waiting: list[Pair] = []

    async def verify(pair: Pair) -> bool:
        waiting.append(pair)
        if len(waiting) == 2:
            together.set()
        await together.wait()
        return True

    verifier = CallableVerifier(verify)

    def ask(_: int) -> bool:
        here.wait(5)
        return verifier.approves(PAIR)

    with ThreadPoolExecutor(2) as pool:
        assert [True, True] == list(pool.map(ask, range(2)))


def test_what_a_function_raises_is_left_to_the_driver() -> None:
    async def fail(pair: Pair) -> bool:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        CallableVerifier(fail).approves(PAIR)


def test_the_name_is_that_of_the_function() -> None:
    assert f"{__name__}.verifying" == CallableVerifier(verifying).name


def verifying(pair: Pair) -> bool:
    return True
