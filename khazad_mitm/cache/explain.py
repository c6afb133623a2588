"""Why was this answer served, and what if it was wrong? Stories for people, not for traffic.

Both begin with an id as `X-Khazad-Entry` gives it, or its beginning, and give plain values.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any, TypeAlias

from khazad_mitm.cache import budget, verify
from khazad_mitm.cache.commands import (
    Asked,
    Block,
    Embed,
    Forget,
    Get,
    Recall,
    Standing,
    Steps,
    Weigh,
)
from khazad_mitm.cache.inventory import whole
from khazad_mitm.cache.keeping import prompt_shown
from khazad_mitm.cache.rules import Rules
from khazad_mitm.cache.shadow import count
from khazad_mitm.errors import CacheUnavailable, UnknownEntry
from khazad_mitm.exchange import Entry, Json

MOST_DIFFERENCES = 50

RulesOf: TypeAlias = Callable[[Entry], Rules]
"""The rules for calls like the one that an entry answered."""


def explain(
    id_: str, rules_of: RulesOf, ask: str | None = None, other: str | None = None
) -> Steps[dict[str, Any]]:
    """What is known of an entry and of what it has answered by meaning.

    `ask`: a question to compare it with; `other`: another entry, by its id. Raises UnknownEntry.
    """
    entry = yield from _entry(id_)
    rules = rules_of(entry)
    asked: tuple[Asked, ...] = yield Recall(entry.id)
    told: dict[str, Any] = {
        "id": entry.id,
        "provider": entry.provider,
        "model": entry.model,
        "tenant": entry.tenant,
        "stored_at": entry.stored_at,
        "expires_at": entry.expires_at,
        "took_s": entry.took_s,
        "tokens": entry.tokens,
        "tags": list(entry.tags),
        "question": None if entry.question is None else prompt_shown(entry.question, rules),
        "request": _request(entry, rules),
        "exact_only": entry.exact_only,
        "answered": [_answered(entry, one, rules) for one in asked],
        "pool": (yield from _pool(entry.pool, rules)),
    }
    if ask is not None:
        told["compared"] = yield from _compared(entry, ask, rules)
    if other is not None:
        second = yield from _entry(other)
        told["other"] = {
            "id": second.id,
            "differs": _differences(_whole(entry, rules), _whole(second, rules)),
            **(yield from _compared(entry, second.question or "", rules)),
        }
    return told


def export(id_: str) -> Steps[dict[str, Any]]:
    """A call as the entry holds it, bytes in base64: for a recording of it. Raises UnknownEntry."""
    entry = yield from _entry(id_)
    return {
        "id": entry.id,
        "url": entry.url,
        "request_headers": [list(field) for field in entry.request_headers],
        "request": base64.b64encode(entry.request).decode(),
        "status": entry.status,
        "headers": [list(field) for field in entry.headers],
        "body": base64.b64encode(entry.original).decode(),
        "answer": base64.b64encode(entry.answer).decode(),
        "pace_ms": list(entry.pace_ms),
        "took_s": entry.took_s,
        "stored_at": entry.stored_at,
    }


def wrong(id_: str, rules_of: RulesOf, ask: str | None = None) -> Steps[dict[str, Any]]:
    """Take an answer back: forget it, and let no question have it again that had it by meaning.

    Of the questions it has answered lately all are blocked, or only the one that `ask` says. It
    counts as one wrong hit of its pool, at the similarity of the newest of these.
    Raises UnknownEntry; for an `ask` that it has not answered too.
    """
    entry = yield from _entry(id_)
    rules = rules_of(entry)
    asked: tuple[Asked, ...] = yield Recall(entry.id)
    if ask is not None:
        shown = prompt_shown(ask, rules)
        asked = tuple(one for one in asked if one.question == shown)
        if not asked:
            raise UnknownEntry(f"{entry.id} has not answered that lately")
    for one in asked:
        yield Block(entry.id, one.fingerprint)
    yield Forget(entry.id)
    terms = rules.tolerates
    if asked and entry.pool and terms is not None:
        doubted = budget.doubted(True, terms.most_wrong)
        similarity = asked[0].similarity
        yield from count(
            entry.pool, similarity, terms, was_served=True, checked=1, wrong=1, doubted=doubted
        )
    return {"id": entry.id, "forgotten": True, "blocked": len({one.fingerprint for one in asked})}


def _entry(id_: str) -> Steps[Entry]:
    entry: Entry | None = yield Get((yield from whole(id_)))
    if entry is None:
        raise UnknownEntry(f"{id_} is not stored: it has expired, or never was")
    return entry


def _answered(entry: Entry, asked: Asked, rules: Rules) -> dict[str, Any]:
    told = asdict(asked)
    if entry.question is not None and rules.store_prompts == "on":
        told["differs"] = _differences({asked.path: entry.question}, {asked.path: asked.question})
        told["guards"] = _guards(entry.question, asked.question, asked.similarity, rules)
    return told


def _compared(entry: Entry, question: str, rules: Rules) -> Steps[dict[str, Any]]:
    """A question beside the entry's: how alike, and what each guard says."""
    if entry.question is None:
        return {"similarity": None, "guards": [], "why": "the entry is for exact repeats only"}
    try:
        one = yield Embed(entry.question, may_wait=True)
        other = yield Embed(question, may_wait=True)
    except CacheUnavailable as error:
        one, other, why = None, None, str(error)
    else:
        why = "" if one is not None and other is not None else "a text exceeds the model's window"
    similarity = None if one is None or other is None else round(float(one @ other), 4)
    guards = _guards(entry.question, question, similarity, rules)
    return {
        "question": prompt_shown(question, rules),
        "similarity": similarity,
        "guards": guards,
        "why": why,
    }


