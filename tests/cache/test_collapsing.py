from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.collapsing import coalesced
from khazad_mitm.cache.commands import Lease, Pause, Steps
from khazad_mitm.cache.drive import run
from khazad_mitm.cache.flights import WAIT_S, Flights, Turn
from khazad_mitm.cache.lookup import NOT_ACCEPTED
from khazad_mitm.cache.rules import Rules
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Entry, Framing, Hit, Outcome

from .script import NOW, RULES, asked, begun, entry, jwt, kinds, lookup, play

ANSWER = entry()


def told(turns: list[Future[Turn | Entry]]) -> list[Turn | Entry | None]:
    return [turn.result(0) if turn.done() else None for turn in turns]


def story(some: Flights, rules: Rules = RULES, **fields: Any) -> Steps[Outcome]:
    request = asked("hello", **{"exact_only": "n", **fields})
    return coalesced(lambda: lookup(request, rules, NOW), some, NOW, request, follows=True)


def test_who_leads_asks_the_store_and_tells_the_others_of_his_miss_when_it_ends() -> None:
    commands, miss = play(story(Flights()), Turn.LEAD, None, True)

    assert ["Join", "Get", "Lease"] == kinds(commands)
    assert commands[0].flight == miss.flight == miss.digests.fingerprint


def test_who_is_handed_the_answer_asks_for_nothing() -> None:
    fresh = entry(stored_at=NOW + 1)
    commands, hit = play(story(Flights()), fresh)
    _, known = play(story(Flights()), ANSWER)

    assert ["Join"] == kinds(commands)
    assert Hit(hit.parsed, fresh, "exact", is_collapsed=True) == hit
    # In the store before this one asked: no call was saved by waiting.
    assert Hit(hit.parsed, ANSWER, "exact") == known


def test_an_answer_too_old_for_this_caller_sends_him_on_alone() -> None:
    headers = {"cache-control": "max-age=5"}
    commands, miss = play(story(Flights(), headers=headers), ANSWER)

    assert (["Join"], "") == (kinds(commands), miss.flight)


def test_who_goes_alone_asks_the_store_and_nobody_waits_for_him() -> None:
    commands, miss = play(story(Flights()), Turn.ALONE, None)

    assert (["Join", "Get"], "") == (kinds(commands), miss.flight)


def test_what_the_leader_finds_is_handed_on() -> None:
    some = Flights()
    steps = story(some)
    flight = begun(steps).flight
    turns = [some.join(flight) for _ in range(2)]
    steps.send(Turn.LEAD)
    with pytest.raises(StopIteration) as ended:
        steps.send(ANSWER)

    assert Hit(ended.value.value.parsed, ANSWER, "exact") == ended.value.value
    assert [Turn.LEAD, ANSWER] == told(turns)


@pytest.mark.parametrize("how", ["store away", "left in the middle"])
def test_a_leader_who_fails_hands_over(how: str) -> None:
    some = Flights()
    steps = story(some)
    flight = begun(steps).flight
    turns = [some.join(flight) for _ in range(2)]
    steps.send(Turn.LEAD)
    if how == "store away":
        with pytest.raises(CacheUnavailable):
            steps.throw(CacheUnavailable("no answer"))
    else:
        steps.close()

    assert [Turn.LEAD, Turn.LEAD] == told(turns)


def test_who_leads_waits_for_another_worker_and_looks_again() -> None:
    some, fresh = Flights(), entry(stored_at=NOW + 1)
    polls = False, None, False, None, True
    commands, hit = play(story(some), Turn.LEAD, None, *polls, fresh, None)

    asking = ["Join", "Get", "Lease", "Pause", "Lease", "Pause", "Lease", "Get", "Renew"]
    assert asking == kinds(commands)
    assert Hit(hit.parsed, fresh, "exact", is_collapsed=True) == hit
    assert {some.holder} == {one.holder for one in commands if isinstance(one, Lease)}
    assert commands[3].seconds < commands[5].seconds
    assert (commands[-1].holder, commands[-1].seconds) == (some.holder, 0.0)


def test_a_worker_that_never_comes_back_is_waited_for_no_longer_than_anybody() -> None:
    pauses: list[float] = []

    def said(command: Any) -> Any:
        pauses.extend([command.seconds] if isinstance(command, Pause) else [])
        known = {"IsAccepted": True, "Join": Turn.LEAD, "Lease": False}
        return known.get(type(command).__name__)

    assert run(story(Flights()), said).is_leader  # type: ignore[union-attr]  # a miss
    assert WAIT_S <= sum(pauses) < WAIT_S + 1


def test_nobody_waits_for_a_stream_of_another_worker() -> None:
    framing = Framing("sse")
    commands, miss = play(story(Flights(), framing=framing), Turn.LEAD, None)

    assert (["Join", "Get"], True) == (kinds(commands), miss.is_leader)


def test_callers_by_different_rules_do_not_wait_for_each_other() -> None:
    plain = begun(lookup(asked("hello"), RULES, NOW))
    stricter = begun(lookup(asked("hello", headers={"x-khazad-threshold": "0.99"}), RULES, NOW))

    assert plain.fingerprint == stricter.fingerprint
    assert plain.flight != stricter.flight


@pytest.mark.parametrize(
    ("rules", "fields"),
    [
        (RULES, {"headers": {"cache-control": "no-cache"}}),
        (RULES, {"headers": {"cache-control": "only-if-cached"}}),
        (replace(RULES, mode="refresh"), {}),
        (replace(RULES, tenant="shared"), {}),
    ],
    ids=["no-cache", "only-if-cached", "refresh", "not accepted"],
)
def test_whoever_wants_no_other_answer_waits_for_nobody(
    rules: Rules, fields: dict[str, Any]
) -> None:
    is_accepted = rules.tenant != "shared"
    commands, _ = play(story(Flights(), rules, **fields), accepted=is_accepted)

    assert "Join" not in kinds(commands)


def test_of_those_who_show_the_same_new_key_one_asks_the_upstream() -> None:
    commands, miss = play(story(Flights()), Turn.LEAD, None, True, accepted=False)
    no, yes = (False,), (True, True)
    fresh = entry(stored_at=NOW + 1)
    handed, hit = play(story(Flights()), *no, fresh, *yes, accepted=None)

    assert (["Join", "Get", "Lease"], NOT_ACCEPTED) == (kinds(commands), miss.reason)
    assert commands[0].flight == miss.flight
    assert ["IsAccepted", "Join", "IsAccepted", "IsAccepted"] == kinds(handed)
    assert Hit(hit.parsed, fresh, "exact", is_collapsed=True) == hit


@pytest.mark.parametrize("turn", [(ANSWER,), (Turn.LEAD, ANSWER, True), (Turn.ALONE, ANSWER)])
def test_no_answer_is_handed_to_a_key_that_is_still_not_accepted(turn: Any) -> None:
    _, miss = play(story(Flights()), *turn, accepted=False)

    assert NOT_ACCEPTED == miss.reason


def test_a_token_waits_for_no_other_token_of_the_same_holder() -> None:
    headers = {"authorization": f"Bearer {jwt(sub='one')}"}
    commands, miss = play(story(Flights(), headers=headers), accepted=False)

    assert ([], "") == (commands, miss.flight)
