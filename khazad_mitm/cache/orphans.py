"""Captures that nobody has ended: their answer counts as cut, and who waits for it is told.

mitmproxy drops a flow without a word where its client goes at a bad moment, and a program may
forget a response. The garbage collector finds them, anywhere and under any lock: all it does is to
put them into a queue that is made for that (`queue.SimpleQueue`). A thread does the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

from khazad_mitm.cache.live import Live

_Orphan = tuple[Callable[[str], None], "Live | None"]


class Orphans:
    """Waits for them on a daemon thread of its own."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[_Orphan | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="khazad-orphans", daemon=True)
        self._thread.start()

    def take(self, dropped: Callable[[str], None], live: Live | None) -> None:
        """Never blocks, takes no lock."""
        self._queue.put((dropped, live))

    def close(self) -> None:
        """Idempotent."""
        self._queue.put(None)

    def _work(self) -> None:
        while (orphan := self._queue.get()) is not None:
            dropped, live = orphan
            if live is not None:
                live.end(is_whole=False)
            dropped("cut")
