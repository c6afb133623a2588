"""What can be said of a request before anything is asked: a function of the request and the rules.

No clock and no store goes into it, so that what is asked again may be remembered (`recent`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from khazad_mitm.cache import moment, policy, shadow
from khazad_mitm.cache.fingerprint import Chain
from khazad_mitm.cache.prompt import preamble_length, question_text
from khazad_mitm.cache.rules import Rules
from khazad_mitm.cache.tenant import NoTenant, tenant_of
from khazad_mitm.exchange import Bypass, Miss, ParsedRequest


@dataclass(frozen=True, slots=True)
class Prepared:
    """A request that the cache is asked for."""

    ticket: Miss
    """What a miss is, if it ends at once."""
    rules: Rules
    controls: policy.Controls
    chain: Chain
    text: str | None
    """The question that is compared by meaning; None where it is not."""
    terms: shadow.Terms | None
    lowest: float
    """No threshold is below it, whatever was learned."""
    threshold: float
    is_secret: bool
    """Whoever shows this credential shows all of it."""
    refreshes: bool
    """The upstream is to be asked, whatever is stored."""
    splits: bool
    """A batch that is answered item by item."""

    @property
    def parsed(self) -> ParsedRequest:
        return self.ticket.parsed

    @property
    def joins(self) -> bool:
        """May the caller be made to wait for others who ask the same?"""
        return not (self.controls.only_if_cached or self.splits)


def prepare(parsed: ParsedRequest, rules: Rules) -> Prepared | Bypass:
    """The keys of a request, and what may be done with it."""
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
    text = question_text(parsed) if rules.compares else None
    passing = "" if text is None else moment.reason(text, rules.guards_off)
    if passing:
        text = None
    ticket = Miss(
        parsed, chain.digests(), proofs=tenant.proofs, tenant=tenant.name, tags=controls.tags
    )
    if text is None:
        why = passing or (parsed.exact_only if rules.mode != "exact" else "mode")
        why = why or ("" if rules.compares else "prompts-off")
        ticket = replace(ticket, reason=f"exact-only {why}".strip())
    else:
        pool = ""
        if terms is not None:
            # A threshold was learned for one budget, and proves nothing of a smaller one.
            named = f"{rules.decide(lowest)} {terms.most_wrong}"
            pool = chain.pool(preamble_length(parsed), named)
        ticket = replace(
            ticket,
            scope=chain.scope(parsed, rules.embedding_model),
            alias=chain.alias(rules.decide(threshold)),
            pool=pool,
        )
    refreshes = "no-cache" if controls.no_cache else "refresh" if rules.mode == "refresh" else ""
    if refreshes:
        ticket = replace(ticket, reason=refreshes)
    return Prepared(
        ticket,
        rules,
        controls,
        chain,
        text,
        terms,
        lowest,
        threshold,
        tenant.is_secret,
        bool(refreshes),
        # In mode `exact` a repeat is one of the whole request, and what goes out is what came in.
        parsed.batch is not None and rules.split_batches and rules.mode != "exact",
    )
