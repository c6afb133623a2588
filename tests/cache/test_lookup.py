from __future__ import annotations

from dataclasses import replace

import pytest

from khazad_mitm.cache.commands import Accept, Nearest
from khazad_mitm.cache.keeping import vouch
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Bypass, Hit, Miss, Neighbour, Unsatisfied
from khazad_mitm.messages import Headers, Response

from .script import NOW, RULES, VECTOR, asked, entry, kinds, lookup, near, play

WHOLE = Response(200, Headers([("X-Request-Id", "r1")]), b"{}")


def test_a_repeat_is_an_exact_hit_and_embeds_nothing() -> None:
    stored = entry()
    commands, outcome = play(lookup(asked("hello"), RULES, NOW), stored)

    assert ["Get"] == kinds(commands)
    assert ("exact", stored) == (outcome.tier, outcome.entry)


def test_a_near_question_is_a_semantic_hit() -> None:
    question = near(0.95, "how do I change my password?")
    commands, outcome = play(
        lookup(asked("How can I change my password?"), RULES, NOW), None, VECTOR, [question]
    )

    assert ["Get", "Embed", "Nearest"] == kinds(commands)
    assert isinstance(outcome, Hit)
    assert ("semantic", 0.95) == (outcome.tier, outcome.similarity)


def test_nothing_near_is_a_miss_that_says_how_near() -> None:
    far = Neighbour("0" * 32, 0.871, None)
    _, outcome = play(lookup(asked("hello"), RULES, NOW), None, VECTOR, [far])

    assert isinstance(outcome, Miss)
    assert 0.871 == outcome.nearest
    assert VECTOR is outcome.vector


def test_a_neighbour_that_the_second_look_refuses_hides_no_other() -> None:
    wrong = near(0.99, "where is order 4712?", id="1" * 32)
    right = near(0.95, "order 4711, where is it?", id="2" * 32)
    _, outcome = play(
        lookup(asked("where is order 4711?"), RULES, NOW), None, VECTOR, [wrong, right]
    )

    assert right.entry == outcome.entry


def test_a_refusal_is_named() -> None:
    wrong = near(0.99, "where is order 4712?")
    _, outcome = play(lookup(asked("where is order 4711?"), RULES, NOW), None, VECTOR, [wrong])

    assert "refused figures" == outcome.reason


def test_an_expired_neighbour_is_passed_over() -> None:
    old = near(0.99, "hello", expires_at=NOW - 1)
    live = near(0.95, "hello", id="2" * 32)
    _, outcome = play(lookup(asked("hello!"), RULES, NOW), None, VECTOR, [old, live])

    assert live.entry == outcome.entry


def test_a_failing_embedder_costs_only_the_comparison() -> None:
    commands, outcome = play(
        lookup(asked("hello"), RULES, NOW), None, CacheUnavailable("no answer")
    )

    assert ["Get", "Embed"] == kinds(commands)
    assert "embedder unavailable" == outcome.reason


def test_a_failing_store_ends_the_story() -> None:
    with pytest.raises(CacheUnavailable):
        play(lookup(asked("hello"), RULES, NOW), CacheUnavailable("no answer"))


def test_a_text_over_the_window_is_for_exact_repeats() -> None:
    _, outcome = play(lookup(asked("hello"), RULES, NOW), None, None)

    assert (None, "exact-only window") == (outcome.scope, outcome.reason)


def test_a_tool_result_is_for_exact_repeats_and_says_so() -> None:
    commands, outcome = play(lookup(asked("x", exact_only="tool-result"), RULES, NOW), None)

    assert ["Get"] == kinds(commands)
    assert "exact-only tool-result" == outcome.reason


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("What is the weather in Rome?", "moment"),
        ("Tell me a joke", "creative"),
        ("Try again.", "retry"),
    ],
)
def test_a_question_of_the_moment_is_for_exact_repeats_and_says_so(
    question: str, reason: str
) -> None:
    commands, outcome = play(lookup(asked(question), RULES, NOW), None)
    _, allowed = play(
        lookup(asked(question), replace(RULES, guards_off=frozenset({reason})), NOW),
        None,
        VECTOR,
        [],
    )

    assert ["Get"] == kinds(commands)
    assert (None, f"exact-only {reason}") == (outcome.scope, outcome.reason)
    assert allowed.scope is not None


def test_mode_exact_compares_nothing_and_takes_no_alias() -> None:
    commands, outcome = play(lookup(asked("x"), replace(RULES, mode="exact"), NOW), None)

    assert None is commands[0].alias  # type: ignore[union-attr]
    assert (None, "exact-only mode") == (outcome.scope, outcome.reason)


def test_without_prompts_nothing_is_compared_and_it_is_said() -> None:
    rules = replace(RULES, store_prompts="off")
    commands, outcome = play(lookup(asked("hello"), rules, NOW), None)

    assert ["Get"] == kinds(commands)
    assert (None, None) == (commands[0].alias, outcome.scope)  # type: ignore[union-attr]
    assert "exact-only prompts-off" == outcome.reason


def test_mode_refresh_asks_nothing_and_keeps_the_answer() -> None:
    commands, outcome = play(lookup(asked("x"), replace(RULES, mode="refresh"), NOW))

    assert [] == commands
    assert (True, "refresh") == (outcome.scope is not None, outcome.reason)


