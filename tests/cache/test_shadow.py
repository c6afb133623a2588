"""A budget at work in a whole cache: what it learns, what it serves, what it asks again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.budget import Earned, Tally
from khazad_mitm.cache.commands import Forget, ForgetMany, Inventory, Settle, Standing, Weigh
from khazad_mitm.cache.shadow import HOUR_S, Sampler, Terms, is_sampled, observe
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Hit, Miss
from khazad_mitm.messages import Headers

from .desk import Desk
from .script import asked, kinds, near, play
from .test_compare import chat

TERMS = Terms(most_wrong=0.1, lowest=0.75, share=0.0)
ALWAYS = replace(TERMS, share=1.0)


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk(terms=TERMS, threshold=0.75)
    yield made
    made.cache.close()


@pytest.fixture
def checking() -> Iterator[Desk]:
    """All that is served is asked again."""
    made = Desk(terms=ALWAYS, threshold=0.75)
    yield made
    made.cache.close()


def opened(desk: Desk, at: float = 0.75, share: float = 0.0) -> str:
    """The pool of plain questions, opened as if it had earned it."""
    miss = desk.ask(asked("zzz"))
    assert isinstance(miss, Miss)
    desk.store.perform(Settle(miss.pool, Earned(at, share)))
    return miss.pool


def asked_again(desk: Desk, hit: Any, body: bytes) -> None:
    capture = desk.cache.shadow(hit)
    assert capture is not None
    capture.feed(body)
    capture.finish(200, Headers([("Content-Type", "application/json")]))
    assert desk.cache.drain(5)


def expire_all(desk: Desk) -> None:
    """The answers; what was learned stays."""
    desk.store.perform(ForgetMany(tuple(facts.id for facts in desk.store.perform(Inventory()))))


def test_nothing_is_served_by_meaning_before_it_is_proven(desk: Desk) -> None:
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))
    outcome = desk.ask(asked("coffee or tea"))

    assert isinstance(outcome, Miss)
    assert "unproven" == outcome.reason
    assert outcome.candidate is not None


def test_repeats_are_served_as_ever(desk: Desk) -> None:
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))

    assert isinstance(desk.ask(asked("tea or coffee")), Hit)


def test_a_miss_that_had_a_neighbour_teaches_without_another_call(desk: Desk) -> None:
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))
    miss = desk.ask(asked("coffee or tea"))
    desk.answer(miss, chat("Tea.", 2))

    assert isinstance(miss, Miss)
    known = desk.store.perform(Weigh(miss.pool, 19))
    assert (1, 1, 0) == (known[19].candidates, known[19].checked, known[19].wrong)
    assert 1 == desk.cache.stats().checked_misses


def test_another_answer_counts_as_wrong(desk: Desk) -> None:
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea, 2 cups."))
    miss = desk.ask(asked("coffee or tea"))
    desk.answer(miss, chat("Tea, 3 cups.", 2))

    assert isinstance(miss, Miss)
    assert 1 == desk.store.perform(Weigh(miss.pool, 19))[19].wrong


def test_a_pool_opens_by_itself_and_its_hits_are_counted(desk: Desk) -> None:
    for index in range(200):
        outcome = desk.ask(asked("tea or coffee" + "!" * index))
        if isinstance(outcome, Hit):
            break
        desk.answer(outcome, chat("Tea.", index))
    else:
        pytest.fail("it never opened")

    assert desk.cache.drain(5)
    assert outcome.tier == "semantic"
    assert outcome.paraphrase is not None
    known = desk.store.perform(Weigh(outcome.paraphrase.pool, 0))
    # The very first had no neighbour; the hit is a candidate that was not checked.
    assert Tally(index - 1, index - 1, 0) == known[19]
    assert Tally(1, 0, 0) == known[39]


def test_pools_of_other_system_prompts_prove_nothing_to_each_other(desk: Desk) -> None:
    def behind(system: str, question: str) -> Any:
        return asked({"role": "system", "content": system}, {"role": "user", "content": question})

    one, other = desk.ask(behind("Be kind.", "hello")), desk.ask(behind("Be brief.", "hello"))
    again = desk.ask(behind("Be kind.", "good night"))
    longer = desk.ask(
        asked({"role": "system", "content": "Be kind."}, {"role": "user", "content": "a"}, "b", "c")
    )

    assert isinstance(one, Miss)
    assert isinstance(other, Miss)
    assert isinstance(again, Miss)
    assert isinstance(longer, Miss)
    assert one.pool == again.pool == longer.pool != other.pool


def test_a_paraphrase_is_forgotten_while_its_pool_demands_more(desk: Desk) -> None:
    pool = opened(desk)
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))
    assert isinstance(desk.ask(asked("coffee or tea")), Hit)
    assert desk.cache.drain(5)
    desk.store.perform(Settle(pool, None))

    assert isinstance(desk.ask(asked("coffee or tea")), Miss)


def test_a_caller_may_raise_the_learned_threshold(desk: Desk) -> None:
    opened(desk)
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))
    close = asked("tea or coffees", headers={"x-khazad-threshold": "0.999"})

    assert isinstance(desk.ask(close), Miss)
    assert isinstance(desk.ask(asked("tea or coffees")), Hit)


def test_what_is_not_sampled_is_left_alone(desk: Desk) -> None:
    opened(desk)
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))

    assert desk.cache.shadow(desk.ask(asked("coffee or tea"))) is None
    assert desk.cache.shadow(desk.ask(asked("tea or coffee"))) is None
    assert desk.cache.shadow(None) is None


def test_the_first_hits_of_a_pool_are_sampled_more_often(desk: Desk) -> None:
    opened(desk, share=1.0)
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))
    hit = desk.ask(asked("coffee or tea"))

    assert isinstance(hit, Hit)
    assert hit.is_sampled


def test_what_leaves_traces_is_never_checked_more_often_than_was_said(desk: Desk) -> None:
    opened(desk, share=1.0)
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea."))
    hit = desk.ask(replace(asked("coffee or tea"), leaves_traces=True))

    assert isinstance(hit, Hit)
    assert not hit.is_sampled


def test_a_hit_that_was_right_is_checked_and_stays(checking: Desk) -> None:
    pool = opened(checking)
    checking.answer(checking.ask(asked("tea or coffee")), chat("Tea."))
    hit = checking.ask(asked("coffee or tea"))
    asked_again(checking, hit, chat("Tea.", 2))

    known = checking.store.perform(Weigh(pool, 39))[39]
    assert (1, 1, 0) == (known.candidates, known.checked, known.wrong)
    assert 1 == checking.cache.stats().checked_hits
    assert 1 == checking.store.count()


def test_a_hit_that_was_wrong_counts_and_is_not_repeated(checking: Desk) -> None:
    pool = opened(checking)
    checking.answer(checking.ask(asked("tea or coffee")), chat("Tea, 2 cups."))
    hit = checking.ask(asked("coffee or tea"))
    asked_again(checking, hit, chat("Tea, 3 cups.", 2))
    repeat = checking.ask(asked("coffee or tea"))

    assert 1 == checking.store.perform(Weigh(pool, 39))[39].wrong
    assert 1 == checking.cache.stats().wrong_hits
    assert isinstance(repeat, Hit)
    assert "Tea, 3 cups." == json.loads(repeat.entry.answer)["choices"][0]["message"]["content"]
    assert checking.store.perform(Standing(pool)) is None


def test_two_questions_with_different_answers_are_never_taken_for_each_other_again(
    desk: Desk,
) -> None:
    """Whichever is asked, and after both answers have expired."""
    pool = opened(desk, at=0.999)
    one, other = asked("tea or coffee"), asked("coffee or tea, please")
    desk.answer(desk.ask(one), chat("Tea, 2 cups."))
    desk.answer(desk.ask(other), chat("Tea, 3 cups.", 2))
    desk.store.perform(Settle(pool, Earned(0.75)))
    for stored, question in ((one, other), (other, one)):
        expire_all(desk)
        desk.answer(desk.ask(stored), chat("Tea, 2 cups."))
        outcome = desk.ask(question)

        assert isinstance(outcome, Miss)
        assert "refused evidence" == outcome.reason
        assert outcome.candidate is None
        desk.answer(outcome, chat("Tea, 3 cups.", 3))


def test_a_hit_that_was_wrong_is_not_served_again_once_it_has_expired(checking: Desk) -> None:
    pool = opened(checking)
    checking.answer(checking.ask(asked("tea or coffee")), chat("Tea, 2 cups."))
    asked_again(checking, checking.ask(asked("coffee or tea")), chat("Tea, 3 cups.", 2))
    expire_all(checking)
    checking.store.perform(Settle(pool, Earned(0.75)))
    checking.answer(checking.ask(asked("tea or coffee")), chat("Tea, 2 cups."))

    assert isinstance(checking.ask(asked("coffee or tea")), Miss)


def test_the_next_neighbour_answers_in_place_of_one_that_was_refuted(desk: Desk) -> None:
    desk.answer(desk.ask(asked("tea or coffee")), chat("Tea, 2 cups."))
    desk.answer(desk.ask(asked("coffee or teas")), chat("Tea, 3 cups.", 2))
    own = desk.ask(asked("coffee or teas"))
    assert isinstance(own, Hit)
    desk.store.perform(Forget(own.entry.id))
    desk.answer(desk.ask(asked("teas or coffee")), chat("Tea, 3 cups.", 3))
    opened(desk)
    hit = desk.ask(asked("coffee or teas"))

    assert isinstance(hit, Hit)
    assert "teas or coffee" == hit.entry.question


def test_an_error_teaches_nothing(checking: Desk) -> None:
    pool = opened(checking)
    checking.answer(checking.ask(asked("tea or coffee")), chat("Tea."))
    capture = checking.cache.shadow(checking.ask(asked("coffee or tea")))
    assert capture is not None
    capture.feed(b"{}")
    capture.finish(429, Headers())
    assert checking.cache.drain(5)

    assert 0 == checking.store.perform(Weigh(pool, 39))[39].checked


def test_what_leaves_traces_is_checked_by_not_serving_it(checking: Desk) -> None:
    opened(checking)
    checking.answer(checking.ask(asked("tea or coffee")), chat("Tea."))
    outcome = checking.ask(replace(asked("coffee or tea"), leaves_traces=True))

    assert isinstance(outcome, Miss)
    assert "checked" == outcome.reason
    assert outcome.candidate is not None


def test_background_calls_are_granted_so_many_an_hour() -> None:
    now = [0.0]
    sampler = Sampler(2, lambda: now[0])
    hit = Hit(asked("a"), near(0.9, "b").entry, "semantic", 0.9, is_sampled=True)  # type: ignore[arg-type]

    assert [True, True, False] == [sampler.grants(hit) for _ in range(3)]
    now[0] = HOUR_S
    assert sampler.grants(hit)
    assert not sampler.grants(replace(hit, is_sampled=False))


def test_about_the_share_is_sampled_and_always_the_same(desk: Desk) -> None:
    miss = desk.ask(asked("hello"))
    assert isinstance(miss, Miss)
    terms = replace(TERMS, share=0.2)
    stored = [near(0.9, "hi", id=f"{number:032x}") for number in range(1_000)]
    drawn = [is_sampled(miss, one, terms.share) for one in stored]

    assert 150 < sum(drawn) < 250
    assert drawn == [is_sampled(miss, one, terms.share) for one in stored]


def test_a_judge_that_fails_counts_for_nothing(desk: Desk) -> None:
    miss = desk.ask(asked("hello"))
    assert isinstance(miss, Miss)
    stored = near(0.9, "hi", answer=chat("Good day."))
    steps = observe(
        miss, stored, chat("Hello there."), replace(TERMS, has_judge=True), was_served=False
    )
    commands, agreed = play(steps, CacheUnavailable("no judge"))

    assert ["JudgeAnswers"] == kinds(commands)
    assert agreed is None
