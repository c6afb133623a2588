"""What is stored, and forgetting some of it: for those who look after the store, not for traffic.

A selection is asked about first and forgotten afterwards, in two steps: what is kept in between is
not looked at. No prompt and no answer is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from khazad_mitm.cache.commands import Find, ForgetMany, Inventory, Label, Steps
from khazad_mitm.cache.facts import Facts
from khazad_mitm.cache.policy import tags_of
from khazad_mitm.errors import UnknownEntry
from khazad_mitm.exchange import Hit

ID = re.compile(r"[0-9a-f]{4,32}")


@dataclass(frozen=True, slots=True)
class Selection:
    """Which entries are meant: those that fit all that is given."""

    ids: tuple[str, ...] = ()
    """As `X-Khazad-Entry` gives them, or their beginnings."""
    tag: str | None = None
    model: str | None = None
    """May have `*`."""
    older_s: float | None = field(default=None)
    """Stored so many seconds ago, or before."""

    @property
    def is_all(self) -> bool:
        return self == Selection()

    def fits(self, facts: Facts, now: float) -> bool:
        """Does an entry fit all but the ids?"""
        return (
            (self.tag is None or self.tag in facts.tags)
            and (self.model is None or fnmatchcase(facts.model.lower(), self.model.lower()))
            and (self.older_s is None or facts.stored_at <= now - self.older_s)
        )


def entries(wanted: Selection, now: float, most: int | None = None) -> Steps[dict[str, Any]]:
    """How many entries are meant, how many bytes they have, and those stored last.

    Raises UnknownEntry for an id that names nothing.
    """
    found = sorted((yield from _selected(wanted, now)), key=lambda facts: -facts.stored_at)
    return {
        "count": len(found),
        "size_bytes": sum(facts.size_bytes for facts in found),
        "entries": [asdict(facts) for facts in found[:most]],
    }


def forget(wanted: Selection, now: float) -> Steps[int]:
    """Forget the entries that are meant, with vectors and aliases; returns how many there were.

    Raises UnknownEntry for an id that names nothing, and where nothing is said to be meant.
    """
    if wanted.is_all:
        raise UnknownEntry("nothing is said of what to forget: an id, a tag, a model or an age")
    if wanted == Selection(ids=wanted.ids):
        ids = yield from _named(wanted.ids)
    else:
        ids = tuple(facts.id for facts in (yield from _selected(wanted, now)))
    forgotten: int = yield ForgetMany(ids)
    return forgotten


def label(hit: Hit) -> Steps[None]:
    """Let an entry have the tags of a request that it has answered: whoever forgets by one of them
    means all that was answered under it."""
    new = missing(hit)
    if new:
        yield Label(hit.entry.id, new)


def missing(hit: Hit) -> tuple[str, ...]:
    """The tags of a request that were not of the one that its answer was stored for."""
    return tuple(tag for tag in tags_of(hit.parsed.request) if tag not in hit.entry.tags)


def _selected(wanted: Selection, now: float) -> Steps[Iterable[Facts]]:
    known: tuple[Facts, ...] = yield Inventory()
    fitting = [facts for facts in known if wanted.fits(facts, now)]
    if not wanted.ids:
        return fitting
    ids = set((yield from _named(wanted.ids)))
    return [facts for facts in fitting if facts.id in ids]


def _named(ids: tuple[str, ...]) -> Steps[tuple[str, ...]]:
    named = []
    for id_ in ids:
        named.append((yield from whole(id_)))
    return tuple(named)


def whole(id_: str) -> Steps[str]:
    """The id of the one entry whose id begins so. Raises UnknownEntry."""
    if not ID.fullmatch(id_):
        raise UnknownEntry(f"{id_!r} is no id: 4 to 32 hex digits, as in X-Khazad-Entry")
    ids: tuple[str, ...] = yield Find(id_)
    if len(ids) > 1:
        raise UnknownEntry(f"{id_} begins the ids of several entries")
    if not ids:
        raise UnknownEntry(f"{id_} is not stored: it has expired, or never was")
    return ids[0]
