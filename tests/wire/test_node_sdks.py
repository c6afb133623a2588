"""The official SDKs of Node read a replay as they read the original: `make test-node`.

One run of tests/node/judge.mjs reads everything; the tests compare what it says.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.exchange import ParsedRequest
from tests.wire.sdks.shown import (
    FLIPPED,
    KEPT,
    OF_A_STREAM,
    OF_NO_ANSWER,
    as_flipped,
    as_replayed,
    as_sent,
    parse,
    said,
)
from tests.wires import Wire

JUDGE = Path(__file__).parents[1] / "node" / "judge.mjs"

# What there is an SDK for; of the embeddings OpenAI's.
READ = ("openai-chat", "openai-responses", "openai-completions", "anthropic-messages", "gemini")

# What the SDK does not make of these originals what they say.
QUIRKS = {
    "openai_chat/citations-json": "a `delta` beside the message is shown, and belongs to streams",
    "openai_chat/comments-crlf-stream": "of two fields that grow, one keeps its last piece",
    "openai_chat/groq-usage-stream": "usage in x_groq is not read",
    "openai_chat/reasoning-content-stream": "a null after a text makes it null",
    "openai_chat/thinking-parts-stream": "content is taken for a text, whatever it is",
    "openai_chat/tool-call-unindexed-stream": "a call without an index is not read",
    "openai_chat/tool-calls-same-index-stream": "two calls of one index become one",
    "gemini/partial-arguments-stream": "arguments that come in pieces are left in pieces",
}


@dataclass(frozen=True, slots=True)
class Readings:
    """What Node's SDKs made of each wire: `{"read": ...}` or `{"error": ...}`."""

    sent: dict[str, Any]
    replayed: dict[str, Any]
    flipped: dict[str, Any]


def reader(wire: Wire) -> str:
    name = parse(wire.request).provider.name
    if name == "embeddings" and wire.request.path.endswith("/embeddings"):
        return name
    return name if name in READ else ""


def job(wire: Wire, parsed: ParsedRequest, body: bytes) -> dict[str, Any]:
    return {
        "reader": reader(wire),
        "stream": parsed.framing.is_stream,
        "type": parsed.provider.content_type(parsed),
        "body": base64.b64encode(body).decode(),
    }


@pytest.fixture(scope="module")
def readings() -> Readings:
    if os.environ.get("KHAZAD_NODE") is None:
        pytest.skip("run by `make test-node`")
    kept = [wire for wire in KEPT if reader(wire)]
    turned = [wire for wire in FLIPPED if reader(wire)]
    jobs = [job(wire, *as_sent(wire)) for wire in kept]
    jobs += [job(wire, *as_replayed(wire)) for wire in kept]
    jobs += [job(wire, *as_flipped(wire)) for wire in turned]
    node = subprocess.run(
        ["node", str(JUDGE)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 0 == node.returncode, node.stderr
    told = iter(json.loads(node.stdout))
    return Readings(*({wire.name: next(told) for wire in some} for some in (kept, kept, turned)))


def original(readings: Readings, wire: Wire) -> Any:
    if not reader(wire):
        pytest.skip("no SDK of Node reads this")
    if wire.name in QUIRKS:
        pytest.skip(f"the SDK misreads the original: {QUIRKS[wire.name]}")
    told = readings.sent[wire.name]
    if "error" in told:
        pytest.skip(f"the SDK does not read the original: {told['error']}")
    return told["read"]


@pytest.mark.parametrize("wire", KEPT, ids=lambda wire: wire.name)
def test_node_reads_a_replay_as_the_original(readings: Readings, wire: Wire) -> None:
    before = original(readings, wire)

    after = readings.replayed[wire.name]

    assert said(before) == said(after.get("read", after))


@pytest.mark.parametrize("wire", FLIPPED, ids=lambda wire: wire.name)
def test_node_reads_the_other_framing_as_the_original(readings: Readings, wire: Wire) -> None:
    before = original(readings, wire)

    after = readings.flipped[wire.name]

    leaving_out = OF_NO_ANSWER | OF_A_STREAM
    assert said(before, leaving_out) == said(after.get("read", after), leaving_out)
