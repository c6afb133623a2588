"""What the upstream gave for each request, and what became of each client's call."""

from __future__ import annotations

import json
import threading
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

Request = tuple[str, str]
"""A key and a question: what decides who may be given which answer."""


@dataclass
class Ledger:
    """Thread-safe."""

    given: defaultdict[Request, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Texts, each of which the upstream has said once."""
    counts: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    hung: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def give(self, request: Request) -> str:
        """The text of a new answer."""
        with self._lock:
            self.counts["upstream calls"] += 1
            text = f"answer {self.counts['upstream calls']} to {request[1]} of {request[0]}"
            self.given[request].add(text)
            return text

    def count(self, what: str) -> None:
        with self._lock:
            self.counts[what] += 1

    def served(self, request: Request, body: bytes, cache_status: str, *, is_stream: bool) -> None:
        """A whole answer has reached a client."""
        text = text_of(body, is_stream=is_stream)
        with self._lock:
            self.counts["calls"] += 1
            self.counts["streams"] += is_stream
            kind = "hits" if "; hit" in cache_status else "misses"
            self.counts["collapsed" if "collapsed" in cache_status else kind] += 1
            if text not in self.given[request]:
                self.wrong.append(f"{request} was answered {text!r}")

    def failed(self, request: Request, why: str, *, may: bool) -> None:
        """A call has failed; `may`: the upstream fails such requests now and then."""
        with self._lock:
            self.counts["calls"] += 1
            self.counts["calls the upstream failed"] += may
            if not may:
                self.lost.append(f"{request}: {why}")

    def waited(self, request: Request, *, is_stream: bool) -> None:
        """A call took too long."""
        with self._lock:
            self.counts["calls"] += 1
            self.hung.append(f"{request}, {'stream' if is_stream else 'plain'}")


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
