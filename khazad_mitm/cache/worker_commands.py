"""Commands by which workers share what one of them is told: who asks the upstream for all, and the
streams that it lets others read along. As in `commands`, each says what comes back.
"""

from __future__ import annotations

from dataclasses import dataclass

# Blocks of a stream that are read in one go; they have 64 kB at most (`publications`).
MOST_READ = 16


@dataclass(frozen=True, slots=True)
class Lease:
    """-> str | None. Let this process lead a flight for so long. None: it does. Else another one
    leads, and this names the stream that it will let others read along; "": there is none."""

    flight: str
    holder: str
    """Of this process; to ask again prolongs nothing (`Renew`)."""
    seconds: float
    stream: str = ""
    """The name of the stream that others may read along, if it is one."""


@dataclass(frozen=True, slots=True)
class Renew:
    """-> tuple[bool, ...]. Lead each flight for so long from now on, where it is still this
    process' own; was it? For 0 seconds: nobody need wait for it any longer."""

    flights: tuple[str, ...]
    holder: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Place:
    """Of a block in a stream that one worker leads and others read."""

    flight: str
    stream: str
    """Its name, of 32 hex digits: no two have the same."""
    number: int = 0


@dataclass(frozen=True, slots=True)
class Wanted:
    """-> tuple[bool, ...]. Does another worker want to read each of these streams?"""

    streams: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Issue:
    """The next blocks of a stream, from this place on. Without any: it is still coming."""

    place: Place
    blocks: tuple[bytes, ...]
    oldest: int
    """The number of the oldest block that is still to be had."""
    dropped: int
    """From this one up to the oldest they are to be dropped."""


@dataclass(frozen=True, slots=True)
class Publish:
    """-> tuple[bool, ...]. Let other workers read these, for so long after the last word; is all
    there that should be, of each stream? The same may be published again."""

    issues: tuple[Issue, ...]
    seconds: float


@dataclass(frozen=True, slots=True)
class Heard:
    """Blocks of a stream, as many as there are, and no more than MOST_READ."""

    blocks: tuple[bytes, ...]
    is_lost: bool = False
    """What was asked for has been dropped, or is none of ours; it will not come."""


@dataclass(frozen=True, slots=True)
class Read:
    """-> tuple[Heard | None, ...]. The blocks from each place on; None: there is no such stream,
    yet or any more. Whoever asks for the first one lets its leader know, for so long."""

    places: tuple[Place, ...]
    seconds: float
    rest_s: float = 0.0
    """To whoever asks for the first one a stream that would end sooner, if nobody says more, is
    none."""
