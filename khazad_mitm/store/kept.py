"""An entry as the memory store keeps it, with all that goes with it."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from khazad_mitm.cache.commands import Asked
from khazad_mitm.cache.facts import Facts
from khazad_mitm.exchange import Entry
from khazad_mitm.store import weights

MOST_REMEMBERED = 8


@dataclass(slots=True)
class Kept:
    entry: Entry
    scope: str | None
    tags: dict[str, None]
    size_bytes: int = 0
    aliases: set[str] = field(default_factory=set)
    conversations: set[str] = field(default_factory=set)
    asked: deque[Asked] = field(default_factory=lambda: deque(maxlen=MOST_REMEMBERED))

    def facts(self) -> Facts:
        entry = self.entry
        return Facts(
            entry.id,
            entry.provider,
            entry.model,
            entry.stored_at,
            entry.expires_at,
            entry.tenant,
            tuple(self.tags),
            self.size_bytes,
        )

    def asked_bytes(self) -> int:
        """What the questions take that it has answered by meaning."""
        asked = self.asked
        items = sum(len(one.question) + len(one.path) + len(one.tenant) + 80 for one in asked)
        return items + weights.HISTORY * bool(asked)
