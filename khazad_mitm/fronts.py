"""What the edges hold: a cache, or a cassette in its place. Both are asked in the same words.

`cache.front.Cache` and `record.recorder.Recorder` are the two.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from khazad_mitm.cache.inventory import Selection
from khazad_mitm.cache.live import Found, Live
from khazad_mitm.cache.stats import Stats
from khazad_mitm.exchange import Miss, Reply
from khazad_mitm.messages import Headers, Request, Response


class Listener(Protocol):
    """Hears an answer that passes by. Ends once, and ignores what comes after."""

    @property
    def live(self) -> Live | None:
        """What others may read along while it comes; None: nothing."""
        ...

    def begin(self, status: int, headers: Headers) -> None:
        """The head of an answer that comes piece by piece."""
        ...

    def feed(self, chunk: bytes) -> None: ...
    def finish(self, status: int, headers: Headers) -> None: ...
    def close(self, status: int, headers: Headers) -> None: ...
    def abort(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Played:
    """A recording answers; or, where there is none and there must be, an error that says why."""

    reply: Reply
    is_stream: bool = False
    delay_s: float = 0.0
    """How long it was made to take."""


@dataclass(frozen=True, slots=True)
class Unrecorded:
    """The request goes upstream, and its answer is recorded."""

    listener: Listener


Decision: TypeAlias = Found | Played | Unrecorded


class Front(Protocol):
    """Thread-safe. An outcome goes back to whoever gave it: that is what `Any` stands for here."""

    mode: str
    """As the option; `cassette` where one is in the place of the cache."""
    hosts: tuple[str, ...]
    """As the option."""

    @property
    def threshold(self) -> float:
        """Cosine below which nothing is served, unless a route says otherwise."""
        ...

    @property
    def awaits(self) -> bool:
        """Does `look_up_async` need asyncio's event loop?"""
        ...

    @property
    def wants_all(self) -> bool:
        """Are bodies of interest that are generated while they are sent, such as uploads?"""
        ...

    @property
    def is_closed(self) -> bool:
        """May nothing be asked of any upstream, whatever happens?"""
        ...

    def decrypts(self, host: str) -> bool:
        """May a proxy open the TLS of this host?"""
        ...

    def look_up(self, request: Request, *, follows: bool = False) -> Decision | None:
        """What is to be done with a request; None where it is none of our business.

        `follows`: can the caller be given a stream while it comes (`Followed`)?
        """
        ...

    async def look_up_async(
        self, request: Request, *, follows: bool = False
    ) -> Decision | None: ...

    def unreadable(self) -> Played | None:
        """The same for a request whose body cannot be read before it is sent."""
        ...

    def reply(self, outcome: Any) -> Reply: ...
    def cache_status(self, outcome: Any) -> str: ...
    def capture(self, outcome: Any) -> Listener: ...
    def shadow(self, outcome: Any) -> Listener | None:
        """Hears a fresh answer to what was just served, where one is to be asked for in the
        background; None: leave it."""
        ...

    def explain(self, id_: str, ask: str | None = None, other: str | None = None) -> dict[str, Any]:
        """What is known of a stored answer. Raises UnknownEntry, or CacheUnavailable."""
        ...

    def export(self, id_: str) -> dict[str, Any]:
        """A stored call whole, as `cache.explain.export` gives it. Raises as `explain`."""
        ...

    def wrong(self, id_: str, ask: str | None = None) -> dict[str, Any]:
        """Take a stored answer back. Raises UnknownEntry, or CacheUnavailable."""
        ...

    def entries(self, wanted: Selection, most: int | None = None) -> dict[str, Any]:
        """What is stored; see `cache.inventory`. Raises UnknownEntry, or CacheUnavailable."""
        ...

    def forget(self, wanted: Selection) -> int:
        """Forget some of what is stored; how many there were. Raises as `entries`."""
        ...

    def complete(self, miss: Miss, response: Response) -> Reply | None: ...
    async def complete_async(self, miss: Miss, response: Response) -> Reply | None: ...
    def abandon(self, outcome: Any) -> None: ...
    def warm_up(self, then: Callable[[], None] = lambda: None) -> None: ...
    def parts(self) -> dict[str, str]: ...
    def stats(self) -> Stats: ...
    def flush(self) -> int: ...
    def drain(self, timeout_s: float) -> bool: ...
    def close(self) -> None: ...
