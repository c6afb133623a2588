"""A store that is away: what a lookup comes to, and who asks the upstream for whom."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from khazad_mitm.cache.collapsing import coalesced
from khazad_mitm.cache.flights import Flights, Turn
from khazad_mitm.cache.without_store import STORE_AWAY, as_if_empty
from khazad_mitm.errors import CacheUnavailable, WriteDenied
from khazad_mitm.exchange import Miss, Unsatisfied

from .desk import Desk
from .script import NOW, RULES, VECTOR, asked, entry, jwt, kinds, lookup, play

GONE = CacheUnavailable("gone")


def story(failures: list[str], *turns: str, **fields: Any) -> Any:
    steps = lookup(asked(*(turns or ("hello",)), **fields), RULES, NOW)
    return as_if_empty(steps, lambda: failures.append("failed"))


def test_a_store_that_never_answers_leads_to_a_miss_without_embedding() -> None:
    failures: list[str] = []
    commands, miss = play(story(failures), GONE, GONE, accepted=None)

    assert ["IsAccepted", "Get"] == kinds(commands)
    assert (STORE_AWAY, ["failed"]) == (miss.reason, failures)


@pytest.mark.parametrize("away", range(4))
def test_a_store_that_goes_in_the_middle_leads_to_one_too(away: int) -> None:
    results: list[Any] = [None, (None,), True, VECTOR, []]
    results[(0, 1, 2, 4)[away]] = GONE
    # Nothing is embedded where there is nothing to compare with.
    results = results if away == 3 else results[:3]
    commands, miss = play(story([], "hello", "yes", "and you?"), *results)

    assert STORE_AWAY == miss.reason
    assert ["Get", "Resolve", "Occupied", "Embed", "Nearest"][: len(commands)] == kinds(commands)


def test_an_embedder_that_fails_is_no_matter_of_the_store() -> None:
    failures: list[str] = []
    _, miss = play(story(failures), None, GONE)

    assert ("embedder unavailable", []) == (miss.reason, failures)


def test_a_store_that_takes_no_lease_is_not_away() -> None:
    request, failures = asked("hello", exact_only="n"), []  # type: ignore[var-annotated]
    joined = coalesced(lambda: lookup(request, RULES, NOW), Flights(), NOW, request, follows=False)
    steps = as_if_empty(joined, lambda: failures.append("failed"))
    commands, miss = play(steps, Turn.LEAD, None, WriteDenied("full"))

    assert ["Join", "Get", "Lease"] == kinds(commands)
    assert ("exact-only n", []) == (miss.reason, failures)


def test_only_if_cached_is_unsatisfied() -> None:
    headers = {"cache-control": "only-if-cached"}
    _, outcome = play(story([], headers=headers), GONE)

    assert isinstance(outcome, Unsatisfied)


def test_what_a_store_says_that_is_there_is_left_alone() -> None:
    commands, hit = play(story([]), entry())

    assert ["Get"] == kinds(commands)
    assert entry() == hit.entry


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Whose store fails at everything."""

    def fail(*_: object) -> None:
        raise GONE

    desk = Desk(mode="exact")
    monkeypatch.setattr(desk.store, "perform", fail)
    yield desk
    desk.cache.close()
    desk.executor.shutdown()


def at_once(desk: Desk, count: int, headers: Any = None) -> Any:
    pool = ThreadPoolExecutor(count)
    asking = [pool.submit(desk.ask, asked("hello", headers=headers)) for _ in range(count)]
    pool.shutdown(wait=False)
    return asking


def waiting(desk: Desk) -> int:
    return sum(len(flight.waiting) for flight in list(desk.flights._flights.values()))


def test_a_hundred_equal_questions_are_one_call_all_the_same(desk: Desk) -> None:
    asking = at_once(desk, 100)
    while waiting(desk) < 99:
        pass
    (leader,) = (one.result() for one in asking if one.done())
    desk.answer(leader)
    outcomes = [one.result(5) for one in asking]

    assert 1 == sum(isinstance(outcome, Miss) for outcome in outcomes)
    assert 99 == desk.cache.stats().coalesced
    assert 0 == desk.cache.stats().stored


def test_a_key_that_is_refused_lets_all_go(desk: Desk) -> None:
    asking = at_once(desk, 3)
    while waiting(desk) < 2:
        pass
    (leader,) = (one.result() for one in asking if one.done())
    desk.answer(leader, status=401)

    assert all(isinstance(one.result(5), Miss) for one in asking)


def test_tokens_that_nobody_can_vouch_for_go_each_for_himself(desk: Desk) -> None:
    headers = {"authorization": f"Bearer {jwt(sub='one')}"}

    assert [False] * 3 == [one.result(5).is_leader for one in at_once(desk, 3, headers)]
