"""How long one request may be made to wait for us: so long for the store, so long for the embedder.

However many trips it takes, and whatever they wait for: a free connection, an answer on its way
into the store, the embedder's queue, the reply itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager


class Patience(AbstractContextManager["Patience"]):
    """With one part: seconds, which run while it is entered. One story's, so one thread's."""

    __slots__ = ("_began", "_clock", "left_s", "limit_s")

    def __init__(self, limit_s: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """None: nobody waits, and the part takes its own time."""
        self.limit_s = limit_s
        self.left_s = limit_s
        self._clock = clock
        self._began = 0.0

    @property
    def is_over(self) -> bool:
        return self.left_s is not None and self.left_s <= 0

    @property
    def spare_s(self) -> float | None:
        """What may go by before the part is asked at all: half is for the part itself, and shows
        whether it answers."""
        if self.left_s is None or self.limit_s is None:
            return None
        return max(0.0, self.left_s - self.limit_s / 2)

    def renew(self) -> None:
        self.left_s = self.limit_s

    def __enter__(self) -> Patience:
        self._began = self._clock()
        return self

    def __exit__(self, *_: object) -> None:
        if self.left_s is not None:
            self.left_s = max(0.0, self.left_s - (self._clock() - self._began))


class Waiting:
    """Of one story, with each part."""

    __slots__ = ("embedder", "store")

    def __init__(
        self,
        store_s: float | None,
        embedder_s: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.store = Patience(store_s, clock)
        self.embedder = Patience(embedder_s, clock)

    def renew(self) -> None:
        """What was waited for was no delay of ours, or it is another piece of much."""
        self.store.renew()
        self.embedder.renew()
