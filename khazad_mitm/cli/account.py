"""What was asked, served and saved, in words. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from khazad_mitm.cache.stats import Stats
from khazad_mitm.cli import prices


def account(stats: Stats, kept_in: str = "") -> str:
    """One line, or a second one that says where the answers lie."""
    if not stats.total_requests and not stats.bypassed:
        return "no LLM call seen"
    asked = stats.total_requests + sum(stats.bypassed.values())
    told = f"{asked} LLM calls, {stats.cache_hits} served from the cache"
    if stats.total_requests:
        told += f" ({round(100 * stats.hit_rate)} %)"
    if stats.semantic_hits:
        told += f", {stats.semantic_hits} of them by meaning"
    saved = [
        _seconds(stats.saved_seconds),
        _tokens(stats.saved_tokens),
        money(stats.saved_by_model),
    ]
    if any(saved):
        told += f"; saved {', '.join(filter(None, saved))}"
    for what, reasons in (("passed by", stats.bypassed), ("not kept", stats.unkept)):
        if reasons:
            told += f"; {what}: {_reasons(reasons)}"
    if stats.errors:
        told += f"; {stats.errors} without us, for a fault of ours or the store's"
    if kept_in not in ("", "memory") and stats.total_requests:
        told += f"\nanswers are kept in {kept_in}; `khazad-mitm flush` forgets them"
    return told


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> Stats:
    """What happened from one page of statistics (`Stats.to_dict`) to the next."""
    changed = {
        field.name: _difference(before.get(field.name), after[field.name])
        for field in fields(Stats)
        if field.name in after
    }
    return Stats(**changed)


def _difference(then: Any, now: Any) -> Any:
    match now:
        case {**values}:
            old = then or {}
            changes = {name: _difference(old.get(name), value) for name, value in values.items()}
            return {name: change for name, change in changes.items() if change}
        case [read, written]:
            return (read - (then or (0, 0))[0], written - (then or (0, 0))[1])
        case _:
            return now - (then or 0)


def _seconds(seconds: float) -> str:
    if seconds < 0.05:
        return ""
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _tokens(tokens: int) -> str:
    return f"{tokens:,} tokens" if tokens else ""


def money(by_model: Mapping[str, tuple[int, int]]) -> str:
    """What these tokens (read, written) cost; "" where that is next to nothing, or not known."""
    dollars, is_all = prices.cost(by_model)
    if dollars < 0.000_05:
        return ""
    words = "about" if is_all else "more than"
    amount = f"{dollars:,.2f}" if dollars >= 1 else f"{dollars:.4f}"
    return f"{words} ${amount} (list prices of {prices.AS_OF})"


def _reasons(reasons: Mapping[str, int]) -> str:
    return ", ".join(f"{why} {count}" for why, count in sorted(reasons.items()))
