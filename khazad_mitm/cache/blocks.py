"""A stream as other workers are given it: numbered blocks, of which the first is the head and the
last one says how it ended.

Of the head there is what may be passed on to others, no cookie and no rate limit.
"""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Sequence

from khazad_mitm.cache import policy
from khazad_mitm.cache.live import Live
from khazad_mitm.messages import Headers

DATA = b"d"
WHOLE = b"w"
CUT = b"c"
_HEAD = b"h"

_KIND_DIGITS = 16


def kind_of(stream: str) -> str:
    """What the names of all streams begin with that have this in common
    (`collapsing.stream_of`)."""
    return hashlib.blake2b(stream.encode(), digest_size=_KIND_DIGITS // 2).hexdigest()


def new_name(stream: str) -> str:
    """The name of one more stream of this kind."""
    return kind_of(stream) + uuid.uuid4().hex[_KIND_DIGITS:]


def of_head(live: Live) -> bytes:
    headers = policy.kept_headers(live.headers)
    coding = live.headers.joined("content-encoding")
    if coding:
        headers = headers.plus(("Content-Encoding", coding))
    return _HEAD + json.dumps([live.status, list(headers)]).encode("ascii")


def live_of(head: bytes) -> Live | None:
    """What such a head begins; None for what is none."""
    if not head.startswith(_HEAD):
        return None
    try:
        told = json.loads(head[len(_HEAD) :])
    except (ValueError, RecursionError):
        return None
    match told:
        case [int() as status, list() as fields]:
            headers = []
            for field in fields:
                match field:
                    case [str() as name, str() as value]:
                        headers.append((name, value))
                    case _:
                        return None
            return Live(status, Headers(headers))
        case _:
            return None


def of_data(chunks: Sequence[bytes]) -> bytes:
    return DATA + b"".join(chunks)


def feed(live: Live, blocks: Sequence[bytes]) -> None:
    """What follows the head: more of a stream, and at last its end. What is none ends it too."""
    for block in blocks:
        if not block.startswith(DATA):
            live.end(is_whole=block == WHOLE)
            return
        if len(block) > len(DATA):
            live.feed(block[len(DATA) :])
