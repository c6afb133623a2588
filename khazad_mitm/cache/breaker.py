"""When to stop asking a part that does not answer, and when to try it again.

The first failure opens the breaker: callers pay one deadline for it and then nothing. After a
pause a probe goes, for which nobody waits (`drive`); it closes the breaker or doubles the pause.
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

    def __init__(
        self,
        part: str,
        clock: Callable[[], float] = time.monotonic,
        away: str = "unavailable, passing calls through",
        back: str = "is back, %d calls passed by",
    ) -> None:
        """`away` and `back`: what is said of the part."""
        self._part = part
        self._away = away
        self._back = back
        self._clock = clock
        self._lock = threading.Lock()
        self._pause_s = FIRST_PAUSE_S
        self._probe_at: float | None = None
        """When the next probe may go; None: closed."""
        self._probing = False
        self._back_at = -LONGEST_PAUSE_S
        """When it was closed last."""
        self._passed_by = 0

    @property
    def is_open(self) -> bool:
        """Does the part not answer, as far as anybody knows?"""
        return self._probe_at is not None

    def allows(self) -> bool:
        """May this call go to the part?"""
        if self._probe_at is None:
            return True
        with self._lock:
            self._passed_by += 1
        return False

    def wants_probe(self) -> bool:
        """Is it time to try the part again? True for one caller a pause."""
        with self._lock:
            now = self._clock()
            if self._probe_at is None or now < self._probe_at:
                return False
            # The next probe waits for this one's verdict, or a pause where it never comes.
            self._probe_at = now + self._pause_s
            self._probing = True
            return True

    def failed(self, why: BaseException) -> None:
        with self._lock:
            if self._probe_at is None:
                # One that was back for a moment only is tried less often. The moment does not grow
                # with the pause, or troubles that have nothing to do with each other would add up.
                is_again = self._clock() - self._back_at < FIRST_PAUSE_S
                self._pause_s = self._longer() if is_again else FIRST_PAUSE_S
                self._passed_by = 0
                logger.warning("[Khazad] %s %s: %s", self._part, self._away, why)
            elif self._probing:
                self._pause_s = self._longer()
            else:
                # One of those that were on their way when the first failed: no news.
                return
            self._probing = False
            self._probe_at = self._clock() + self._pause_s

    def succeeded(self) -> None:
        if not self._probing:
            # Of one that was on its way when another failed, it tells nothing new either.
            return
        with self._lock:
            if self._probing:
                self._probe_at, self._back_at = None, self._clock()
                self._probing = False
                logger.warning(f"[Khazad] %s {self._back}", self._part, self._passed_by)

    def _longer(self) -> float:
        return min(self._pause_s * 2, LONGEST_PAUSE_S)
