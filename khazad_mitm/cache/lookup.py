"""The story of a lookup. What comes after it is told in `keeping`.

A generator that yields commands and is sent the results (compare `httpx.Auth.auth_flow`). It
knows no sockets and no clocks; `drive` runs it, blocking or awaiting.
"""

from __future__ import annotations

from dataclasses import replace

from khazad_mitm.cache import batches, policy, second, shadow, verify
from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import (
    Embed,
    Get,
    IsAccepted,
    Nearest,
    Occupied,
    Resolve,
    Steps,
)
from khazad_mitm.cache.prepared import Prepared
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Entry, Hit, Miss, Outcome, Pair, Unsatisfied

NEIGHBOURS = 10
"""How many to look at: the best may have expired or be refused by the second look."""

NOT_ACCEPTED = "credential not accepted yet"
"""Why a caller whose credential the upstream has still to accept goes there himself."""


def lookup(prepared: Prepared, now: float) -> Steps[Outcome]:
    """Look for an answer. `now` is Unix seconds.

    A failing store ends the story with CacheUnavailable, raised in from the driver; a failing
    embedder costs only the comparison by meaning.
    """
    ticket, rules, controls, chain = (
        prepared.ticket,
        prepared.rules,
        prepared.controls,
        prepared.chain,
    )
    parsed, digests, text, terms = ticket.parsed, ticket.digests, prepared.text, prepared.terms
    vouched = not prepared.refreshes and (yield from _are_accepted(ticket.proofs))
    # Who shows the same secret is told the same by the upstream: one asks, the others wait.
    waits = prepared.is_secret and prepared.joins and not prepared.refreshes
    if vouched or waits:
        entry: Entry | None = yield Get(
            digests.fingerprint, ticket.alias, ticket.pool, prepared.joins
        )
        if entry is not None and not vouched:
            # The upstream may have accepted it since, from whoever was waited for.
            vouched = yield from _are_accepted(ticket.proofs)
        if entry is not None and vouched and policy.may_serve(entry, controls, now):
            return Hit(parsed, entry, "exact")

    if prepared.splits:
        ticket = replace(ticket, items=chain.each_alone())
    if prepared.refreshes:
        return ticket
    if not vouched:
        return _missed(replace(ticket, reason=NOT_ACCEPTED), controls)
    if ticket.items:
        outcome = yield from batches.by_item(ticket, controls, now)
        return outcome if isinstance(outcome, Hit) else _missed(outcome, controls)
    if text is None:
        return _missed(ticket, controls)

    if digests.prefixes:
        chain = chain.resolved((yield Resolve(digests.prefixes)))
        ticket = replace(
            ticket,
            scope=chain.scope(parsed, rules.embedding_model),
            conversation=chain.digests().conversation,
        )
        # Most conversations are the only one of their kind: nobody waits there for a vector that
        # there is nothing to compare with. It is made when the answer is kept.
        if not (yield Occupied(ticket.scope or "")):
            return _missed(ticket, controls)
    try:
        vector = yield Embed(text)
    except CacheUnavailable:
        return _missed(replace(ticket, reason="embedder unavailable"), controls)
    if vector is None:
        return _missed(replace(ticket, scope=None, reason="exact-only window"), controls)
    ticket = replace(ticket, vector=vector)

    # What a caller has asked for himself, no verifier talks him out of.
    threshold, margin = prepared.threshold, 0.0
    if rules.verifier and terms is None:
        margin = rules.verifier_margin
    floor = max(prepared.lowest - margin, controls.threshold or 0.0)
    earned = Earned(threshold)
    if terms is not None:
        earned = yield from shadow.opened_at(ticket, terms, threshold)
    refused, judged = "", 0
    search = Nearest(ticket.scope or "", vector, floor, NEIGHBOURS, digests.fingerprint)
    for neighbour in (yield search):
        if ticket.nearest is None:
            ticket = replace(ticket, nearest=neighbour.similarity)
        found = neighbour.entry
        # Said this way round, a similarity that is no number is too low.
        if found is None or not neighbour.similarity >= floor:
            break
        if not policy.may_serve(found, controls, now) or found.question is None:
            continue
        near = verify.closeness(neighbour.similarity, rules.threshold)
        vetoed = verify.veto(
            found.question, text, rules.guards_off, profile=rules.profile, near=near
        )
        if vetoed:
            refused = vetoed if neighbour.similarity >= threshold else refused
            continue
        if terms is not None and (yield from shadow.is_refuted(ticket, neighbour)):
            refused = "evidence"
            continue
        may_ask = neighbour.similarity >= threshold and judged < second.MOST_JUDGED
        pair = Pair(found.question, text, neighbour.similarity)
        match (yield from second.opinion(pair, rules.verifier, may_ask and rules.verifier_waits)):
            case second.Opinion.SAME:
                sampled = terms is not None and shadow.is_sampled(ticket, neighbour, earned.share)
                if neighbour.similarity >= earned.at and not (sampled and parsed.leaves_traces):
                    return Hit(parsed, found, "semantic", neighbour.similarity, ticket, sampled)
                why = "unproven" if neighbour.similarity < earned.at else "checked"
                return _missed(replace(ticket, candidate=neighbour, reason=why), controls)
            case second.Opinion.OTHER:
                refused, judged = "verifier", judged + 1
            case second.Opinion.NONE if terms is None:
                ticket = replace(ticket, unjudged=(*ticket.unjudged, neighbour))
    return _missed(replace(ticket, reason=f"refused {refused}" if refused else ""), controls)


def _missed(ticket: Miss, controls: policy.Controls) -> Miss | Unsatisfied:
    # RFC 9111 §5.2.1.7
    if controls.only_if_cached:
        return Unsatisfied(ticket.parsed, "only-if-cached")
    return ticket


def _are_accepted(proofs: tuple[str, ...]) -> Steps[bool]:
    for proof in proofs:
        if not (yield IsAccepted(proof)):
            return False
    return True
