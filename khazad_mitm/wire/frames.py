"""A stored stream cut into the frames it came in, so that it is replayed as it was sent."""

from __future__ import annotations

from khazad_mitm.exchange import ParsedRequest
from khazad_mitm.wire import eventstream, json_array, ndjson, sse


def split(body: bytes, parsed: ParsedRequest) -> tuple[bytes, ...]:
    """`b"".join(split(body, parsed)) == body`; a body that is no stream is one frame."""
    match parsed.framing.media:
        case "sse":
            frames, rest = sse.split(body)
        case "ndjson":
            frames, rest = ndjson.split(body)
        case "array":
            frames, rest = json_array.split(body)
        case "eventstream":
            frames, rest = eventstream.split(body)
        case "json":
            return (body,)
    return (*frames, rest) if rest else tuple(frames)
