"""Answers that have come whole and are on their way into the store.

They are kept behind the caller's back. A program that asks the same again at once would be a moment
too early, and would see its own cache miss: it waits that moment.
"""

from __future__ import annotations

import asyncio
from concurrent.futures import Future, wait
from dataclasses import dataclass, field
from threading import Lock

# Keeping an answer takes a millisecond or two, and longer where many wait to be kept. Nobody is
# held up for more than a fraction of what asking the upstream takes.
LIMIT_S = 0.5


@dataclass(slots=True)
class _Landing:
    count: int = 0
    is_over: Future[None] = field(default_factory=Future)


class Landings:
    """By key: an answer's fingerprint, the credential that the upstream has accepted, the
    conversation of a paraphrase that was served, or the scope that an entry is placed in."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._landings: dict[str, _Landing] = {}

    def begin(self, keys: tuple[str, ...]) -> None:
        with self._lock:
            for key in keys:
                landing = self._landings.setdefault(key, _Landing())
                # Waiters cannot cancel it from now on.
                if not landing.is_over.running():
                    landing.is_over.set_running_or_notify_cancel()
                landing.count += 1

    def end(self, keys: tuple[str, ...]) -> None:
        """As often as it was begun, whatever came of it."""
        with self._lock:
            for key in keys:
                landing = self._landings[key]
                landing.count -= 1
                if not landing.count:
                    self._landings.pop(key).is_over.set_result(None)

    def has(self, key: str) -> bool:
        """Is something with this key on its way?"""
        return key in self._landings

    def wait(self, key: str, patience_s: float | None = None) -> None:
        """Block until nothing with this key is on its way; for `LIMIT_S` at most, or less."""
        landing = self._landings.get(key)
        if landing is not None:
            wait([landing.is_over], _limit_s(patience_s))

    async def wait_async(self, key: str, patience_s: float | None = None) -> None:
        landing = self._landings.get(key)
        if landing is not None:
            over = asyncio.wrap_future(landing.is_over)
            await asyncio.wait([over], timeout=_limit_s(patience_s))


def _limit_s(patience_s: float | None) -> float:
    return LIMIT_S if patience_s is None else min(patience_s, LIMIT_S)
