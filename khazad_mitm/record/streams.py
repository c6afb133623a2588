r"""Streams as they stand in a file: a frame on a line, with its time, in the first form that fits.

    - {at: 412, data: '{"id": ...}'}                           an event of SSE: `data: ...` alone
    - {at: 412, event: message_start, data: '{...}'}            `event: ...`, then `data: ...`
    - {at: 412, line: '{"message": ...}'}                       a line of JSON
    - {at: 415, event: contentBlockDelta, payload: '{...}'}     an AWS frame that can be rebuilt
    - {at: 412, text: ": keep-alive\n\n"}                       any other text, as it came
    - {at: 415, base64: ...}                                    any other bytes

Lines end with LF; where they end otherwise, the list is under `frames`, beside `line_end`. A long
stream lies in a file beside, and what stands here are times and lengths: `{file: NAME, frames:
[[412, 38], ...]}`.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from itertools import accumulate

from khazad_mitm.exchange import Json
from khazad_mitm.record.bodies import MAX_BODY_BYTES, Shelf
from khazad_mitm.record.interaction import Frame
from khazad_mitm.record.yamls import Flow
from khazad_mitm.wire import eventstream


def write(frames: Sequence[Frame], shelf: Shelf) -> Json:
    data = b"".join(frame.data for frame in frames)
    if len(data) > MAX_BODY_BYTES:
        name = shelf.put(data, "response", "stream")
        return {"file": name, "frames": [[frame.at_ms, len(frame.data)] for frame in frames]}
    end = "\r\n" if frames and frames[0].data.endswith(b"\r\n") else "\n"
    lines = [Flow(at=frame.at_ms, **_frame(frame.data, end)) for frame in frames]
    return lines if end == "\n" else {"line_end": end, "frames": lines}


def read(document: Json, shelf: Shelf) -> tuple[Frame, ...]:
    """Raises ValueError where it is no stream, OSError where a file beside is missing."""
    match document:
        case list():
            return tuple(Frame(_time(line), _data(line, "\n")) for line in document)
        case {"line_end": str(end), "frames": list(lines)}:
            return tuple(Frame(_time(line), _data(line, end)) for line in lines)
        case {"file": name, "frames": list(lines)}:
            return _beside(shelf.get(name), lines)
    raise ValueError("a stream is a list of frames, or a file and their lengths")


def _frame(data: bytes, end: str) -> dict[str, str]:
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return _binary(data)
    lines = text.split(end)
    match lines:
        case [first, "", ""] if first.startswith("data: "):
            forms = {"data": first[6:]}
        case [first, second, "", ""] if first[:7] == "event: " and second[:6] == "data: ":
            forms = {"event": first[7:], "data": second[6:]}
        case [first, ""] if first:
            forms = {"line": first}
        case _:
            forms = {"text": text}
    return forms


def _binary(data: bytes) -> dict[str, str]:
    try:
        headers, payload = eventstream.read(data)
        event = eventstream.Event(headers.get(":event-type", ""), payload)
        if eventstream.write(event) == data:
            return {"event": event.name, "payload": payload.decode()}
    except (ValueError, UnicodeDecodeError):
        pass
    return {"base64": base64.b64encode(data).decode()}


def _data(line: Json, end: str) -> bytes:
    match line:
        case {"event": str(name), "data": str(data)}:
            return f"event: {name}{end}data: {data}{end}{end}".encode()
        case {"event": str(name), "payload": str(payload)}:
            return eventstream.write(eventstream.Event(name, payload.encode()))
        case {"data": str(data)}:
            return f"data: {data}{end}{end}".encode()
        case {"line": str(text)}:
            return f"{text}{end}".encode()
        case {"text": str(text)}:
            return text.encode()
        case {"base64": str(coded)}:
            return base64.b64decode(coded, validate=True)
    raise ValueError("a frame has one of data, line, payload with event, text, base64")


def _beside(data: bytes, lines: list[Json]) -> tuple[Frame, ...]:
    try:
        times, lengths = [int(at) for at, _ in lines], [int(size) for _, size in lines]
    except (TypeError, ValueError):
        raise ValueError("frames are pairs of a time and a length") from None
    ends = list(accumulate(lengths))
    if (ends[-1] if ends else 0) != len(data):
        raise ValueError("the lengths of the frames are not those of the file")
    return tuple(
        Frame(at, data[end - size : end])
        for at, size, end in zip(times, lengths, ends, strict=True)
    )


def _time(line: Json) -> int:
    at = line.get("at", 0) if isinstance(line, dict) else 0
    if not isinstance(at, int):
        raise ValueError(f"{at!r} is no time in milliseconds")
    return at
