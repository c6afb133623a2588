from __future__ import annotations

from concurrent.futures import Future
from dataclasses import replace
from functools import partial
from typing import Any

import pytest

from khazad_mitm.cache import blocks
from khazad_mitm.cache.collapsing import MOST_LOST, coalesced, stream_of
from khazad_mitm.cache.commands import Pause, Steps
from khazad_mitm.cache.drive import run
from khazad_mitm.cache.flights import WAIT_S, Flights, Turn
from khazad_mitm.cache.live import Followed, Live
from khazad_mitm.cache.lookup import NOT_ACCEPTED
from khazad_mitm.cache.rules import Rules
from khazad_mitm.cache.worker_commands import Heard, Lease, Place
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Entry, Framing, Hit
from khazad_mitm.messages import Headers

from .script import NOW, RULES, asked, begun, entry, jwt, kinds, lookup, play

ANSWER = entry()


def told(turns: list[Future[Turn | Entry]]) -> list[Turn | Entry | None]:
    return [turn.result(0) if turn.done() else None for turn in turns]


def sent(steps: Steps[Any], result: Any) -> Steps[Any]:
    """The rest of a story that has begun, from this result on."""
    command = steps.send(result)
    try:
        while True:
            command = steps.send((yield command))
    except StopIteration as end:
        return end.value


def story(some: Flights, rules: Rules = RULES, *, crosses: bool = True, **fields: Any) -> Any:
    request = asked("hello", **{"exact_only": "n", **fields})
    look = partial(lookup, request, rules, NOW)
    return coalesced(look, some, NOW, request, follows=True, crosses=crosses)


def test_who_leads_asks_the_store_and_tells_the_others_of_his_miss_when_it_ends() -> None:
    commands, miss = play(story(Flights()), Turn.LEAD, None, None)

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
    polls = "", None, "", None, None
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
        known = {"IsAccepted": True, "Join": Turn.LEAD, "Lease": ""}
        return known.get(type(command).__name__)

    assert run(story(Flights()), said).is_leader
    assert WAIT_S <= sum(pauses) < WAIT_S + 1


SSE = Framing("sse")


def streaming(some: Flights, **fields: Any) -> Any:
    return story(some, framing=SSE, **fields)


def name_of(some: Flights) -> str:
    """Under which another worker publishes such a stream."""
    commands, _ = play(streaming(some), Turn.LEAD, None, None)
    found: str = commands[-1].stream
    return found


def said_of(*words: bytes) -> Heard:
    head = blocks.of_head(Live(200, Headers([("Content-Type", "text/event-stream")])))
    return Heard((head, *(blocks.of_data([word]) for word in words)))


def test_who_leads_a_stream_says_under_which_name_others_may_read_it() -> None:
    some = Flights()
    commands, miss = play(streaming(some), Turn.LEAD, None, None)

    assert ["Join", "Get", "Lease"] == kinds(commands)
    assert commands[-1].stream == some.leases.take_stream(miss.flight)
    assert commands[-1].stream != name_of(Flights())


def test_a_stream_that_another_worker_is_given_is_read_along_from_its_first_block_on() -> None:
    some = Flights()
    name = name_of(Flights())
    told = name, (None,), None, name, (said_of(b"one"),)
    steps = streaming(some)
    flight = begun(steps).flight
    joined = [some.join(flight, stream_of(asked("hello", framing=SSE))) for _ in range(3)]
    steps.send(Turn.LEAD)
    commands, followed = play(sent(steps, None), *told)

    assert ["Lease", "Read", "Pause", "Lease", "Read"] == kinds(commands)
    assert Place(flight, name) == commands[1].places[0]
    assert isinstance(followed, Followed)
    assert [b"one"] == followed.live.after(0)
    # And all who wait for it in this process.
    assert [followed.live] * 2 == [turn.result(0) for turn in joined[1:]]


def test_who_waits_for_a_stream_of_another_worker_looks_again_when_that_is_through() -> None:
    fresh = entry(stored_at=NOW + 1, framing=SSE)
    told = name_of(Flights()), (None,), None, None, fresh, None
    commands, hit = play(streaming(Flights()), Turn.LEAD, None, *told)

    asking = ["Join", "Get", "Lease", "Read", "Pause", "Lease", "Get", "Renew"]
    assert asking == kinds(commands)
    assert Hit(hit.parsed, fresh, "exact", is_collapsed=True) == hit


@pytest.mark.parametrize("theirs", ["", "0" * 32], ids=["plain", "another framing"])
def test_nobody_waits_for_another_kind_of_answer_of_another_worker(theirs: str) -> None:
    commands, miss = play(streaming(Flights()), Turn.LEAD, None, theirs)

    assert (["Join", "Get", "Lease"], True) == (kinds(commands), miss.is_leader)


CUT_AT_ONCE = Heard((*said_of(b"one").blocks, blocks.CUT))


@pytest.mark.parametrize("heard", [Heard((), is_lost=True), Heard((b"no head",)), CUT_AT_ONCE])
def test_a_stream_that_cannot_be_begun_is_waited_for_a_moment_and_then_asked_for_anew(
    heard: Heard,
) -> None:
    name = name_of(Flights())
    handed = name, (heard,), None, None, None
    commands, miss = play(streaming(Flights()), Turn.LEAD, None, *handed)
    assert ["Lease", "Read", "Pause", "Lease", "Get"] == kinds(commands)[2:]
    assert miss.is_leader

    told = [name, (heard,), None] * MOST_LOST
    commands, miss = play(streaming(Flights()), Turn.LEAD, None, *told[:-1], None)
    assert MOST_LOST == kinds(commands).count("Read")
    assert miss.is_leader


def test_a_stream_that_may_not_lie_in_the_store_is_no_other_workers() -> None:
    steps = streaming(Flights(), crosses=False)
    commands, miss = play(steps, Turn.LEAD, None)

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
    commands, miss = play(story(Flights()), Turn.LEAD, None, None, accepted=False)
    no, yes = (False,), (True, True)
    fresh = entry(stored_at=NOW + 1)
    handed, hit = play(story(Flights()), *no, fresh, *yes, accepted=None)

    assert (["Join", "Get", "Lease"], NOT_ACCEPTED) == (kinds(commands), miss.reason)
    assert commands[0].flight == miss.flight
    assert ["IsAccepted", "Join", "IsAccepted", "IsAccepted"] == kinds(handed)
    assert Hit(hit.parsed, fresh, "exact", is_collapsed=True) == hit


@pytest.mark.parametrize("turn", [(ANSWER,), (Turn.LEAD, ANSWER, None), (Turn.ALONE, ANSWER)])
def test_no_answer_is_handed_to_a_key_that_is_still_not_accepted(turn: Any) -> None:
    _, miss = play(story(Flights()), *turn, accepted=False)

    assert NOT_ACCEPTED == miss.reason


def test_a_token_waits_for_no_other_token_of_the_same_holder() -> None:
    headers = {"authorization": f"Bearer {jwt(sub='one')}"}
    commands, miss = play(story(Flights(), headers=headers), accepted=False)

    assert ([], "") == (commands, miss.flight)
