from __future__ import annotations

from dataclasses import replace

import pytest

from khazad_mitm.cache.commands import Alias, Embed, Put, Refuse
from khazad_mitm.cache.keeping import keep, learn, note, place, vouch
from khazad_mitm.cache.lookup import lookup
from khazad_mitm.exchange import Answer
from khazad_mitm.messages import Headers, Response

from .script import NOW, RULES, VECTOR, asked, entry, near, play

WHOLE = Response(200, Headers([("X-Request-Id", "r1")]), b"{}")


@pytest.mark.parametrize("status", [401, 403])
def test_a_credential_that_the_upstream_refuses_is_no_longer_accepted(status: int) -> None:
    _, outcome = play(lookup(asked("x"), RULES, NOW), None, accepted=False)
    refused = replace(WHOLE, status=status)

    assert list(map(Refuse, outcome.proofs)) == play(vouch(outcome, refused, RULES), None, None)[0]


def test_google_refuses_a_key_with_a_400() -> None:
    _, outcome = play(lookup(asked("x"), RULES, NOW), None, accepted=False)
    refused = Response(400, Headers(), b'{"details": [{"reason": "API_KEY_INVALID"}]}')

    assert list(map(Refuse, outcome.proofs)) == play(vouch(outcome, refused, RULES), None, None)[0]


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_any_other_error_says_nothing_of_a_credential(status: int) -> None:
    _, outcome = play(lookup(asked("x"), RULES, NOW), None, accepted=False)

    assert ([], None) == play(vouch(outcome, replace(WHOLE, status=status), RULES))


def test_keeping_computes_nothing_twice() -> None:
    _, miss = play(lookup(asked("hello"), RULES, NOW), None, VECTOR, [])
    commands, kept = play(keep(miss, WHOLE, Answer(b"{}", tokens=7), RULES, NOW), None)

    assert [Put(kept, miss.scope, VECTOR)] == commands
    assert (miss.digests.fingerprint, "hello", NOW + 3600, 7) == (
        kept.id,
        kept.question,
        kept.expires_at,
        kept.tokens,
    )


def test_an_answer_is_kept_at_once_and_placed_when_there_is_a_vector() -> None:
    _, miss = play(lookup(asked("x"), replace(RULES, mode="refresh"), NOW))
    commands, kept = play(keep(miss, WHOLE, Answer(b"{}"), RULES, NOW), None)
    placing, _ = play(place(miss, kept), VECTOR, None)

    assert [Put(kept, None, None)] == commands
    assert [
        Embed("x", may_wait=True),
        Put(replace(kept, question="x"), miss.scope, VECTOR),
    ] == placing


def test_what_is_placed_already_or_never_is_not_placed() -> None:
    _, miss = play(lookup(asked("hello"), RULES, NOW), None, VECTOR, [])
    _, kept = play(keep(miss, WHOLE, Answer(b"{}"), RULES, NOW), None)
    _, bare = play(lookup(asked("x"), replace(RULES, mode="refresh"), NOW))
    _, cut = play(keep(bare, WHOLE, Answer(b"{}", exact_only="length"), RULES, NOW), None)

    assert [] == play(place(miss, kept))[0] == play(place(bare, cut))[0]


def test_a_truncated_answer_is_kept_for_exact_repeats_only() -> None:
    _, miss = play(lookup(asked("hello"), RULES, NOW), None, VECTOR, [])
    commands, kept = play(keep(miss, WHOLE, Answer(b"{}", exact_only="length"), RULES, NOW), None)

    assert [Put(kept, None, None)] == commands
    assert ("length", None) == (kept.exact_only, kept.question)


def test_a_paraphrase_is_learnt_under_its_own_digests() -> None:
    stored = near(0.95, "hello")
    _, hit = play(lookup(asked("hello!"), RULES, NOW), None, VECTOR, [stored])
    (alias,), _ = play(learn(hit), None)
    (remembered,), _ = play(note(hit, RULES, NOW), None)

    digests = hit.paraphrase.digests
    assert Alias(hit.paraphrase.alias, digests.conversation, stored.entry, 0.95) == alias
    assert stored.id == remembered.id
    assert (digests.fingerprint, "hello!") == (
        remembered.asked.fingerprint,
        remembered.asked.question,
    )


@pytest.mark.parametrize("how", ["questions", "off"])
def test_what_was_asked_is_a_digest_where_prompts_are_not_kept(how: str) -> None:
    _, hit = play(lookup(asked("hello!"), RULES, NOW), None, VECTOR, [near(0.95, "hello")])
    (remembered,), _ = play(note(hit, replace(RULES, store_prompts=how), NOW), None)

    assert remembered.asked.question.startswith("digest ")


def test_an_exact_hit_teaches_nothing() -> None:
    _, hit = play(lookup(asked("hello"), RULES, NOW), entry())

    assert ([], None) == play(learn(hit))
    assert ([], None) == play(note(hit, RULES, NOW))


def test_requests_are_kept_only_where_prompts_are() -> None:
    def kept(how: str) -> tuple[bool, str | None, bool]:
        rules = replace(RULES, store_prompts=how)
        given = (None,) if how == "off" else (None, VECTOR, [])
        _, miss = play(lookup(asked("hello"), rules, NOW), *given)
        (put,), stored = play(keep(miss, WHOLE, Answer(b"{}"), rules, NOW), None)
        return bool(stored.request), stored.question, put.vector is not None

    assert (True, "hello", True) == kept("on")
    assert (False, "hello", True) == kept("questions")
    assert (False, None, False) == kept("off")


def test_without_prompts_nothing_is_placed_later_either() -> None:
    rules = replace(RULES, store_prompts="off")
    _, miss = play(lookup(asked("hello"), rules, NOW), None)
    _, kept = play(keep(miss, WHOLE, Answer(b"{}"), rules, NOW), None)

    assert ([], None) == play(place(miss, kept))
