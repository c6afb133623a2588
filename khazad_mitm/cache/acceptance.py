"""What this process remembers of credentials, so that a hit need not ask the store about them.

Every hit depends on the upstream having accepted the caller's credential. The store knows for all
workers; a yes is believed here for a few seconds, and a no that passed by here at once.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

from khazad_mitm.cache.commands import Accept, Command, IsAccepted, Refuse, Steps

# How long another worker's refusal may go unnoticed; the trip it saves is as long as the hit's.
BELIEVED_S = 10.0
# Above this all is forgotten, and the store asked again: a few megabytes.
MOST = 10_000


@dataclass(frozen=True, slots=True)
class Known:
    """A command that needs no store, and its result."""

    result: Any


class Acceptances:
    """Thread-safe. Told of each command before (`known`) and after (`learn`) the store obeys it."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = Lock()
        self._until: dict[str, float] = {}
        self._refused_at: dict[str, float] = {}
        self._untold: dict[str, float] = {}
        """Refusals that the store has not confirmed, and when they were."""

    def known(self, command: Command) -> Known | None:
        """The result of a command as far as it is known here; None: ask the store."""
        match command:
            case IsAccepted(credential) if credential in self._untold:
                return Known(False)
            case IsAccepted(credential):
                is_believed = self._until.get(credential, 0.0) > self._clock()
                return Known(True) if is_believed else None
            # Noted before the store is asked: it may be away, and what the upstream has said to
            # this process counts all the same.
            case Accept(credential, ttl_s, asked_at):
                with self._lock:
                    # What was asked before the refusal says nothing new, however late it ends.
                    if self._refused_at.get(credential, -1.0) > asked_at:
                        return Known(None)
                    self._untold.pop(credential, None)
                    self._believe(credential, min(BELIEVED_S, ttl_s))
            case Refuse(credential):
                self.refuse(credential)
        return None

    def refuse(self, credential: str) -> None:
        """The upstream has refused it, and the store is still to be told (`untold`)."""
        with self._lock:
            self._until.pop(credential, None)
            self._remember(self._refused_at, credential, self._clock())
            self._remember(self._untold, credential, self._clock())

    def forget(self) -> None:
        """Believe in nothing that the store does not say anew. What was refused stays refused."""
        with self._lock:
            self._until.clear()

    def untold(self) -> tuple[str, ...]:
        """Refusals of which the store has not heard: it was away, or too many were waiting."""
        return tuple(self._untold)

    def learn(self, command: Command, result: Any) -> None:
        """What the store said to a command."""
        match command:
            case Refuse(credential):
                self._untold.pop(credential, None)
            case IsAccepted(credential) if result:
                with self._lock:
                    # The store may have said so before it heard of the refusal.
                    if self._refused_at.get(credential, -BELIEVED_S) <= self._clock() - BELIEVED_S:
                        self._believe(credential, BELIEVED_S)

    def _believe(self, credential: str, seconds: float) -> None:
        self._remember(self._until, credential, self._clock() + seconds)

    def _remember(self, times: dict[str, float], credential: str, when: float) -> None:
        if len(times) >= MOST:
            times.clear()
        times[credential] = when


def retell(credential: str) -> Steps[None]:
    """Tell the store of a refusal that it has not heard of."""
    yield Refuse(credential)
