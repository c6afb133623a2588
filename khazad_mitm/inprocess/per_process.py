"""The cache of this process; after a fork, one of the child's own.

Threads do not survive a fork, connections must not be shared and locks may be held by nobody: the
child makes a new cache, with the same settings, at its first call. Nothing of the parent's is
closed or collected in the child, for the parent uses it still.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING
from weakref import WeakSet

if TYPE_CHECKING:
    from khazad_mitm.fronts import Front
    from khazad_mitm.inprocess.ahead import Ahead

logger = logging.getLogger("khazad")

# How often a child tries to make its cache, where the store is not there.
RETRY_S = 5.0


class PerProcess:
    """Makes a cache, now and in every child."""

    def __init__(self, make: Callable[[], Front], ahead: Ahead | None = None) -> None:
        """`make` raises ConfigError where it cannot; here that reaches the caller."""
        self.ahead = ahead
        self._make = make
        self._lock = threading.Lock()
        self._cache: Front | None = make()
        self._is_closed = False
        self._tries_at = 0.0
        self._parents: list[Front | None] = []
        _all.add(self)

    def here(self) -> Front | None:
        """The cache of this process; None where a child has none yet and cannot make it now."""
        if self._cache is None and not self._is_closed:
            with self._lock:
                if self._cache is None and time.monotonic() >= self._tries_at:
                    self._cache = self._made_again()
        return self._cache

    def close(self) -> None:
        """Close the cache of this process, and make no other. Its counters can still be read."""
        self._is_closed = True
        if self._cache is not None:
            self._cache.close()

    def _made_again(self) -> Front | None:
        try:
            return self._make()
        except Exception as error:
            # An edge: what was good in the parent is traffic's business here.
            self._tries_at = time.monotonic() + RETRY_S
            logger.warning("[Khazad] no cache in this process, calls go through: %s", error)
            return None

    def forked(self) -> None:
        """In the child: forget the parent's."""
        self._lock = threading.Lock()
        self._parents.append(self._cache)
        self._cache = None


_all: WeakSet[PerProcess] = WeakSet()


def _forked() -> None:
    for source in list(_all):
        source.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
