from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.breaker import LONGEST_PAUSE_S, Breaker
from khazad_mitm.cache.commands import Embed, Get, Judge, Occupied, Put, Refuse, Steps, Weigh
from khazad_mitm.cache.drive import nobody, obey, obey_async, run_async, somebody
from khazad_mitm.cache.parts import Parts
from khazad_mitm.errors import CacheUnavailable, WriteDenied
from khazad_mitm.exchange import Pair
from tests.servers import until

from .driven import Hanging, both, executor, parts_of
from .script import VECTOR, entry

__all__ = ["executor", "parts_of"]


def getting() -> Steps[Any]:
    return (yield Get("f"))


def embedding() -> Steps[Any]:
    return (yield Embed("hello"))


def judging() -> Steps[Any]:
    return (yield Judge(Pair("one", "other", 0.9), "mine"))


def looking() -> Steps[Any]:
    return (yield Occupied("s"))


def recovering() -> Steps[Any]:
    try:
        return (yield Get("f"))
    except CacheUnavailable:
        return "recovered"


def test_results_are_sent_into_the_story(parts_of: Callable[..., Parts]) -> None:
    stored = entry()

    assert [stored, stored] == both(parts_of(stored), getting)


def test_a_scope_is_occupied_by_what_is_only_landing_there(
    parts_of: Callable[..., Parts],
) -> None:
    parts = parts_of(False)
    assert [False, False] == both(parts, looking)

    parts.landings.begin(("s",))
    assert [True, True] == both(parts, looking)


def test_a_vector_is_made_in_the_executor(parts_of: Callable[..., Parts]) -> None:
    names = both(parts_of(embed=lambda _: threading.current_thread().name), embedding)

    assert all(name.startswith("ThreadPoolExecutor") for name in names)


def test_a_failure_is_raised_into_the_story_at_the_command_that_asked(
    parts_of: Callable[..., Parts],
) -> None:
    assert ["recovered"] * 2 == both(parts_of(CacheUnavailable("gone")), recovering)


def test_whatever_a_part_raises_is_unavailable_outside(parts_of: Callable[..., Parts]) -> None:
    first, second = both(parts_of(ZeroDivisionError("oops")), getting)

    # Without its message, which may quote a text.
    assert first.startswith("ZeroDivisionError at ")
    assert "oops" not in first
    assert "passing by" == second


def test_an_embedder_that_hangs_costs_one_deadline(parts_of: Callable[..., Parts]) -> None:
    go = threading.Event()
    parts = parts_of(embed=lambda _: go.wait(5))

    assert ["no answer within 50 ms", "passing by"] == both(parts, embedding)
    go.set()


@pytest.mark.parametrize("obeyed", [obey, lambda *a: asyncio.run(obey_async(*a))])
def test_a_store_is_tried_again_while_nobody_waits(
    parts_of: Callable[..., Parts], obeyed: Callable[..., Any]
) -> None:
    now, store = [0.0], Hanging()
    parts = replace(parts_of(), store=store, store_breaker=Breaker("store", lambda: now[0]))
    parts.store_breaker.failed(OSError("gone"))
    now[0] += LONGEST_PAUSE_S
    for _ in range(2):
        with pytest.raises(CacheUnavailable, match="passing by"):
            obeyed(parts, somebody(parts), Get("f"))
    assert parts.store_breaker.is_open
    store.go_on.set()
    assert parts.probes.drain(5)

    assert not parts.store_breaker.is_open
    # First with the time to connect that a new connection takes.
    assert [(Get("f"), None), (Get("f"), parts.store_deadline_s / 2)] == store.asked
    parts.probes.close()


def test_what_was_on_its_way_when_a_store_failed_is_no_news_of_it(
    parts_of: Callable[..., Parts],
) -> None:
    now, store, asked = [0.0], Hanging(), []
    parts = replace(parts_of(), store=store, store_breaker=Breaker("store", lambda: now[0]))
    slow = threading.Thread(target=lambda: asked.append(obey(parts, nobody(), Get("f"))))
    slow.start()
    until(lambda: store.asked)
    parts.store_breaker.failed(OSError("gone"))
    now[0] += LONGEST_PAUSE_S
    # A probe is on its way, too.
    assert parts.store_breaker.wants_probe()
    store.go_on.set()
    slow.join(5)

    assert 1 == len(asked)
    assert parts.store_breaker.is_open


