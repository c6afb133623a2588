"""The story of a lookup. What comes after it is told in `keeping`.

A generator that yields commands and is sent the results (compare `httpx.Auth.auth_flow`). It
knows no sockets and no clocks; `drive` runs it, blocking or awaiting.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from khazad_mitm.cache import batches, budget, moment, policy, second, shadow, verify
from khazad_mitm.cache.budget import Earned
from khazad_mitm.cache.commands import (
    Embed,
    Get,
    IsAccepted,
    Nearest,
    Resolve,
    Steps,
)
from khazad_mitm.cache.fingerprint import Chain
from khazad_mitm.cache.prompt import preamble_length, question_text
from khazad_mitm.cache.redaction import Redactor
from khazad_mitm.cache.tenant import NoTenant, tenant_of
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import (
    Bypass,
    CacheScope,
    Entry,
    Hit,
    Miss,
    Outcome,
    Pair,
    ParsedRequest,
    Unsatisfied,
)

NEIGHBOURS = 10
"""How many to look at: the best may have expired or be refused by the second look."""

NOT_ACCEPTED = "credential not accepted yet"
"""Why a caller whose credential the upstream has still to accept goes there himself."""


EMBEDDING_MODES = ("cache", "refresh")
"""In the others nothing is compared by meaning, and no question is embedded."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a lookup goes by; the part of the settings that the core needs."""

    secret: bytes
    """Of the namespace: keys every digest."""
    threshold: float = 0.90
    profile: str = "balanced"
    """How lenient the second look is."""
    mode: str = "cache"
    cache_scope: CacheScope = CacheScope.MODEL
    tenant: str = "credential"
    ttl_s: int | None = 3600
    credential_ttl_s: int = 3600
    split_batches: bool = True
    """Answer a batch from the items that are known, and ask upstream for the rest only."""
    embedding_model: str = ""
    """Names the vector sets: another model starts with empty ones."""
    guards_off: frozenset[str] = frozenset()
    """Guards of `verify`, and reasons of `moment`, that do not count."""
    verifier: str = ""
    """Name of the verifier that is asked after the guards; "": there is none."""
    verifier_waits: bool = True
    """May a caller be made to wait for it? Else all that the guards let pass is judged later."""
    verifier_margin: float = 0.0
    """How far below the threshold questions are judged later."""
    terms: shadow.Terms | None = None
    """How many wrong hits are tolerated; None: the threshold is as it was set. See `tolerates`."""
    learned_below: float = 0.0
    """How far below the threshold one may be learned."""
    store_prompts: str = "on"
    """`on`: requests, and what was asked, are kept for `explain`; `questions`: only what the guards
    read; `off`: nothing of a prompt, neither in words nor as a vector."""

    redactor: Redactor = field(default_factory=Redactor)
    """What of a prompt is not kept, and which answers are not."""

    @property
    def tolerates(self) -> shadow.Terms | None:
        """The terms with the lowest threshold that may be learned."""
        if self.terms is None:
            return None
        return replace(self.terms, lowest=max(budget.LOWEST, self.threshold - self.learned_below))

    @property
    def compares(self) -> bool:
        """May a question be answered by meaning? The guards have to read the stored one."""
        return self.mode in EMBEDDING_MODES and self.store_prompts != "off"

    def decide(self, threshold: float) -> str:
        """All that decides whether a paraphrase is one: what its aliases are named after."""
        return (
            f"{self.embedding_model} {self.profile} {self.threshold} {threshold}"
            f" {verify.names_of_guards(self.guards_off)}"
            f" {self.verifier} {self.verifier_margin}"
        )


def lookup(parsed: ParsedRequest, rules: Rules, now: float) -> Steps[Outcome]:
    """Look for an answer. `now` is Unix seconds.

    A failing store ends the story with CacheUnavailable, raised in from the driver; a failing
    embedder costs only the comparison by meaning.
    """
    controls = policy.within(policy.controls_of(parsed.request), rules.ttl_s)
    if controls.malformed:
        return Bypass(parsed, f"malformed {controls.malformed}")
    if controls.no_store:
        return Bypass(parsed, "no-store")
    if parsed.bypass or rules.mode == "off":
        return Bypass(parsed, parsed.bypass or "off")
    tenant = tenant_of(parsed, rules.tenant, rules.secret)
    if isinstance(tenant, NoTenant):
        return Bypass(parsed, tenant.reason)

    terms = rules.tolerates
    lowest = rules.threshold if terms is None else terms.lowest
    threshold = max(lowest, controls.threshold or 0.0)
    chain = Chain.of(parsed, tenant.name, rules.secret, rules.cache_scope)
    digests = chain.digests()
    text = question_text(parsed) if rules.compares else None
    passing = "" if text is None else moment.reason(text, rules.guards_off)
    if passing:
        text = None
    alias = None if text is None else chain.alias(rules.decide(threshold))
    pool = ""
    if terms is not None and text is not None:
        # A threshold was learned for one budget, and proves nothing of a smaller one.
        named = f"{rules.decide(lowest)} {terms.most_wrong}"
        pool = chain.pool(preamble_length(parsed), named)

    refreshes = "no-cache" if controls.no_cache else rules.mode if rules.mode == "refresh" else ""
    vouched = not refreshes and (yield from _are_accepted(tenant.proofs))
    # In mode `exact` a repeat is one of the whole request, and what goes out is what came in.
    splits = parsed.batch is not None and rules.split_batches and rules.mode != "exact"
    joins = not (controls.only_if_cached or splits)
    # Who shows the same secret is told the same by the upstream: one asks, the others wait.
    if vouched or (tenant.is_secret and joins and not refreshes):
        entry: Entry | None = yield Get(digests.fingerprint, alias, pool, joins)
        if entry is not None and not vouched:
            # The upstream may have accepted it since, from whoever was waited for.
            vouched = yield from _are_accepted(tenant.proofs)
        if entry is not None and vouched and policy.may_serve(entry, controls, now):
            return Hit(parsed, entry, "exact")

    ticket = Miss(
        parsed,
        digests,
        proofs=tenant.proofs,
        alias=alias,
        tenant=tenant.name,
        pool=pool,
        tags=controls.tags,
    )
    if splits:
        ticket = replace(ticket, items=chain.each_alone())
    if text is None:
        why = passing or (parsed.exact_only if rules.mode != "exact" else "mode")
        why = why or ("" if rules.compares else "prompts-off")
        ticket = replace(ticket, reason=f"exact-only {why}".strip())
    else:
        ticket = replace(ticket, scope=chain.scope(parsed, rules.embedding_model))
    if refreshes:
        return replace(ticket, reason=refreshes)
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
    try:
        vector = yield Embed(text)
    except CacheUnavailable:
        return _missed(replace(ticket, reason="embedder unavailable"), controls)
    if vector is None:
        return _missed(replace(ticket, scope=None, reason="exact-only window"), controls)
    ticket = replace(ticket, vector=vector)

    # What a caller has asked for himself, no verifier talks him out of.
    margin = rules.verifier_margin if rules.verifier and terms is None else 0.0
    floor = max(lowest - margin, controls.threshold or 0.0)
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
