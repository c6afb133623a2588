"""One request and its answer, as a cassette holds them: scrubbed, content codings undone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from khazad_mitm.messages import Headers, Request


@dataclass(frozen=True, slots=True)
class Frame:
    """One wire unit of a stream, or a whole body."""

    at_ms: int
    """Milliseconds after the request was sent on."""
    data: bytes


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer of an upstream."""

    status: int
    headers: Headers
    frames: tuple[Frame, ...]
    is_stream: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(frame.data for frame in self.frames)

    def says_the_same_as(self, other: Answered) -> bool:
        """Equal but for what no two calls have in common: times, dates, request ids."""
        return (
            self.status == other.status
            and self.headers.get("content-type") == other.headers.get("content-type")
            and self.is_stream == other.is_stream
            and self.body == other.body
        )


@dataclass(frozen=True, slots=True)
class Label:
    """The head of a file: for people, and for `cassette ls` and `age`. Matching ignores it."""

    provider: str
    """As in logs (`openai-chat`); `http` where no provider of ours knows the request."""
    model: str
    tool: str
    """Who wrote the file."""
    recorded: str
    """The day, `2026-11-24`, in UTC."""


@dataclass(frozen=True, slots=True)
class Interaction:
    """One file of a cassette."""

    request: Request
    answer: Answered
    label: Label
    path: Path | None = None
    """Where it lies; None before it is written."""
