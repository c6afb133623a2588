"""What the upstream gave for each request, and what became of each client's call."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from tests.soak.questions import CUT, Question

Request = tuple[str, Question]
"""A key and a question. Its key and what it means decide which answers are right."""


@dataclass
class Ledger:
    """Thread-safe."""

    given: defaultdict[tuple[str, str], set[str]] = field(default_factory=lambda: defaultdict(set))
    """Texts by key and meaning, each of which the upstream has said once."""
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def give(self, request: Request) -> str:
        """The text of a new answer."""
        key, question = request
        with self._lock:
            self.counts["upstream calls"] += 1
            number = self.counts["upstream calls"]
            text = f"answer {number} to {question.meaning} of {key}"
            self.given[key, question.meaning].add(text)
            return text

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def told(
        self, request: Request, status: int, body: bytes, cache_status: str, *, is_stream: bool
    ) -> None:
        """An answer has reached a client, to its end."""
        if status == 200:
            self.served(request, body, cache_status, is_stream=is_stream)
        else:
            self._failed(request, f"status {status}", may=bool(request[1].trouble))

    def served(self, request: Request, body: bytes, cache_status: str, *, is_stream: bool) -> None:
        """A whole answer has."""
        key, question = request
        text = text_of(body, is_stream=is_stream)
        with self._lock:
            self.counts["calls"] += 1
            self.counts["streams"] += is_stream
            self.counts[_kind(cache_status)] += 1
            if text not in self.given[key, question.meaning]:
                self.wrong.append(f"{request} was answered {text!r} ({cache_status})")

    def cut(self, request: Request, why: str) -> None:
        """A connection has failed."""
        self._failed(request, why, may=request[1].trouble == CUT)

    def waited(self, request: Request, *, is_stream: bool) -> None:
        """A call took too long."""
        with self._lock:
            self.counts["calls"] += 1
            self.hung.append(f"{request}, {'stream' if is_stream else 'plain'}")

    def _failed(self, request: Request, why: str, *, may: bool) -> None:
        """`may`: the upstream fails such requests now and then."""
        with self._lock:
            self.counts["calls"] += 1
            self.counts["calls the upstream failed"] += may
            if not may:
                self.lost.append(f"{request}: {why}")


def _kind(cache_status: str) -> str:
    if "collapsed" in cache_status:
        return "collapsed"
    if "; hit" in cache_status:
        return "hits by meaning" if "semantic" in cache_status else "hits"
    return "misses"


def text_of(body: bytes, *, is_stream: bool) -> str:
    """The text that a client of the provider reads; what is no whole answer is told as it is."""
    try:
        if not is_stream:
            return str(json.loads(body)["choices"][0]["message"]["content"])
        *events, done, rest = body.split(b"\n\n")
        if (done, rest) != (b"data: [DONE]", b""):
            return f"no whole stream: {body!r}"
        deltas: list[Any] = [json.loads(event.removeprefix(b"data: ")) for event in events]
        return "".join(
            choice["delta"].get("content", "") for delta in deltas for choice in delta["choices"]
        )
    except (ValueError, KeyError, IndexError):
        return f"unreadable: {body!r}"
