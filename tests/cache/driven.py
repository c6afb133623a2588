"""Parts that do as they are told, for tests of who drives a story."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from khazad_mitm.cache.breaker import Breaker
from khazad_mitm.cache.commands import Steps
from khazad_mitm.cache.drive import obey, obey_async, run, run_async, somebody
from khazad_mitm.cache.parts import Bench, Parts
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Pair

from .script import VECTOR


class Store:
    """Answers with what it was given, or raises it."""

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def perform(self, command: Any, within_s: float | None = None) -> Any:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


class Hanging(Store):
    """Keeps whoever asks waiting until it may go on."""

    def __init__(self) -> None:
        self.asked: list[Any] = []
        self.go_on = threading.Event()

    def perform(self, command: Any, within_s: float | None = None) -> Any:
        self.asked.append((command, within_s))
        self.go_on.wait(5)


class AwaitableStore(Store):
    async def perform(self, command: Any, within_s: float | None = None) -> Any:
        return super().perform(command)


class Embedder:
    model = "test"
    is_loaded = True

    def __init__(self, embed: Callable[[str], Any]) -> None:
        self.embed_if_fits = embed

    def load(self) -> None: ...


class Verifier:
    name = "test"

    def __init__(self, approve: Callable[[Pair], Any]) -> None:
        self.approves = approve


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
def parts_of(executor: ThreadPoolExecutor) -> Callable[..., Parts]:
    def make(
        stored: Any = None,
        embed: Callable[[str], Any] = lambda _: VECTOR,
        approve: Callable[[Pair], Any] | None = None,
    ) -> Parts:
        return Parts(
            store=Store(stored),
            awaitable_store=AwaitableStore(stored),
            store_breaker=Breaker("store"),
            store_deadline_s=0.05,
            embedder=Embedder(embed),
            embed_breaker=Breaker("embedder"),
            embed_executor=executor,
            embed_deadline_s=0.05,
            benches={} if approve is None else {"mine": Bench(Verifier(approve), executor, 0.05)},
        )

    return make


def both(parts: Parts, story: Callable[[], Steps[Any]]) -> list[Any]:
    """What a story comes to, blocking and awaiting; errors as they are."""

    def tried(go: Callable[[], Any]) -> Any:
        try:
            return go()
        except CacheUnavailable as error:
            return str(error)

    return [
        tried(lambda: run(story(), partial(obey, parts, somebody(parts)))),
        tried(lambda: asyncio.run(run_async(story(), partial(obey_async, parts, somebody(parts))))),
    ]
