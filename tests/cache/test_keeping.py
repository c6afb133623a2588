from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.commands import Alias, Embed, Put, Refuse
from khazad_mitm.cache.keeping import learn, note, place, vouch
from khazad_mitm.cache.redaction import Redactor
from khazad_mitm.cache.rules import Rules
from khazad_mitm.cache.sensitive import LOOKS
from khazad_mitm.exchange import Answer, Unkept
from khazad_mitm.messages import Headers, Response

from .script import NOW, RULES, VECTOR, Echo, asked, entry, keep, lookup, near, play

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


MAIL = "write to alice@example.com"
REDACTING = replace(RULES, redactor=Redactor(tuple(LOOKS.values())))
SKIPPING = replace(RULES, redactor=Redactor(tuple(LOOKS.values()), stores=False))


def kept_of(rules: Rules, *turns: str, answer: bytes = b"{}", original: bytes = b"{}") -> Any:
    given = (None, VECTOR, []) if len(turns) == 1 else (None, (None,) * 2, True, VECTOR, [])
    _, miss = play(lookup(asked(*turns), rules, NOW), *given)
    response = replace(WHOLE, body=original)
    steps = keep(miss, response, Answer(answer), rules, NOW)
    try:
        put = next(steps)
    except StopIteration as end:
        return end.value
    return put


def test_a_question_that_holds_something_is_kept_for_repeats_only_and_without_it() -> None:
    put = kept_of(REDACTING, MAIL)

    assert (None, None, "sensitive") == (put.scope, put.entry.question, put.entry.exact_only)
    assert b"write to [email]" in put.entry.request
    assert b"alice" not in repr(put.entry).encode()


def test_what_stands_around_the_question_is_taken_out_of_the_request_alone() -> None:
    put = kept_of(REDACTING, MAIL, "Hi.", "why?")

    assert ("why?", VECTOR) == (put.entry.question, put.vector)
    assert b"alice" not in put.entry.request


def test_a_request_that_holds_nothing_is_kept_as_it_came() -> None:
    put, before = kept_of(REDACTING, "hello"), kept_of(RULES, "hello")

    assert before.entry.request == put.entry.request
    assert put.scope is not None


@pytest.mark.parametrize("rules", [REDACTING, SKIPPING])
@pytest.mark.parametrize(
    ("answer", "original"),
    [
        (b'{"to": "alice@example.com"}', b"{}"),
        (b"{}", b'data: {"unknown": "alice@example.com"}\n\n'),
        (b'{"card": 4111111111111111}', b"{}"),
    ],
)
def test_an_answer_that_holds_something_is_not_kept(
    rules: Rules, answer: bytes, original: bytes
) -> None:
    assert Unkept("sensitive") == kept_of(rules, "hello", answer=answer, original=original)


def test_nothing_is_kept_of_a_prompt_that_holds_something_where_that_is_set() -> None:
    assert Unkept("sensitive") == kept_of(SKIPPING, MAIL, "Hi.", "why?")
    assert kept_of(SKIPPING, "hello").scope is not None


def test_the_vector_of_a_text_that_holds_something_is_not_kept() -> None:
    request = replace(asked(MAIL, exact_only="embeddings"), provider=Echo("embeddings"))
    _, miss = play(lookup(request, REDACTING, NOW), None)
    steps = keep(miss, WHOLE, Answer(b"{}"), REDACTING, NOW)

    assert ([], Unkept("sensitive")) == play(steps)


def test_headers_that_hold_something_are_not_repeated() -> None:
    _, miss = play(lookup(asked("hello"), REDACTING, NOW), None, VECTOR, [])
    spoken = replace(WHOLE, headers=WHOLE.headers.plus(("x-for", "alice@example.com")))
    _, kept = play(keep(miss, spoken, Answer(b"{}"), REDACTING, NOW), None)

    assert [("X-Request-Id", "r1")] == list(kept.headers)


def test_what_was_asked_is_noted_without_it() -> None:
    _, hit = play(lookup(asked(MAIL), RULES, NOW), None, VECTOR, [near(0.99, MAIL)])

    def noted(rules: Rules) -> str:
        (remembered,), _ = play(note(hit, rules, NOW), None)
        said: str = remembered.asked.question
        return said

    assert "write to [email]" == noted(REDACTING)
    assert noted(SKIPPING).startswith("digest ")
