"""Flights that this process leads for all workers: they are its own for a few seconds at a time.

A worker that is killed frees them by saying nothing more; one that lives says so again and again
for as long as its calls take (`renewer`). All of them at once, in one trip.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Condition

# How long others wait for a worker that was killed.
LEASE_S = 6.0
# Two renewals may be late or lost, in a store that restarts or a process that stands still.
RENEWED_S = LEASE_S / 3
# No call takes that long: SDKs give up after ten minutes. A mistake of ours must not make other
# workers wait for ever.
LONGEST_S = 600.0


class Leases:
    """By flight. Thread-safe; one thread may wait for those that are due."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = Condition()
        self._ends_at: dict[str, float] = {}
        self._streams: dict[str, str] = {}
        self._due_at = 0.0
        self._is_idle = False
        self._is_closed = False

    def hold(self, flight: str, stream: str = "") -> None:
        """The store has said that it is ours, and under which name others may read it along."""
        with self._changed:
            now = self._clock()
            if not self._ends_at:
                # Before it where another one was held a moment ago: that costs nothing.
                self._due_at = self._due_at if self._due_at > now else now + RENEWED_S
            self._ends_at[flight] = now + LONGEST_S
            self._streams[flight] = stream
            # A thread that waits for its time is left alone: misses are many, and mostly short.
            if self._is_idle:
                self._is_idle = False
                self._changed.notify_all()

    def drop(self, flight: str) -> None:
        """It is over, or another worker's by now."""
        with self._changed:
            self._ends_at.pop(flight, None)
            self._streams.pop(flight, None)

    def take_stream(self, flight: str) -> str:
        """Its name where it is one that is held, or "". Once: what follows is another one."""
        with self._changed:
            return self._streams.pop(flight, "")

    def due(self) -> tuple[str, ...]:
        """All that are held, where it is time to say so again; then not for a while."""
        with self._changed:
            now = self._clock()
            if not self._ends_at or now < self._due_at:
                return ()
            self._due_at = now + RENEWED_S
            self._ends_at = {key: end for key, end in self._ends_at.items() if end > now}
            return tuple(self._ends_at)

    def wait(self) -> tuple[str, ...]:
        """Block until some are due; () once it is closed."""
        with self._changed:
            while not self._is_closed:
                due = self.due()
                if due:
                    return due
                self._is_idle = not self._ends_at
                rest_s = None if self._is_idle else self._due_at - self._clock()
                self._changed.wait(rest_s)
            return ()

    def close(self) -> None:
        """Idempotent."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