def test_what_counts_is_not_counted_twice_by_a_probe(parts_of: Callable[..., Parts]) -> None:
    now, store = [0.0], Hanging()
    store.go_on.set()
    parts = replace(parts_of(), store=store, store_breaker=Breaker("store", lambda: now[0]))
    parts.store_breaker.failed(OSError("gone"))
    now[0] += LONGEST_PAUSE_S
    with pytest.raises(CacheUnavailable, match="passing by"):
        obey(parts, nobody(), Weigh("pool", 1, checked=1))
    assert parts.probes.drain(5)

    assert [Weigh("pool", 1, checked=1)] == [command for command, _ in store.asked]
    parts.probes.close()


def test_a_store_that_takes_nothing_still_answers(
    parts_of: Callable[..., Parts], caplog: pytest.LogCaptureFixture
) -> None:
    parts = parts_of(WriteDenied("full"))
    for _ in range(2):
        with pytest.raises(CacheUnavailable):
            obey(parts, nobody(), Put(entry()))
    for store in (parts.store, parts.awaitable_store):
        store.answer = "found"  # type: ignore[union-attr]  # our own

    assert ["found", "found"] == both(parts, getting)
    with pytest.raises(CacheUnavailable, match="passing by"):
        obey(parts, nobody(), Put(entry()))
    # What takes something away is never held back.
    assert "found" == obey(parts, nobody(), Refuse("c"))
    assert ["[Khazad] store takes no more answers: full"] == caplog.messages


def test_nobody_waits_for_a_model_that_is_being_loaded(parts_of: Callable[..., Parts]) -> None:
    parts = parts_of()
    parts.embedder.is_loaded = False  # type: ignore[misc]  # our own embedder

    assert ["the model is being loaded"] * 2 == both(parts, embedding)
    assert parts.embed_breaker.allows()


def test_what_nobody_waits_for_may_wait_for_the_model(parts_of: Callable[..., Parts]) -> None:
    parts = parts_of()
    parts.embedder.is_loaded = False  # type: ignore[misc]  # our own embedder

    def patient() -> Steps[Any]:
        return (yield Embed("hello", may_wait=True))

    assert all(vector is VECTOR for vector in both(parts, patient))


def test_a_judgement_is_made_on_the_verifiers_threads(parts_of: Callable[..., Parts]) -> None:
    names = both(parts_of(approve=lambda _: threading.current_thread().name), judging)

    assert all(name.startswith("ThreadPoolExecutor") for name in names)


def test_a_verifier_that_hangs_costs_one_deadline_and_no_other_part(
    parts_of: Callable[..., Parts],
) -> None:
    go = threading.Event()
    parts = parts_of("stored", approve=lambda _: go.wait(5))

    assert ["no answer within 50 ms", "passing by"] == both(parts, judging)
    assert ["stored", "stored"] == both(parts, getting)
    go.set()


def test_where_there_is_no_verifier_there_is_no_judgement(parts_of: Callable[..., Parts]) -> None:
    assert ["there is no verifier"] * 2 == both(parts_of(), judging)


# -- told on a thread


def telling(told_on: list[str]) -> Steps[str]:
    told_on.append(threading.current_thread().name)
    try:
        yield Get("a")
    except CacheUnavailable:
        told_on.append(threading.current_thread().name)
    return "end"


@pytest.mark.parametrize("answer", [entry(), CacheUnavailable("gone")])
def test_a_long_story_is_told_elsewhere_and_its_commands_are_awaited_here(
    parts_of: Callable[..., Parts], executor: ThreadPoolExecutor, answer: Any
) -> None:
    told_on: list[str] = []
    obeyed_on: list[str] = []

    async def obey(command: Any) -> Any:
        obeyed_on.append(threading.current_thread().name)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def away(job: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(executor, job)

    assert "end" == asyncio.run(run_async(telling(told_on), obey, away))
    assert [threading.current_thread().name] == obeyed_on
    assert threading.current_thread().name not in told_on


def test_a_story_that_is_left_while_it_is_told_elsewhere_still_ends(
    executor: ThreadPoolExecutor,
) -> None:
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def long() -> Steps[None]:
        try:
            begun.set()
            go_on.wait(10)
            yield Get("a")
        finally:
            ended.set()

    steps = long()

    async def away(job: Callable[[], Any]) -> Any:
        return await asyncio.get_running_loop().run_in_executor(executor, job)

    async def left() -> None:
        task = asyncio.create_task(run_async(steps, obey_nothing, away))
        while not begun.is_set():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not ended.is_set()
        go_on.set()

    asyncio.run(left())
    assert ended.wait(10)


async def obey_nothing(command: Any) -> Any:
    raise AssertionError("nothing is asked")
