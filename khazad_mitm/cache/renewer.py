"""Tells the store of the flights that this process still leads, from a thread of its own.

The calls know nothing of it: a store that does not answer costs other workers their waiting, and
one more call each, and this one nothing.
"""

from __future__ import annotations

import logging
import threading
from functools import partial

from khazad_mitm.cache import drive
from khazad_mitm.cache.collapsing import renewed
from khazad_mitm.cache.parts import Parts
from khazad_mitm.errors import CacheUnavailable, tell

# At the end, for a renewal that is on its way: a trip that nobody waits for takes a second at most.
LAST_S = 1.0

logger = logging.getLogger("khazad")


class Renewer:
    """Waits for what is due on a daemon thread."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._leases = parts.flights.leases
        self._thread = threading.Thread(target=self._work, name="khazad-leases", daemon=True)
        self._thread.start()

    def renew(self, due: tuple[str, ...]) -> None:
        """Say once that they are ours."""
        steps = renewed(due, self._parts.flights)
        try:
            drive.run(steps, partial(drive.obey, self._parts, drive.nobody()))
        except CacheUnavailable:
            # They are tried again when their time comes, which is before they end.
            logger.debug("[Khazad] %d leases could not be renewed", len(due))

    def close(self) -> None:
        """Idempotent."""
        self._leases.close()
        self._thread.join(LAST_S)

    def _work(self) -> None:
        while due := self._leases.wait():
            try:
                self.renew(due)
            except Exception:  # an edge: a mistake of ours costs a lease, never the thread
                tell(logger, "[Khazad] leases could not be renewed", logging.ERROR)
