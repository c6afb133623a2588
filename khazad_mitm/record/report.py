"""What a recorder has done: counted while it goes, told at the end."""

from __future__ import annotations

import threading
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from khazad_mitm.cache.stats import Stats


@dataclass(frozen=True, slots=True)
class Report:
    played: int = 0
    written: tuple[Path, ...] = ()
    """Files of what was recorded, in order."""
    unchanged: int = 0
    """Answers that were on file already."""
    forwarded: int = 0
    """Went upstream unrecorded, as `on_miss=upstream` has it."""
    unrecorded: tuple[str, ...] = ()
    """Requests that were refused because no recording answers them, and why."""
    lost: tuple[str, ...] = ()
    """Answers that could not be recorded, and why."""
    unused: tuple[Path, ...] = ()

    @property
    def recorded(self) -> int:
        return len(self.written)

    def __str__(self) -> str:
        """In one line."""
        told = [f"{self.played} LLM calls replayed"]
        if self.recorded or self.unchanged:
            told.append(f"{self.recorded} recorded")
        if self.unchanged:
            told.append(f"{self.unchanged} on file as they were")
        if self.forwarded:
            told.append(f"{self.forwarded} sent on")
        if self.unrecorded:
            told.append(f"{len(self.unrecorded)} without a recording")
        if self.lost:
            told.append(f"{len(self.lost)} not recorded")
        if self.unused:
            told.append(f"{len(self.unused)} recordings not asked for")
        return ", ".join(told)


class Tally:
    """Counts from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._counts: Counter[str] = Counter()
            self._written: list[Path] = []
            self._unrecorded: list[str] = []
            self._lost: list[str] = []

    def count_played(self) -> None:
        self._count("played")

    def count_recorded(self, path: Path) -> None:
        with self._lock:
            self._written.append(path)

    def count_unchanged(self) -> None:
        self._count("unchanged")

    def count_forwarded(self) -> None:
        self._count("forwarded")

    def count_unrecorded(self, why: str) -> None:
        with self._lock:
            self._unrecorded.append(why)

    def count_lost(self, why: str) -> None:
        with self._lock:
            self._lost.append(why)

    def report(self, unused: tuple[Path, ...]) -> Report:
        with self._lock:
            return Report(
                self._counts["played"],
                tuple(self._written),
                self._counts["unchanged"],
                self._counts["forwarded"],
                tuple(self._unrecorded),
                tuple(self._lost),
                unused,
            )

    def stats(self) -> Stats:
        """The same in the words of a cache: what is played is an exact hit."""
        with self._lock:
            return Stats(
                cache_hits=self._counts["played"],
                exact_hits=self._counts["played"],
                cache_misses=(
                    len(self._unrecorded)
                    + len(self._lost)
                    + len(self._written)
                    + sum(self._counts[name] for name in ("unchanged", "forwarded"))
                ),
                stored=len(self._written),
                similarity_sum=float(self._counts["played"]),
            )

    def _count(self, what: str) -> None:
        with self._lock:
            self._counts[what] += 1
