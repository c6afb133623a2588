"""What lists of entries, and selections of them, are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of an entry without its body: no prompt, no answer."""

    id: str
    provider: str
    model: str
    stored_at: float
    expires_at: float | None
    """Unix seconds."""
    tenant: str
    tags: tuple[str, ...]
    size_bytes: int
