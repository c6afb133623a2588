"""A stored stream cut into the frames it came in, so that it is replayed as it was sent."""

from __future__ import annotations

from khazad_mitm.exchange import ParsedRequest
from khazad_mitm.wire import sse


def split(body: bytes, parsed: ParsedRequest) -> tuple[bytes, ...]:
    """`b"".join(split(body, parsed)) == body`; a body that is no stream is one frame."""
    if parsed.framing.media == "sse":
        frames, rest = sse.split(body)
        return (*frames, rest) if rest else tuple(frames)
    return (body,)
