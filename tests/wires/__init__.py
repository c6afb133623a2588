"""Exchanges as providers send or document them, one readable file each, and their loader.

source: where this is written down, and when we looked
expect: answer | answer length | unkept cut ...
eol: crlf                        (optional: the line ends of the body; lf where missing)
frames: eventstream              (optional: the body is lines for `aws_frames.encoded`)
accepts: text/event-stream       (optional: the header by which Cohere v1 is asked for events)
POST https://api.example.com/v1/chat/completions
{"model": ...}                   (the request body, up to the line of dashes)
---
the answer, byte for byte to the end of the file
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from khazad_mitm.messages import Headers, Request
from tests.wires import aws_frames

FOLDER = Path(__file__).parent
_EOL = {"lf": b"\n", "crlf": b"\r\n", "cr": b"\r"}
_JSON = Headers([("content-type", "application/json")])


@dataclass(frozen=True, slots=True)
class Wire:
    """One exchange; the answer had the status 200."""

    name: str
    """As in test ids: `openai_chat/text-stream`."""
    source: str
    expect: str
    """`answer`, `answer REASON` for exact repeats only, or `unkept REASON`."""
    request: Request
    body: bytes


def load(path: Path) -> Wire:
    head, _, body = path.read_bytes().partition(b"\n---\n")
    lines = head.decode().split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("POST "))
    said = dict(line.split(": ", 1) for line in lines[:start])
    if said.get("frames") == "eventstream":
        body = aws_frames.encoded(body)
    headers = _JSON.plus(("accepts", said["accepts"])) if "accepts" in said else _JSON
    return Wire(
        name=f"{path.parent.name}/{path.stem}",
        source=said["source"],
        expect=said["expect"],
        request=Request.to(lines[start][5:], "\n".join(lines[start + 1 :]).encode(), headers),
        body=body.replace(b"\n", _EOL[said.get("eol", "lf")]),
    )


def of(provider: str) -> list[Wire]:
    """All wires of a provider, by name: `of("openai-chat")`."""
    return [load(path) for path in sorted((FOLDER / provider.replace("-", "_")).glob("*.wire"))]


def one(name: str) -> Wire:
    return load(FOLDER / f"{name}.wire")
