"""When to stop asking a part that does not answer, and when to try it again.

The first failure opens the breaker: callers pay one deadline for it and then nothing. After a
pause one caller is let through as a probe; it closes the breaker or doubles the pause.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0

logger = logging.getLogger("khazad")


class Breaker:
    """Guards one part (`store`, `embedder`). Thread-safe. Says once that it opened, once that
    it closed, and how many calls went by in between."""

    def __init__(self, part: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._part = part
        self._clock = clock
        self._lock = threading.Lock()
        self._pause_s = FIRST_PAUSE_S
        self._probe_at: float | None = None
        """When the next probe may go; None: closed."""
        self._probing = False
        self._passed_by = 0

    @property
    def is_open(self) -> bool:
        """Does the part not answer, as far as anybody knows?"""
        return self._probe_at is not None

    def allows(self) -> bool:
        """May this call go to the part? True for everyone while closed, for one probe a pause."""
        if self._probe_at is None:
            return True
        with self._lock:
            now = self._clock()
            if self._probe_at is None:
                return True
            if now < self._probe_at:
                self._passed_by += 1
                return False
            # The next probe waits for this one's verdict, or a pause where it never comes.
            self._probe_at = now + self._pause_s
            self._probing = True
            return True

    def failed(self, why: BaseException) -> None:
        with self._lock:
            if self._probe_at is None:
                self._pause_s = FIRST_PAUSE_S
                self._passed_by = 0
                logger.warning(
                    "[Khazad] %s unavailable, passing calls through: %s", self._part, why
                )
            elif self._probing:
                self._pause_s = min(self._pause_s * 2, LONGEST_PAUSE_S)
            else:
                # One of those that were on their way when the first failed: no news.
                return
            self._probing = False
            self._probe_at = self._clock() + self._pause_s

    def succeeded(self) -> None:
        if self._probe_at is None:
            return
        with self._lock:
            if self._probe_at is not None:
                self._probe_at = None
                self._probing = False
                logger.warning(
                    "[Khazad] %s is back, %d calls passed by", self._part, self._passed_by
                )
