"""A cassette with one recording of every kind, to be carried through other formats."""

from __future__ import annotations

from pathlib import Path

from khazad_mitm.messages import Headers, Request
from khazad_mitm.record.cassette import Cassette
from tests.record.calls import SSE, answer, chat, record

FRAMES = b'data: {"a":1}\n\ndata: [DONE]\n\n'
LIMITED = Headers([("content-type", "application/json"), ("retry-after", "3")])


def of_every_kind(folder: Path) -> Cassette:
    record(folder, (chat("a"), answer("ü \U0001f600 \x85")), (chat("a"), answer("again")))
    record(folder, (chat("b"), FRAMES), headers=SSE)
    record(folder, (chat("c"), b"\x00\xff"))
    record(folder, (chat("d"), b'{"error": {}}'), headers=LIMITED, status=429)
    record(folder, (Request.to("https://api.openai.com/v1/models?limit=2", method="GET"), b"[]"))
    return Cassette.open(folder)


def same(one: Cassette, other: Cassette) -> bool:
    """Do they ask and answer the same?"""
    return len(one.recordings) == len(other.recordings) and all(
        mine.digest == theirs.digest
        and mine.interaction.answer.says_the_same_as(theirs.interaction.answer)
        for mine, theirs in zip(one.recordings, other.recordings, strict=True)
    )
