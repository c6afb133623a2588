from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.commands import Alias, Judge, Nearest
from khazad_mitm.cache.second import MOST_JUDGED, judge_later
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Hit, Miss, Neighbour, Pair

from .script import NOW, RULES, VECTOR, asked, kinds, lookup, near, play

VERIFIED = replace(RULES, verifier="mine")
LATER = replace(VERIFIED, verifier_waits=False)
WIDE = replace(VERIFIED, verifier_margin=0.05)

ALIKE = near(0.95, "how do I change my password?", id="1" * 32)
BELOW = near(0.87, "how do I change my password?", id="2" * 32)
QUESTION = asked("How can I change my password?")


def test_the_verifier_is_asked_after_the_guards_and_approves() -> None:
    commands, outcome = play(lookup(QUESTION, VERIFIED, NOW), None, VECTOR, [ALIKE], True)

    pair = Pair("how do I change my password?", "How can I change my password?", 0.95)
    assert Judge(pair, "mine") == commands[-1]
    assert ("semantic", ALIKE.entry) == (outcome.tier, outcome.entry)


def test_what_a_guard_refuses_is_not_shown_to_the_verifier() -> None:
    wrong = near(0.99, "where is order 4712?")
    commands, outcome = play(
        lookup(asked("where is order 4711?"), VERIFIED, NOW), None, VECTOR, [wrong]
    )

    assert "Judge" not in kinds(commands)
    assert ("refused figures", ()) == (outcome.reason, outcome.unjudged)


def test_a_refusal_of_the_verifier_is_named_and_hides_no_other() -> None:
    other = near(0.93, "how could I change my password?", id="3" * 32)
    _, outcome = play(lookup(QUESTION, VERIFIED, NOW), None, VECTOR, [ALIKE, other], False, True)
    _, refused = play(lookup(QUESTION, VERIFIED, NOW), None, VECTOR, [ALIKE], False)

    assert other.entry == outcome.entry
    assert ("refused verifier", ()) == (refused.reason, refused.unjudged)


def test_nobody_waits_for_more_than_a_few_judgements() -> None:
    many = [near(0.95, "how do I change my password?", id=f"{n:032}") for n in range(6)]
    commands, outcome = play(
        lookup(QUESTION, VERIFIED, NOW), None, VECTOR, many, *[False] * MOST_JUDGED
    )

    assert MOST_JUDGED == kinds(commands).count("Judge")
    assert tuple(many[MOST_JUDGED:]) == outcome.unjudged


def test_a_verifier_that_is_late_makes_a_miss_that_is_judged_later() -> None:
    late = CacheUnavailable("no answer within 300 ms")
    _, outcome = play(lookup(QUESTION, VERIFIED, NOW), None, VECTOR, [ALIKE], late)

    assert isinstance(outcome, Miss)
    assert ("", (ALIKE,)) == (outcome.reason, outcome.unjudged)


def test_where_nobody_may_wait_the_verifier_is_not_asked() -> None:
    commands, outcome = play(lookup(QUESTION, LATER, NOW), None, VECTOR, [ALIKE])

    assert "Judge" not in kinds(commands)
    assert (ALIKE,) == outcome.unjudged


def test_what_is_a_little_below_the_threshold_is_judged_later_and_never_served() -> None:
    commands, outcome = play(lookup(QUESTION, WIDE, NOW), None, VECTOR, [BELOW])

    assert isinstance(commands[2], Nearest)
    assert pytest.approx(0.85) == commands[2].at_least
    assert isinstance(outcome, Miss)
    assert (BELOW,) == outcome.unjudged


@pytest.mark.parametrize("rules", [RULES, replace(RULES, verifier_margin=0.05), VERIFIED])
def test_without_a_margin_for_a_verifier_nothing_below_the_threshold_is_looked_at(
    rules: Any,
) -> None:
    far = Neighbour("2" * 32, 0.87, None)
    commands, outcome = play(lookup(QUESTION, rules, NOW), None, VECTOR, [far])

    assert 0.90 == commands[2].at_least  # type: ignore[union-attr]
    assert () == outcome.unjudged


def test_no_verifier_talks_a_caller_out_of_the_threshold_he_has_raised() -> None:
    request = asked("How can I change my password?", headers={"X-Khazad-Threshold": "0.97"})
    commands, _ = play(lookup(request, WIDE, NOW), None, VECTOR, [])

    assert 0.97 == commands[2].at_least  # type: ignore[union-attr]


def test_what_is_approved_later_becomes_an_alias() -> None:
    _, miss = play(lookup(QUESTION, LATER, NOW), None, VECTOR, [ALIKE, BELOW][:1])
    commands, found = play(judge_later(miss, "mine"), True, None)

    assert found
    assert [
        Judge(commands[0].pair, "mine", may_wait=True),  # type: ignore[union-attr]
        Alias(miss.alias, miss.digests.conversation, ALIKE.entry),
    ] == commands


def test_what_is_refused_later_becomes_none() -> None:
    _, miss = play(lookup(QUESTION, LATER, NOW), None, VECTOR, [ALIKE])

    commands, found = play(judge_later(miss, "mine"), False)

    assert (["Judge"], False) == (kinds(commands), found)


@pytest.mark.parametrize(
    "other",
    [
        RULES,
        replace(VERIFIED, verifier="another"),
        WIDE,
        replace(VERIFIED, guards_off=frozenset({"order"})),
        replace(VERIFIED, threshold=0.8),
    ],
)
def test_an_alias_belongs_to_all_that_decided_it(other: Any) -> None:
    def alias(rules: Any) -> Any:
        return play(lookup(QUESTION, rules, NOW), None, VECTOR, [])[0][0].alias

    assert alias(VERIFIED) == alias(VERIFIED)
    assert alias(VERIFIED) != alias(other)


def test_a_guard_that_is_switched_off_refuses_nothing() -> None:
    rules = replace(RULES, guards_off=frozenset({"figures"}))
    wrong = near(0.99, "where is order 4712?")
    _, outcome = play(lookup(asked("where is order 4711?"), rules, NOW), None, VECTOR, [wrong])

    assert isinstance(outcome, Hit)
