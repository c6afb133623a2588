"""What people ask a cache, beside what traffic asks: why, how much, and to forget.

Blocks; raises UnknownEntry, or CacheUnavailable.
"""

from __future__ import annotations

import time
from functools import partial
from typing import Any, TypeVar

from khazad_mitm.cache import drive, explain, inventory
from khazad_mitm.cache.archive import Archive
from khazad_mitm.cache.commands import Steps
from khazad_mitm.cache.inventory import Selection
from khazad_mitm.cache.parts import Parts
from khazad_mitm.cache.routes import Rulebook

# What has just passed by is asked about too, once it is kept.
DRAIN_S = 2.0

T = TypeVar("T")


class Inquiries:
    """The part of a `front.Cache` that is not on the way of a call."""

    def __init__(self, parts: Parts, rulebook: Rulebook, archive: Archive) -> None:
        self._parts = parts
        self._rulebook = rulebook
        self._archive = archive

    def explain(self, id_: str, ask: str | None = None, other: str | None = None) -> dict[str, Any]:
        return self._run(explain.explain(id_, self._rulebook.of_entry, ask, other))

    def export(self, id_: str) -> dict[str, Any]:
        return self._run(explain.export(id_))

    def wrong(self, id_: str, ask: str | None = None) -> dict[str, Any]:
        self._archive.drain(DRAIN_S)
        return self._run(explain.wrong(id_, self._rulebook.of_entry, ask))

    def entries(self, wanted: Selection, most: int | None = None) -> dict[str, Any]:
        self._archive.drain(DRAIN_S)
        return self._run(inventory.entries(wanted, time.time(), most))

    def forget(self, wanted: Selection) -> int:
        self._archive.drain(DRAIN_S)
        return self._run(inventory.forget(wanted, time.time()))

    def _run(self, steps: Steps[T]) -> T:
        return drive.run(steps, partial(drive.obey, self._parts, drive.nobody()))
