"""What the core of an interception asks of whoever knows an HTTP library's words."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

from khazad_mitm.cache.live import Live
from khazad_mitm.exchange import Reply
from khazad_mitm.inprocess.streams import Capture
from khazad_mitm.messages import Request, Response

Theirs: TypeAlias = Any
"""A request or a response of the library."""


class Translation(Protocol):
    """One library's requests to ours, our replies to its responses. Knows nothing of caching."""

    def request(self, theirs: Theirs, *, whole: bool = False) -> Request | None:
        """The request as it will be dialled; None where reading it would consume it.

        `whole`: a body that is generated while it is sent is read too, if it can be sent then.
        """
        ...

    def without_headers(self, theirs: Theirs, names: tuple[str, ...]) -> Theirs:
        """The same request without these headers (in lower case); itself if it has none."""
        ...

    def with_body(self, theirs: Theirs, body: bytes) -> Theirs:
        """The same request with another body, not encoded and of known length."""
        ...

    def again(self, theirs: Theirs) -> Theirs:
        """The same request once more, to be sent beside the first and from another thread."""
        ...

    def response(self, reply: Reply, theirs: Theirs, *, is_stream: bool) -> Theirs:
        """A reply of ours to that request, as one body or as a stream; broken off where it says
        so."""
        ...

    def reset(self, theirs: Theirs) -> Exception:
        """What the library raises where a connection is reset before anything is answered."""
        ...

    @property
    def follows(self) -> bool:
        """Can it be given, and give others, a stream while it comes?"""
        ...

    def following(self, reply: Reply, theirs: Theirs, live: Live) -> Theirs:
        """A reply of ours whose body somebody else is being given."""
        ...

    def add_header(self, response: Theirs, name: str, value: str) -> None:
        """Append a field line: caches list themselves in the order passed (RFC 9211 §2)."""
        ...

    def tee(self, response: Theirs, capture: Capture, *, is_async: bool) -> None:
        """Let `capture` read along with a body that has not been read yet."""
        ...

    def status(self, response: Theirs) -> int: ...

    def is_read(self, response: Theirs) -> bool:
        """Has its body been read already?"""
        ...

    def read(self, response: Theirs) -> None:
        """Read its body, and be done with the connection."""
        ...

    def whole(self, response: Theirs) -> Response:
        """A response that has been read."""
        ...
