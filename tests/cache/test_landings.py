from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from khazad_mitm.cache import landings
from khazad_mitm.cache.landings import Landings

KEYS = ("fingerprint", "credential")


def waiter(wait: Any, key: str, said: list[str]) -> threading.Thread:
    def run() -> None:
        wait(key)
        said.append(key)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def blocking(of: Landings) -> Any:
    return of.wait


def awaiting(of: Landings) -> Any:
    return lambda key: asyncio.run(of.wait_async(key))


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landings, "LIMIT_S", 30.0)


@pytest.mark.parametrize("way", [blocking, awaiting])
def test_who_asks_for_what_is_landing_waits_until_it_has(way: Any) -> None:
    landing, said = Landings(), list[str]()
    landing.begin(KEYS)
    threads = [waiter(way(landing), key, said) for key in KEYS]
    way(landing)("another")
    assert [] == said
    landing.end(KEYS)
    for thread in threads:
        thread.join(10)

    assert sorted(KEYS) == sorted(said)


def test_it_is_told_what_is_landing() -> None:
    landing = Landings()
    landing.begin(KEYS)
    assert landing.has("fingerprint")
    assert not landing.has("another")

    landing.end(KEYS)
    assert not landing.has("fingerprint")


@pytest.mark.parametrize("way", [blocking, awaiting])
def test_nobody_waits_where_nothing_lands(way: Any) -> None:
    landing = Landings()
    landing.begin(KEYS)
    landing.end(KEYS)

    way(landing)("fingerprint")


def test_of_two_that_land_the_last_ends_the_wait() -> None:
    landing, said = Landings(), list[str]()
    landing.begin(KEYS)
    landing.begin(KEYS)
    landing.end(KEYS)
    thread = waiter(landing.wait, "fingerprint", said)
    assert [] == said
    landing.end(KEYS)
    thread.join(10)

    assert ["fingerprint"] == said


@pytest.mark.parametrize("way", [blocking, awaiting])
def test_nobody_waits_for_ever(way: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(landings, "LIMIT_S", 0.01)
    landing = Landings()
    landing.begin(KEYS)

    way(landing)("fingerprint")


def test_one_who_is_cancelled_does_not_end_the_wait_of_others() -> None:
    landing, said = Landings(), list[str]()
    landing.begin(KEYS)
    thread = waiter(landing.wait, "fingerprint", said)

    async def cancelled() -> None:
        task = asyncio.create_task(landing.wait_async("fingerprint"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancelled())
    assert [] == said
    landing.end(KEYS)
    thread.join(10)
    assert ["fingerprint"] == said
