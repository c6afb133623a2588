"""Whatever an embedder does: every call is answered, at most one of them waits for it, one line
says that it is away and one that it is back, exact repeats are served all the while, and then
questions are compared by meaning again."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from khazad_mitm.inprocess.instance import Khazad
from tests.inprocess.conftest import either, upstream
from tests.inprocess.upstream import PATH, Upstream, question
from tests.servers import until

__all__ = ["either", "upstream"]

DEADLINE_S = 1.5
PATIENCE_S = 20.0
CALLS = 6

ASKED = "What is the capital of Italy?"
# To a model that looks at the length and the first character, the same.
PARAPHRASE = "What is Italy's capital city?"


class Model:
    """What the user has written, which is in order but for its fault."""

    def __init__(self) -> None:
        self.fault: Callable[[list[str]], Any] | None = None
        self.go_on = threading.Event()

    def __call__(self, texts: list[str]) -> Any:
        if self.fault is not None:
            return self.fault(texts)
        return [[len(text), ord(text[0])] for text in texts]

    def hang(self, texts: list[str]) -> Any:
        self.go_on.wait(PATIENCE_S)
        return [[1.0, 1.0]] * len(texts)


class Heard(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture
def heard() -> Iterator[Heard]:
    logger = logging.getLogger("khazad")
    before = (logger.handlers[:], logger.level, logger.propagate)
    logger.addHandler(heard := Heard())
    yield heard
    logger.handlers[:], logger.level, logger.propagate = before


def raising(texts: list[str]) -> Any:
    raise RuntimeError("out of memory")


def nothing(_: list[str]) -> Any:
    return None


FAULTS: dict[str, Callable[[list[str]], Any]] = {
    "raising": raising,
    "nothing": nothing,
    "not a number": lambda texts: [[float("nan"), 1.0]] * len(texts),
    "zero": lambda texts: [[0.0, 0.0]] * len(texts),
    "one for all": lambda texts: [1.0, 2.0],
    "a row too many": lambda texts: [[1.0, 2.0]] * (len(texts) + 1),
    "another length": lambda texts: [[1.0, 2.0, 3.0]] * len(texts),
    "words": lambda texts: texts,
}


def blocking(library: Any, url: str, text: str) -> Any:
    return library.post(url, json=question(text), timeout=PATIENCE_S)


def awaiting(library: Any, url: str, text: str) -> Any:
    async def post() -> Any:
        async with library.AsyncClient(timeout=PATIENCE_S) as client:
            return await client.post(url, json=question(text))

    return asyncio.run(post())


@pytest.mark.parametrize("post", [blocking, awaiting])
@pytest.mark.parametrize("fault", ["hanging", *FAULTS])
def test_an_embedder_that_fails_costs_one_deadline_and_no_call(
    either: Any, upstream: Upstream, heard: Heard, fault: str, post: Any
) -> None:
    model = Model()
    khazad = Khazad("memory", embedder=model, embed_deadline_ms=int(DEADLINE_S * 1000))
    cache: Any = khazad._source.here()
    url = upstream.url + PATH
    try:
        known = post(either, url, ASKED).content
        assert cache.drain(PATIENCE_S)
        model.fault = FAULTS.get(fault, model.hang)
        waits = []
        for number in range(CALLS):
            began = time.monotonic()
            answer = post(either, url, f"Which town has number {number}?")
            waits.append(time.monotonic() - began)
            assert 200 == answer.status_code
            assert f"Rome #{len(upstream.calls)}".encode() in answer.content
            assert known == post(either, url, ASKED).content
        model.fault = None
        model.go_on.set()
        numbers = iter(range(1_000_000))
        until(
            lambda: (
                post(either, url, f"Which river has number {next(numbers)}?")
                and cache.parts()["embedder"] == "ready"
            )
        )
        paraphrased = post(either, url, PARAPHRASE)
    finally:
        model.go_on.set()
        khazad.stop()

    assert sum(wait >= DEADLINE_S for wait in waits) <= 1, waits
    assert known == paraphrased.content
    assert "semantic" in paraphrased.headers["cache-status"]
    away, back = (line for line in heard.lines if line.startswith("[Khazad] embedder "))
    assert ("unavailable" in away, "is back" in back) == (True, True)
