from __future__ import annotations

import asyncio
import functools
from typing import Any

import numpy as np
import pytest

from khazad_mitm.embed.callables import CallableEmbedder
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.own_calls import is_guarded


def lengths(texts: list[str]) -> Any:
    return [[3 * len(text), 4 * len(text)] for text in texts]


def test_a_function_gives_vectors_of_unit_length() -> None:
    vector = CallableEmbedder(lengths).embed_if_fits("text")

    assert vector is not None
    assert np.float32 == vector.dtype
    assert [pytest.approx(0.6), pytest.approx(0.8)] == vector.tolist()


def test_an_async_function_keeps_its_event_loop_and_is_guarded() -> None:
    loops, guards = [], []

    async def embed(texts: list[str]) -> Any:
        loops.append(asyncio.get_running_loop())
        guards.append(await asyncio.create_task(guard()))
        return np.ones((len(texts), 2))

    async def guard() -> bool:
        return is_guarded()

    embedder = CallableEmbedder(embed)
    for text in ("one", "two"):
        assert embedder.embed_if_fits(text) is not None

    assert loops[0] is loops[1]
    assert [True, True] == guards


@pytest.mark.parametrize("given", [[[1, 2], [3, 4]], [1, 2], [[float("nan")]], None])
def test_an_answer_that_is_no_vector_costs_a_hit(given: Any) -> None:
    with pytest.raises(CacheUnavailable):
        CallableEmbedder(lambda texts: given).embed_if_fits("text")


class Model:
    def __call__(self, texts: list[str]) -> Any:
        return lengths(texts)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (lengths, f"{__name__}.lengths"),
        (Model(), f"{__name__}.Model"),
        (Model, f"{__name__}.Model"),
        (functools.partial(lengths), "functools.partial"),
    ],
)
def test_it_is_named_after_the_function(function: Any, name: str) -> None:
    assert name == CallableEmbedder(function).model
    assert "mine-2" == CallableEmbedder(function, "mine-2").model
