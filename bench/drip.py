"""A stream whose events come at a pace, each with the moment it was sent. The provider's end.

Random gaps around the mean, so that the streams of one connection pool do not speak at the same
moments; the same ones for the same seed.
"""

from __future__ import annotations

import asyncio
import json
import random
import re
import time
from collections.abc import Iterator
from typing import Any

from bench import conversation

STAMP = re.compile(rb"@(\d+)")
"""CLOCK_MONOTONIC in nanoseconds, which all processes of a machine have in common."""

_EVENT = conversation.frames(["@%d"])[1]
_FIRST, *_LAST = conversation.frames([])


def asked(question: str, events: int, every_s: float, seed: int) -> bytes:
    """The body of a request for such a stream. What paces it is not in the key of a cache."""
    pace = {"events": str(events), "every_s": str(every_s), "seed": str(seed)}
    return conversation.body(question, conversation.DRIP, stream=True, metadata=pace)


def gaps(every_s: float, seed: int) -> Iterator[float]:
    """Seconds before each event, without end; the first is anywhere within one gap."""
    chance = random.Random(seed)
    yield chance.uniform(0, every_s)
    while True:
        yield chance.uniform(0.5, 1.5) * every_s


async def drip(writer: asyncio.StreamWriter, body: bytes) -> None:
    """Chunks of a body: one for each event.

    Never waits for the reader. What he is late is to be seen in his receipts, and would not be if
    events were sent, and stamped, when he is ready for them.
    """
    pace: dict[str, Any] = json.loads(body)["metadata"]
    now = asyncio.get_running_loop().time
    due = now()
    writer.write(_chunk(_FIRST))
    for _, gap in zip(
        range(int(pace["events"])), gaps(float(pace["every_s"]), int(pace["seed"])), strict=False
    ):
        due += gap
        if (wait := due - now()) > 0:
            await asyncio.sleep(wait)
        if writer.is_closing():
            raise ConnectionResetError
        writer.write(_chunk(_EVENT % time.monotonic_ns()))
    writer.write(b"".join(map(_chunk, _LAST)) + b"0\r\n\r\n")


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