def _guards(
    stored: str, asked: str, similarity: float | None, rules: Rules
) -> list[dict[str, Any]]:
    """As the lookup has them asked: what is shown is what decided."""
    near = 0.0 if similarity is None else verify.closeness(similarity, rules.threshold)
    told = verify.verdicts(stored, asked, rules.guards_off, profile=rules.profile, near=near)
    return [asdict(verdict) for verdict in told]


def _pool(pool: str, rules: Rules) -> Steps[dict[str, Any] | None]:
    """What is known of the wrong hits of a pool; None where nobody counts."""
    terms = rules.tolerates
    if terms is None or not pool:
        return None
    earned: budget.Earned | None = yield Standing(pool)
    at = None if earned is None else earned.at
    slots = yield Weigh(pool, 0)
    above = budget.above(slots, terms.lowest if at is None else at)
    return {
        "id": pool,
        "max_wrong_hits": terms.most_wrong,
        "threshold": at,
        "candidates": sum(tally.candidates for tally in above),
        "checked": sum(tally.checked for tally in above),
        "wrong": sum(tally.wrong for tally in above),
        "at_most_wrong": round(budget.upper_bound(above), 4),
        "confidence": budget.CONFIDENCE,
    }


def _body(body: bytes) -> Json:
    try:
        return json.loads(body) if body else None
    except (ValueError, RecursionError):
        return None


def _request(entry: Entry, rules: Rules) -> Json:
    """As it is kept; what was kept before is not shown where nothing is kept now."""
    return _body(entry.request) if rules.store_prompts == "on" else None


def _whole(entry: Entry, rules: Rules) -> Json:
    question = None if entry.question is None else prompt_shown(entry.question, rules)
    return {"model": entry.model, "question": question, "request": _request(entry, rules)}


def _differences(stored: Json, asked: Json) -> list[dict[str, Any]]:
    """Field by field, where two values differ."""
    here, there = dict(_leaves(stored, "")), dict(_leaves(asked, ""))
    names = [*here, *(name for name in there if name not in here)]
    differing = [name for name in names if here.get(name) != there.get(name)]
    return [
        {"field": name, "stored": here.get(name), "asked": there.get(name)}
        for name in differing[:MOST_DIFFERENCES]
    ]


def _leaves(value: Json, path: str) -> Iterator[tuple[str, Json]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}[{index}]")
    else:
        yield path, value
