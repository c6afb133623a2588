"""A background thread that does what nobody waits for, in order: to keep what has passed by."""

from __future__ import annotations

import logging
import queue
import threading
from collections.abc import Callable

from khazad_mitm.errors import tell

# A burst of long streams must not pile up in memory while the store is slow: what does not fit
# is not kept. 1,000 typical answers are a few megabytes.
MAX_WAITING = 1_000

logger = logging.getLogger("khazad")


class Keeper:
    """Runs jobs one after another on a daemon thread that starts with the first."""

    def __init__(self, limit: int = MAX_WAITING, name: str = "khazad-keeper") -> None:
        self._name = name
        self._jobs: queue.Queue[Callable[[], None] | None] = queue.Queue(limit)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = False

    def hand(self, job: Callable[[], None]) -> bool:
        """Take a job over; False where too many wait already. Never blocks."""
        with self._lock:
            if self._closed:
                return False
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name=self._name, daemon=True)
                self._thread.start()
        try:
            self._jobs.put_nowait(job)
        except queue.Full:
            return False
        return True

    def drain(self, timeout_s: float) -> bool:
        """Wait until all jobs handed over so far are done."""
        done = threading.Event()
        with self._lock:
            if self._thread is None or self._closed:
                return True
        try:
            self._jobs.put(done.set, timeout=timeout_s)
        except queue.Full:
            return False
        return done.wait(timeout_s)

    def close(self, timeout_s: float = 2.0) -> None:
        """Finish what is waiting, for at most `timeout_s`, and end the thread."""
        self.drain(timeout_s)
        with self._lock:
            thread, self._closed = self._thread, True
        if thread is not None:
            try:
                self._jobs.put_nowait(None)
            except queue.Full:
                return
            thread.join(timeout_s)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            try:
                job()
            except Exception:  # an edge: a job that fails costs one entry, never the thread
                tell(logger, "[Khazad] an answer could not be kept", logging.ERROR)
