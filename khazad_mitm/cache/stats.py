"""Counters. `Stats` is a snapshot; `Counters` is what threads count on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from khazad_mitm.cache.live import Followed, Found
from khazad_mitm.exchange import Bypass, Entry, Hit, Miss, Unsatisfied

# Names of models come from callers: a page of counters must not grow with them.
MAX_MODELS = 100
OTHER_MODELS = "other"


@dataclass(frozen=True, slots=True)
class Stats:
    """What the cache has done since it started or was flushed."""

    cache_hits: int = 0
    cache_misses: int = 0
    exact_hits: int = 0
    semantic_hits: int = 0
    coalesced: int = 0
    """Of the exact hits those that waited for the answer to somebody else's call."""
    similarity_sum: float = 0.0
    """Of all hits; an exact one counts 1."""
    stored: int = 0
    unkept: dict[str, int] = field(default_factory=dict)
    """Answers not kept, by reason."""
    bypassed: dict[str, int] = field(default_factory=dict)
    """Requests that went upstream without a lookup, by reason."""
    saved_tokens: int = 0
    saved_seconds: float = 0.0
    """What the upstream took for the answers that were served."""
    saved_by_model: dict[str, tuple[int, int]] = field(default_factory=dict)
    """Tokens of prompts and of completions that were not paid for."""
    checked_hits: int = 0
    """Semantic hits that were asked again in the background, and compared."""
    wrong_hits: int = 0
    """Of those, the ones that the fresh answer contradicted."""
    checked_misses: int = 0
    """Misses whose answer was compared with the neighbour's that was near enough to think of."""
    unopened: int = 0
    """What was met in the store and no key of ours opens: each cost a hit."""
    errors: int = 0
    """Failures of the store, the embedder or our own: each cost a hit, never a call."""

    @property
    def total_requests(self) -> int:
        """Requests that were looked up."""
        return self.cache_hits + self.cache_misses

    @property
    def hit_rate(self) -> float:
        """Hits per request looked up, 0 to 1."""
        return self.cache_hits / self.total_requests if self.total_requests else 0.0

    @property
    def avg_hit_similarity(self) -> float:
        """Mean cosine similarity of the hits, 0 where there were none."""
        return self.similarity_sum / self.cache_hits if self.cache_hits else 0.0

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Stats:
        """From its fields, as they come back from JSON."""
        pairs = {model: (both[0], both[1]) for model, both in values["saved_by_model"].items()}
        return cls(**{**values, "saved_by_model": pairs})

    def __add__(self, other: Stats) -> Stats:
        """What two caches have done together."""
        return Stats(
            **{
                field.name: _sum(getattr(self, field.name), getattr(other, field.name))
                for field in fields(Stats)
            }
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON; the first five keys are those of the original khazad."""
        return {
            "total_requests": self.total_requests,
            "cache_hits": self.cache_hits,
            "cache_misses": self.cache_misses,
            "hit_rate": round(self.hit_rate, 4),
            "avg_hit_similarity": round(self.avg_hit_similarity, 4),
            "exact_hits": self.exact_hits,
            "semantic_hits": self.semantic_hits,
            "coalesced": self.coalesced,
            "stored": self.stored,
            "unkept": dict(self.unkept),
            "bypassed": dict(self.bypassed),
            "saved_tokens": self.saved_tokens,
            "saved_seconds": round(self.saved_seconds, 1),
            "saved_by_model": {model: list(both) for model, both in self.saved_by_model.items()},
            "checked_hits": self.checked_hits,
            "wrong_hits": self.wrong_hits,
            "checked_misses": self.checked_misses,
            "unopened": self.unopened,
            "errors": self.errors,
        }


def _sum(one: Any, other: Any) -> Any:
    match one:
        case dict():
            # One that only one of them has is what it is.
            both = one.keys() & other.keys()
            return {**one, **other, **{name: _sum(one[name], other[name]) for name in both}}
        case (read, written):
            return (read + other[0], written + other[1])
        case _:
            return one + other


class Counters:
    """Counts from any thread. `unopened`: what the store has counted itself."""

    def __init__(self, unopened: Callable[[], int] = lambda: 0) -> None:
        self._lock = threading.Lock()
        self._unopened = unopened
        self.reset()

    def reset(self) -> None:
        with self._lock:
            self._counts: Counter[str] = Counter()
            self._unkept: Counter[str] = Counter()
            self._bypassed: Counter[str] = Counter()
            self._similarity_sum = 0.0
            self._saved_seconds = 0.0
            self._saved_by_model: dict[str, tuple[int, int]] = {}

    def count(self, outcome: Found) -> None:
        with self._lock:
            match outcome:
                case Hit(tier=tier, similarity=similarity, entry=entry):
                    self._counts[tier] += 1
                    self._counts["coalesced"] += outcome.is_collapsed
                    self._counts["saved_tokens"] += entry.tokens
                    self._count_saved(entry)
                    # Who waited for somebody else's answer has waited as long.
                    if not outcome.is_collapsed:
                        self._saved_seconds += entry.took_s
                    self._similarity_sum += similarity
                case Followed():
                    # What it saves is known when it has come, to whoever asked first.
                    self._counts.update(exact=1, coalesced=1)
                    self._similarity_sum += 1.0
                case Miss() | Unsatisfied():
                    self._counts["misses"] += 1
                case Bypass(reason=reason):
                    self._bypassed[reason] += 1

    def _count_saved(self, entry: Entry) -> None:
        model = entry.model
        if model not in self._saved_by_model and len(self._saved_by_model) >= MAX_MODELS:
            model = OTHER_MODELS
        read, written = self._saved_by_model.get(model, (0, 0))
        counts = read + entry.tokens - entry.output_tokens, written + entry.output_tokens
        self._saved_by_model[model] = counts

    def count_stored(self) -> None:
        with self._lock:
            self._counts["stored"] += 1

    def count_unkept(self, reason: str) -> None:
        with self._lock:
            self._unkept[reason] += 1

    def count_checked(self, agreed: bool | None, *, was_served: bool) -> None:
        """A fresh answer was compared; None: in vain."""
        with self._lock:
            if agreed is not None:
                self._counts["checked_hits" if was_served else "checked_misses"] += 1
                self._counts["wrong_hits"] += was_served and not agreed

    def count_error(self) -> None:
        with self._lock:
            self._counts["errors"] += 1

    def snapshot(self) -> Stats:
        with self._lock:
            counts = self._counts
            return Stats(
                cache_hits=counts["exact"] + counts["semantic"],
                cache_misses=counts["misses"],
                exact_hits=counts["exact"],
                semantic_hits=counts["semantic"],
                coalesced=counts["coalesced"],
                similarity_sum=self._similarity_sum,
                stored=counts["stored"],
                unkept=dict(self._unkept),
                bypassed=dict(self._bypassed),
                saved_tokens=counts["saved_tokens"],
                saved_seconds=self._saved_seconds,
                saved_by_model=dict(self._saved_by_model),
                checked_hits=counts["checked_hits"],
                wrong_hits=counts["wrong_hits"],
                checked_misses=counts["checked_misses"],
                unopened=self._unopened(),
                errors=counts["errors"],
            )
