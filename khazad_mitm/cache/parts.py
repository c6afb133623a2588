"""Whom the commands of a story go to: store, embedder, verifier, and what guards them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from khazad_mitm.cache.acceptance import Acceptances
from khazad_mitm.cache.breaker import Breaker
from khazad_mitm.cache.commands import StoreCommand
from khazad_mitm.cache.flights import Flights
from khazad_mitm.cache.keeper import Keeper
from khazad_mitm.cache.landings import Landings

if TYPE_CHECKING:
    from khazad_mitm.exchange import Pair, Vector

MOST_PROBES = 8
"""On their way at once; there are three or four breakers."""


def _keeping_breaker() -> Breaker:
    return Breaker(
        "store", away="takes no more answers", back="takes answers again, %d commands passed by"
    )


def _probes() -> Keeper:
    return Keeper(MOST_PROBES, "khazad-probe")


class Store(Protocol):
    """Obeys store commands, blocking; raises CacheUnavailable where that takes longer than
    `within_s`, or, where nobody waits (None), longer than it finds reasonable."""

    def perform(self, command: StoreCommand, within_s: float | None = None) -> Any: ...


class AwaitableStore(Protocol):
    """The same, awaiting; NotAsked where all of that time went by in its own queue."""

    async def perform(self, command: StoreCommand, within_s: float | None = None) -> Any: ...


class Embedder(Protocol):
    """Text to vector; blocking and thread-safe."""

    @property
    def model(self) -> str:
        """Id of the model; names the vector sets."""
        ...

    @property
    def is_loaded(self) -> bool:
        """False while the model is still being read: nobody waits for that."""
        ...

    def load(self) -> None:
        """Read the model; the first call that needs it would do it otherwise."""
        ...

    def embed_if_fits(self, text: str) -> Vector | None:
        """float32[dim] of unit length; None where the text exceeds the model's window."""
        ...


class Verifier(Protocol):
    """Says whether two questions mean the same; blocking and thread-safe."""

    @property
    def name(self) -> str:
        """Names the aliases that it lets come to be."""
        ...

    def approves(self, pair: Pair) -> bool: ...


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a verifier sits: its threads, how long callers wait for it, when it is left alone."""

    verifier: Verifier
    executor: Executor
    deadline_s: float
    breaker: Breaker = field(default_factory=lambda: Breaker("verifier"))


@dataclass(frozen=True, slots=True)
class Parts:
    """Whom the commands go to."""

    store: Store
    awaitable_store: AwaitableStore
    store_breaker: Breaker
    store_deadline_s: float
    """Of one request with the store, however often it asks (`patience`)."""
    embedder: Embedder
    embed_breaker: Breaker
    embed_executor: Executor
    """Of our own: asyncio's default one shares its threads with DNS."""
    embed_deadline_s: float
    """The same with the embedder."""
    benches: Mapping[str, Bench] = field(default_factory=dict)
    """By the name of the verifier; none: the guards decide alone."""
    flights: Flights = field(default_factory=Flights)
    landings: Landings = field(default_factory=Landings)
    acceptances: Acceptances = field(default_factory=Acceptances)
    keeping_breaker: Breaker = field(default_factory=_keeping_breaker)
    """Open while the store answers and takes nothing: full, read-only, its disk full."""
    probes: Keeper = field(default_factory=_probes)
    """Tries what did not answer again, while nobody waits."""
    judge: Callable[[Pair], bool] | None = None
    """The user's, of whether two answers say the same; blocking. None: there is none."""
