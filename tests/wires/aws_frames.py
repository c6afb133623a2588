"""AWS event streams written as readable lines, encoded apart from the code under test.

contentBlockStop {"contentBlockIndex":0}     an event and its payload
chunk {"outputText":"Hi"}                    its payload is in base64, padded as Bedrock's
!throttlingException {"message":"Slow."}     an exception
"""

from __future__ import annotations

import base64
import json
from struct import pack
from zlib import crc32


def encoded(lines: bytes) -> bytes:
    return b"".join(_line(line) for line in lines.split(b"\n") if line)


def frame(headers: dict[str, str], payload: bytes) -> bytes:
    """One frame; all headers are strings."""
    block = b""
    for name, value in headers.items():
        text = value.encode()
        block += bytes([len(name)]) + name.encode() + b"\x07" + pack(">H", len(text)) + text
    prelude = pack(">LL", 16 + len(block) + len(payload), len(block))
    message = prelude + pack(">L", crc32(prelude)) + block + payload
    return message + pack(">L", crc32(message))


def _line(line: bytes) -> bytes:
    kind, _, payload = line.partition(b" ")
    name = kind.decode()
    if name.startswith("!"):
        return frame({":exception-type": name[1:], ":message-type": "exception"}, payload)
    if name == "chunk":
        held = {"bytes": base64.b64encode(payload).decode(), "p": "abcdefg"}
        payload = json.dumps(held).encode()
    return frame(
        {":event-type": name, ":content-type": "application/json", ":message-type": "event"},
        payload,
    )
