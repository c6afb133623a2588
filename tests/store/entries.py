"""Entries and vectors to keep, small and predictable."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from khazad_mitm.exchange import Entry, Framing
from khazad_mitm.messages import Headers

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector

DIMENSION = 8


def digest(number: int) -> str:
    return f"{number:032x}"


def entry(number: int, ttl_s: float | None = 1_000, **changes: Any) -> Entry:
    now = time.time()
    made = Entry(
        id=digest(number),
        provider="openai-chat",
        model="gpt-4o",
        status=200,
        headers=Headers([("content-type", "text/event-stream"), ("x-request-id", "r1")]),
        answer=b'{"answer": %d}' % number,
        original=b"data: %d\n\n" % number,
        framing=Framing("sse", include_usage=True, variant="v"),
        stored_at=now,
        expires_at=None if ttl_s is None else now + ttl_s,
        question="why?",
        conversation=digest(number + 1_000_000),
        tokens=7,
        output_tokens=3,
        took_s=1.25,
        url="https://api.openai.com/v1/chat/completions",
        request_headers=Headers([("content-type", "application/json")]),
        tags=("a", "b"),
    )
    return replace(made, **changes)


def at_cosine(cosine: float) -> Vector:
    """A unit vector of that cosine with `at_cosine(1)`."""
    vector = np.zeros(DIMENSION, dtype=np.float32)
    vector[0] = cosine
    vector[1] = np.sqrt(1 - cosine**2)
    return vector


QUESTION = at_cosine(1.0)
