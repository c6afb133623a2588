from __future__ import annotations

import asyncio
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from khazad_mitm.cache import flights
from khazad_mitm.cache.flights import WAIT_S, Flights, Turn
from khazad_mitm.exchange import Entry, Hit, Miss

from .desk import Desk
from .script import asked, entry

ANSWER = entry()


def told(turns: list[Future[Turn | Entry]]) -> list[Turn | Entry | None]:
    return [turn.result(0) if turn.done() else None for turn in turns]


def test_the_first_leads_and_the_others_wait() -> None:
    some = Flights()
    turns = [some.join("a"), some.join("a"), some.join("b")]

    assert [Turn.LEAD, None, Turn.LEAD] == told(turns)


def test_all_are_handed_the_answer_and_the_next_leads_again() -> None:
    some = Flights()
    turns = [some.join("a") for _ in range(3)]
    some.land("a", ANSWER)

    assert [Turn.LEAD, ANSWER, ANSWER] == told(turns)
    assert Turn.LEAD is some.join("a").result(0)


def test_an_answer_is_told_to_all_who_come_until_it_has_landed() -> None:
    some = Flights()
    turns = [some.join("a"), some.join("a")]
    some.tell("a", ANSWER)
    turns += [some.join("a"), some.join("a", "sse")]
    some.land("a", ANSWER)

    assert [Turn.LEAD, ANSWER, ANSWER, ANSWER, Turn.LEAD] == told([*turns, some.join("a")])


def test_an_answer_that_is_nobody_elses_lets_everyone_go() -> None:
    some = Flights()
    turns = [some.join("a") for _ in range(3)]
    some.dissolve("a")

    assert [Turn.LEAD, Turn.ALONE, Turn.ALONE] == told(turns)


def test_a_leader_without_an_answer_hands_over_to_one() -> None:
    some = Flights()
    turns = [some.join("a") for _ in range(4)]
    turns[1].cancel()  # who has gone is passed over
    some.hand_over("a")

    assert [Turn.LEAD, Turn.LEAD, None] == told([turns[0], *turns[2:]])
    some.land("a", ANSWER)
    assert ANSWER is turns[3].result(0)


def test_the_last_to_hand_over_leaves_nothing_behind() -> None:
    some = Flights()
    some.join("a")
    some.hand_over("a")

    assert Turn.LEAD is some.join("a").result(0)


def test_a_leader_who_takes_too_long_is_given_up() -> None:
    now = [0.0]
    some = Flights(clock=lambda: now[0])
    turns = [some.join("a"), some.join("a")]
    now[0] = WAIT_S + 1
    turns += [some.join("a"), some.join("a")]

    assert [Turn.LEAD, None, Turn.LEAD, None] == told(turns)


def test_whoever_has_waited_too_long_goes_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flights, "WAIT_S", 0.01)
    some = Flights(clock=lambda: 0.0)
    some.join("a")

    assert Turn.ALONE is some.wait("a")
    assert Turn.ALONE is asyncio.run(some.wait_async("a"))
    some.land("a", ANSWER)  # nobody is there to be told


def test_threads_and_tasks_wait_for_each_other() -> None:
    some = Flights()
    some.join("a")

    async def play() -> list[Turn | Entry]:
        waiting = [asyncio.ensure_future(some.wait_async("a")) for _ in range(3)]
        blocking = asyncio.get_running_loop().run_in_executor(pool, some.wait, "a")
        while len(some._flights["a"].waiting) < 4:
            await asyncio.sleep(0)
        some.land("a", ANSWER)
        return [*await asyncio.gather(*waiting), await blocking]

    with ThreadPoolExecutor(1) as pool:
        assert [ANSWER] * 4 == asyncio.run(play())


def test_a_caller_who_goes_away_leaves_his_place_to_the_next() -> None:
    some = Flights()
    some.join("a")

    async def play() -> list[Turn | Entry]:
        gone, staying = (asyncio.ensure_future(some.wait_async("a")) for _ in range(2))
        await asyncio.sleep(0)
        some.hand_over("a")
        gone.cancel()  # it leads by now, and does not know yet
        return [await staying]

    assert [Turn.LEAD] == asyncio.run(play())


@pytest.fixture
def desk() -> Any:
    desk = Desk(mode="exact")
    yield desk
    desk.cache.close()
    desk.executor.shutdown()


def both(desk: Desk) -> tuple[Miss, Future[Any]]:
    """A leader, and one who waits for him."""
    leader = desk.ask(asked("hello"))
    assert isinstance(leader, Miss)
    pool = ThreadPoolExecutor(1)
    follower = pool.submit(desk.ask, asked("hello"))
    pool.shutdown(wait=False)
    while not desk.flights._flights[leader.flight].waiting:
        pass
    return leader, follower


def test_the_answer_of_the_leader_is_everyones(desk: Desk) -> None:
    leader, follower = both(desk)
    desk.answer(leader)
    outcome = follower.result(5)

    assert isinstance(outcome, Hit)
    assert "khazad; fwd=miss; collapsed" in desk.cache.reply(outcome).headers.joined("cache-status")
    stats = desk.cache.stats()
    assert (1, 1, 1) == (stats.cache_hits, stats.coalesced, stats.cache_misses)


def test_a_hundred_equal_first_questions_of_two_new_keys_are_two_calls(desk: Desk) -> None:
    keys = [{"authorization": f"Bearer {number}"} for number in range(2)]
    with ThreadPoolExecutor(100) as pool:
        asking = [pool.submit(desk.ask, asked("hello", headers=key)) for key in keys * 50]
        leaders: list[Miss] = []
        while len(leaders) < 2:
            leaders = [one.result() for one in asking if one.done()]
        while sum(len(flight.waiting) for flight in desk.flights._flights.values()) < 98:
            pass
        for leader in leaders:
            desk.answer(leader)
        outcomes = [one.result(5) for one in asking]

    assert (2, 98) == (desk.cache.stats().cache_misses, desk.cache.stats().coalesced)
    assert all(isinstance(one, Miss) or one.is_collapsed for one in outcomes)


@pytest.mark.parametrize(
    ("end", "leads"),
    [
        (lambda desk, miss: desk.answer(miss, status=429), True),
        (lambda desk, miss: desk.cache.abandon(miss), True),
        (lambda desk, miss: desk.cache.capture(miss).abort(), True),
        (lambda desk, miss: desk.answer(miss, status=401), False),
        (lambda desk, miss: desk.answer(miss, body=b"cut"), False),
        (lambda desk, miss: desk.cache.capture(miss).feed(b" " * (10 * 1024 * 1024 + 1)), False),
    ],
    ids=["error", "no answer", "cut", "key refused", "not kept", "too big"],
)
def test_without_an_answer_to_keep_one_leads_or_all_go_alone(
    desk: Desk, end: Any, leads: bool
) -> None:
    leader, follower = both(desk)
    end(desk, leader)
    outcome = follower.result(5)

    assert isinstance(outcome, Miss)
    assert leads is outcome.is_leader
