"""Stories that nobody waits for. A part that does not answer is counted, and raises nothing."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from khazad_mitm.cache import drive
from khazad_mitm.cache.commands import Command, Steps
from khazad_mitm.cache.parts import Parts
from khazad_mitm.cache.stats import Counters
from khazad_mitm.errors import CacheUnavailable

T = TypeVar("T")


class Background:
    """Runs them, on whatever thread calls."""

    def __init__(self, parts: Parts, counters: Counters) -> None:
        self._parts = parts
        self._counters = counters

    def run(self, steps: Steps[T]) -> T | None:
        """None where a part did not obey, which ends the story."""
        try:
            return drive.run(steps, partial(drive.obey, self._parts, drive.nobody()))
        except CacheUnavailable:
            self._counters.count_error()
            return None

    def run_on(self, steps: Steps[T]) -> tuple[T, bool]:
        """Run a story to its end even where a part does not obey; did all of them?"""
        obeyed, waiting = True, drive.nobody()

        def obey(command: Command) -> Any:
            nonlocal obeyed
            try:
                return drive.obey(self._parts, waiting, command)
            except CacheUnavailable:
                obeyed = False

        result = drive.run(steps, obey)
        if not obeyed:
            self._counters.count_error()
        return result, obeyed