def test_what_a_format_says_must_go_by_is_not_looked_up() -> None:
    request = replace(asked("hello"), bypass="conversation")

    assert ([], Bypass(request, "conversation")) == play(lookup(request, RULES, NOW))


@pytest.mark.parametrize("header", ["no-store", "No-Store", "max-age=5, no-store"])
def test_no_store_bypasses(header: str) -> None:
    request = asked("x", headers={"Cache-Control": header})

    assert ([], Bypass(request, "no-store")) == play(lookup(request, RULES, NOW))


def test_no_cache_goes_upstream_with_a_ticket() -> None:
    commands, outcome = play(lookup(asked("x", headers={"Cache-Control": "no-cache"}), RULES, NOW))

    assert ([], "no-cache") == (commands, outcome.reason)


def test_only_if_cached_and_not_cached_is_unsatisfied() -> None:
    request = asked("x", headers={"Cache-Control": "only-if-cached"})
    _, outcome = play(lookup(request, RULES, NOW), None, VECTOR, [])

    assert Unsatisfied(request, "only-if-cached") == outcome


def test_max_age_passes_over_older_answers() -> None:
    request = asked("x", headers={"Cache-Control": "max-age=5"})
    commands, outcome = play(lookup(request, RULES, NOW), entry("x"), VECTOR, [])

    assert isinstance(outcome, Miss)
    assert ["Get", "Embed", "Nearest"] == kinds(commands)


@pytest.mark.parametrize(("given", "expected"), [("0.97", 0.97), ("0.10", 0.90)])
def test_a_caller_can_only_raise_the_threshold(given: str, expected: float) -> None:
    request = asked("x", headers={"X-Khazad-Threshold": given})
    commands, _ = play(lookup(request, RULES, NOW), None, VECTOR, [])

    assert isinstance(commands[2], Nearest)
    assert expected == commands[2].at_least


def test_a_raised_threshold_does_not_see_the_aliases_of_a_lower_one() -> None:
    lax, _ = play(lookup(asked("x"), RULES, NOW), entry())
    strict, _ = play(
        lookup(asked("x", headers={"X-Khazad-Threshold": "0.97"}), RULES, NOW), entry()
    )

    assert lax[0].fingerprint == strict[0].fingerprint  # type: ignore[union-attr]
    assert lax[0].alias != strict[0].alias  # type: ignore[union-attr]


def test_a_malformed_control_header_bypasses() -> None:
    request = asked("x", headers={"X-Khazad-Threshold": "high"})

    assert Bypass(request, "malformed x-khazad-threshold") == play(lookup(request, RULES, NOW))[1]


def test_nobody_is_answered_before_the_upstream_has_accepted_his_credential() -> None:
    commands, outcome = play(lookup(asked("x"), RULES, NOW), False, None, accepted=None)

    assert ["IsAccepted", "Get"] == kinds(commands)
    assert "credential not accepted yet" == outcome.reason
    accepting = [Accept(proof, 3600, NOW) for proof in outcome.proofs]
    outcome = replace(outcome, asked_at=NOW)
    assert accepting == play(vouch(outcome, WHOLE, RULES), None, None)[0]


def test_a_credential_is_accepted_at_a_server_and_for_an_endpoint_and_both_are_asked() -> None:
    commands, outcome = play(lookup(asked("x"), RULES, NOW), True, True, entry(), accepted=None)

    assert ["IsAccepted", "IsAccepted", "Get"] == kinds(commands)
    assert isinstance(outcome, Hit)


def test_a_tenant_header_that_is_missing_bypasses() -> None:
    request = asked("x")

    assert (
        Bypass(request, "no-tenant")
        == play(lookup(request, replace(RULES, tenant="header:X-Team"), NOW))[1]
    )


def test_the_follow_up_of_a_paraphrase_looks_where_the_original_was_kept() -> None:
    original, paraphrase = asked("hello", "Hi.", "why?"), asked("hello!", "Hi.", "why?")
    of_original, _ = play(lookup(original, RULES, NOW), None, (None, None), True, VECTOR, [])
    first_turn = asked("hello")
    _, first = play(lookup(first_turn, RULES, NOW), None, VECTOR, [])
    aliases = (first.digests.conversation, None)
    of_paraphrase, _ = play(lookup(paraphrase, RULES, NOW), None, aliases, True, VECTOR, [])

    assert ["Get", "Resolve", "Occupied", "Embed", "Nearest"] == kinds(of_paraphrase)
    assert of_original[4].scope == of_paraphrase[4].scope  # type: ignore[union-attr]


def test_nobody_waits_for_a_vector_where_there_is_nothing_to_compare_with() -> None:
    request = asked("hello", "Hi.", "why?")
    commands, miss = play(lookup(request, RULES, NOW), None, (None, None), False)

    assert ["Get", "Resolve", "Occupied"] == kinds(commands)
    assert (None, "") == (miss.vector, miss.reason)
    # It is placed by its vector when its answer is there.
    assert commands[2].scope == miss.scope  # type: ignore[union-attr]


def test_another_earlier_answer_is_another_scope() -> None:
    known = (None, (None, None), True, VECTOR, [])
    one, _ = play(lookup(asked("a", "Hi.", "why?"), RULES, NOW), *known)
    other, _ = play(lookup(asked("a", "Ho.", "why?"), RULES, NOW), *known)

    assert one[4].scope != other[4].scope  # type: ignore[union-attr]
