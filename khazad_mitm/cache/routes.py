"""Which rules a request goes by: those of the options, changed by the routes that fit it.

Of the routes that look at host, path and model the first that fits counts. A tag is the caller's
own word, in a header that anyone can send: a route that asks for one can only make stricter what
holds without it, and all of those that fit do. Where the operator says that tags can be trusted
(something of his own sets them), such a route is like any other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import urlsplit

from khazad_mitm.cache import policy
from khazad_mitm.cache.rules import EMBEDDING_MODES, Rules
from khazad_mitm.cache.shadow import Terms
from khazad_mitm.exchange import Entry, ParsedRequest

MODES = ("cache", "exact", "refresh", "off")
"""From the one that answers most to the one that answers nothing."""


PROFILES = ("faq", "balanced", "strict")
"""From the one whose guards forgive most to the one whose guards forgive least."""


def _fewer(one: Terms | None, other: Terms | None) -> Terms | None:
    set_ = (terms for terms in (one, other) if terms is not None)
    return min(set_, key=lambda terms: terms.most_wrong, default=None)


def _shorter(one: int | None, other: int | None) -> int | None:
    return min((seconds for seconds in (one, other) if seconds is not None), default=None)


STRICTER: dict[str, Callable[[Any, Any], Any]] = {
    "threshold": max,
    "mode": lambda one, other: max(one, other, key=MODES.index),
    "ttl_s": _shorter,
    "guards_off": frozenset.intersection,
    "profile": lambda one, other: max(one, other, key=PROFILES.index),
    "terms": _fewer,
    "learned_below": min,
    "verifier_margin": min,
    "credential_ttl_s": min,
    "split_batches": min,
}
"""Of two values of a field of `Rules` the one that lets less through. What is not listed here has
no such order."""


@dataclass(frozen=True, slots=True)
class Call:
    """What routes look at."""

    host: str
    path: str
    model: str
    tags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Route:
    """Patterns with `*`, lower case; an empty one fits everything."""

    host: str = ""
    path: str = ""
    """Without the query."""
    model: str = ""
    tag: str = ""
    """Of any tag in `X-Khazad-Tag`."""
    trusts_tag: bool = False
    settings: tuple[tuple[str, Any], ...] = ()
    """What it sets, by the names of options."""

    @property
    def may_only_tighten(self) -> bool:
        return bool(self.tag) and not self.trusts_tag

    def fits(self, call: Call) -> bool:
        return (
            _fits(self.host, call.host)
            and _fits(self.path, call.path)
            and _fits(self.model, call.model)
            and (not self.tag or any(_fits(self.tag, tag) for tag in call.tags))
        )


class Rulebook:
    """The rules of the options, and of every route the fields of `Rules` that it changes."""

    def __init__(self, rules: Rules, routes: Iterable[tuple[Route, dict[str, Any]]] = ()) -> None:
        self.default = rules
        self._routes = tuple(routes)

    def of(self, parsed: ParsedRequest) -> Rules:
        """The rules for this request."""
        if not self._routes:
            return self.default
        request = parsed.request
        return self._of(Call(request.host, request.path, parsed.model, policy.tags_of(request)))

    def of_entry(self, entry: Entry) -> Rules:
        """The rules for a request like the one that an entry answered; the options' where it was
        not kept with it."""
        if not self._routes or not entry.url:
            return self.default
        url = urlsplit(entry.url)
        return self._of(Call(url.hostname or "", url.path, entry.model, entry.tags))

    def _of(self, call: Call) -> Rules:
        rules = self.default
        fitting = [(route, changes) for route, changes in self._routes if route.fits(call)]
        for route, changes in fitting:
            if not route.may_only_tighten:
                rules = replace(rules, **changes)
                break
        for route, changes in fitting:
            if route.may_only_tighten:
                rules = _tightened(rules, changes)
        return rules

    def compares(self) -> bool:
        """May any question be answered by meaning?"""
        return self.default.store_prompts != "off" and self.is_ever(*EMBEDDING_MODES)

    def is_ever(self, *modes: str) -> bool:
        """Is one of these modes that of any request?"""
        set_by_routes = (changes.get("mode") for _, changes in self._routes)
        return any(mode in modes for mode in (self.default.mode, *set_by_routes))


def _tightened(rules: Rules, changes: dict[str, Any]) -> Rules:
    return replace(
        rules,
        **{name: STRICTER[name](getattr(rules, name), value) for name, value in changes.items()},
    )


def _fits(pattern: str, text: str) -> bool:
    return not pattern or fnmatchcase(text.lower(), pattern)
