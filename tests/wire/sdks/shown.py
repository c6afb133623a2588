"""What the SDKs are shown of every wire, and how what they make of it is compared."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from khazad_mitm.exchange import Answer, ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import PROVIDERS, recognise
from tests import wires
from tests.wires import Wire
from tests.wires.flip import flipped

KEPT = [
    wire
    for provider in PROVIDERS
    for wire in wires.of(provider.name)
    if wire.expect.startswith("answer")
]

FLIPPED = [wire for wire in KEPT if flipped(wire) is not None]

# Of one moment, of one chunk, or padding.
OF_NO_ANSWER = frozenset({"sdk_http_response", "obfuscation", "p", "x_groq"})

# What an SDK makes of a stream and not of a plain answer, or the other way round.
OF_A_STREAM = frozenset({"deltas", "index", "parsed", "created_at", "object", "prefix"})


def parse(request: Request) -> ParsedRequest:
    parsed = recognise(request)
    assert parsed is not None
    return parsed


def answer_of(wire: Wire) -> bytes:
    parsed = parse(wire.request)
    answer = parsed.provider.assemble(wire.body, parsed)
    assert isinstance(answer, Answer)
    return answer.body


def as_sent(wire: Wire) -> tuple[ParsedRequest, bytes]:
    """The provider's own answer; a JSON array as events, which is what Google's SDKs ask for."""
    parsed = parse(wire.request)
    if parsed.framing.media != "array":
        return parsed, wire.body
    return as_replayed(wire)


def as_replayed(wire: Wire) -> tuple[ParsedRequest, bytes]:
    parsed = parse(wire.request)
    if parsed.framing.media == "array":
        parsed = replace(parsed, framing=replace(parsed.framing, media="sse"))
    return parsed, b"".join(parsed.provider.replay(answer_of(wire), parsed))


def as_flipped(wire: Wire) -> tuple[ParsedRequest, bytes]:
    """The replay in the other framing; only of those in FLIPPED."""
    request = flipped(wire)
    assert request is not None
    parsed = parse(request)
    if parsed.framing.is_stream:
        parsed = replace(parsed, framing=replace(parsed.framing, include_usage=True))
    return parsed, b"".join(parsed.provider.replay(answer_of(wire), parsed))


def said(value: Any, leaving_out: frozenset[str] = OF_NO_ANSWER) -> Any:
    """Without what is empty: an SDK fills in what is missing. Joins halves of a character."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16")
        case dict():
            kept = {
                name: said(inner, leaving_out)
                for name, inner in value.items()
                if name not in leaving_out
            }
            return {name: inner for name, inner in kept.items() if inner not in (None, [], {}, "")}
        case list():
            return [said(inner, leaving_out) for inner in value]
        case _:
            return value
