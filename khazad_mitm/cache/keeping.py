"""The stories after a lookup: whether a credential was accepted, keeping an answer, learning and
noting a paraphrase. Told as `lookup` is.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from khazad_mitm.cache import batches, policy, shadow
from khazad_mitm.cache.commands import Accept, Alias, Embed, Put, PutMany, Refuse, Steps
from khazad_mitm.cache.prompt import question_text
from khazad_mitm.cache.redaction import Redactor
from khazad_mitm.cache.rules import Rules
from khazad_mitm.exchange import Answer, Entry, Hit, Miss, ParsedRequest, Unkept
from khazad_mitm.messages import Headers, Response

SENSITIVE = "sensitive"
"""Why an answer is not kept, or for exact repeats only: the redactor has found something."""


def vouch(miss: Miss, response: Response, rules: Rules) -> Steps[None]:
    """Remember whether the upstream accepted the caller's credential: hits depend on it."""
    for proof in miss.proofs:
        if policy.refuses_credential(response):
            yield Refuse(proof)
        elif 200 <= response.status < 300:
            yield Accept(proof, rules.credential_ttl_s, miss.asked_at)


@dataclass(frozen=True, slots=True)
class Kept:
    """What is to be kept of an answer."""

    entry: Entry
    scope: str | None
    """Where it is found by meaning, at once: there is a vector."""
    items: tuple[Entry, ...] = ()
    """Of a batch, each on its own."""


def judge(
    miss: Miss, response: Response, answer: Answer, rules: Rules, now: float
) -> Kept | Unkept:
    """What is to be kept of a complete answer, under the keys that its lookup has computed.

    `response.body` is decoded. Where the lookup had no time for a vector: for exact repeats, until
    `place`.
    """
    parsed, redactor = miss.parsed, rules.redactor
    if _is_sensitive(parsed, response.body, answer, redactor):
        return Unkept(SENSITIVE)
    # A vector tells what its text does, and without the text the guards are blind.
    exact_only = answer.exact_only or SENSITIVE * redactor.finds(question_text(parsed))
    scope = None if exact_only or miss.vector is None else miss.scope
    entry = replace(_entry(miss, response, answer, rules, now), exact_only=exact_only)
    if scope is not None:
        entry = replace(entry, question=question_text(parsed))
    if rules.store_prompts == "on" and parsed.batch is None:
        entry = policy.with_request(entry, parsed, redactor)
    parts = () if parsed.batch is None or not miss.items else parsed.batch.apart(answer.body)
    items = batches.items_of(entry, miss.items, parts) if parts else ()
    return Kept(entry, scope, tuple(items))


def keep(miss: Miss, kept: Kept) -> Steps[None]:
    """Keep it."""
    if kept.items:
        yield PutMany((kept.entry, *kept.items))
    else:
        vector = None if kept.scope is None else miss.vector
        yield Put(kept.entry, kept.scope, vector, miss.flight)


def place(miss: Miss, entry: Entry) -> Steps[None]:
    """Put an entry beside its like, if the lookup had no time for its vector: the model may still
    be read, for which nobody who asks the same again is made to wait."""
    text = question_text(miss.parsed)
    if text is None or miss.scope is None or miss.vector is not None or entry.exact_only:
        return
    vector = yield Embed(text, may_wait=True)
    if vector is not None:
        yield Put(replace(entry, question=text), miss.scope, vector)


def keep_rest(
    miss: Miss, response: Response, answer: Answer, parts: Sequence[bytes], rules: Rules, now: float
) -> Steps[bool]:
    """Keep the items of a batch that the upstream was asked for.

    Not the whole: a batch that grows by one item a day would be kept again each day.
    """
    if _is_sensitive(miss.parsed, response.body, answer, rules.redactor):
        return False
    entry = _entry(miss, response, answer, rules, now)
    wanted = () if miss.partial is None else miss.partial.wanted
    yield PutMany(batches.items_of(entry, [miss.items[place] for place in wanted], parts))
    return True


def _entry(miss: Miss, response: Response, answer: Answer, rules: Rules, now: float) -> Entry:
    parsed = miss.parsed
    return Entry(
        id=miss.digests.fingerprint,
        provider=parsed.provider.name,
        model=parsed.model,
        status=response.status,
        headers=Headers(
            (name, value)
            for name, value in policy.kept_headers(response.headers)
            if not rules.redactor.finds(value)
        ),
        answer=answer.body,
        original=response.body,
        framing=parsed.framing,
        stored_at=now,
        expires_at=None if rules.ttl_s is None else now + rules.ttl_s,
        conversation=miss.conversation or miss.digests.conversation,
        exact_only=answer.exact_only,
        tokens=answer.tokens,
        output_tokens=answer.output_tokens,
        took_s=max(0.0, now - miss.asked_at) if miss.asked_at else 0.0,
        tags=miss.tags,
        pace_ms=tuple(number for mark in response.marks for number in mark),
        tenant=miss.tenant,
        pool=miss.pool,
    )


def _is_sensitive(
    parsed: ParsedRequest, original: bytes, answer: Answer, redactor: Redactor
) -> bool:
    """Is there something in this exchange that keeps its answer from being kept?

    An answer is never altered, so one that holds anything is not kept; a vector holds what its
    text does.
    """
    if not redactor:
        return False
    answers_with_text = parsed.provider.name != "embeddings"
    if not (answers_with_text and redactor.stores) and redactor.finds(parsed.body):
        return True
    return answers_with_text and (
        redactor.finds_in_body(answer.body)
        or (original != answer.body and redactor.finds_in_body(original))
    )


def learn(hit: Hit) -> Steps[None]:
    """Remember a paraphrase, so that it is an exact hit from now on and its conversation goes on
    in the words of the entry."""
    ticket = hit.paraphrase
    if ticket is not None and ticket.alias is not None:
        yield Alias(ticket.alias, ticket.digests.conversation, hit.entry, hit.similarity)


def note(hit: Hit, rules: Rules, now: float) -> Steps[None]:
    """Note that a paraphrase was served, for those who ask why or how often."""
    yield from shadow.served(hit, rules.tolerates, now, partial(prompt_shown, rules=rules))


def prompt_shown(text: str, rules: Rules) -> str:
    """A question as it may be kept and shown: a digest where prompts are not."""
    shown = rules.redactor.text(text)
    if rules.store_prompts == "on" and (rules.redactor.stores or shown == text):
        return shown
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), key=rules.secret, digest_size=8)
    return f"digest {digest.hexdigest()}"
