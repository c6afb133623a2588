from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm import wire
from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import Answer
from khazad_mitm.fronts import Played
from khazad_mitm.messages import Request
from khazad_mitm.record.exchanges import put
from khazad_mitm.record.files import read
from khazad_mitm.record.promoted import exchange_of
from tests.record.calls import URL, answer, chat, play, post, replayer

FRAMES = b"data: 1\n\ndata: 2\n\ndata: [DONE]\n\n"


def told(**changes: Any) -> dict[str, Any]:
    """An entry as `cache.explain.export` gives it."""
    return {
        "id": "5f0c2a91" * 4,
        "url": URL,
        "request_headers": [["Content-Type", "application/json"]],
        "request": base64.b64encode(chat().body).decode(),
        "status": 200,
        "headers": [["content-type", "application/json"]],
        "body": base64.b64encode(answer("30 days.")).decode(),
        "pace_ms": [],
        "answer": base64.b64encode(answer("30 days.")).decode(),
        "took_s": 1.5,
        "stored_at": 0.0,
        **changes,
    }


def test_an_entry_becomes_a_recording_of_its_call(tmp_path: Path) -> None:
    (path,) = put(exchange_of(told()), tmp_path, replaces=False).written

    assert (200, answer("30 days.")) == play(replayer(tmp_path), chat())
    found = read(path)
    assert ("1970-01-01", [1500]) == (
        found.label.recorded,
        [frame.at_ms for frame in found.answer.frames],
    )


def test_a_stream_keeps_its_frames_and_times(tmp_path: Path) -> None:
    stream = told(
        headers=[["content-type", "text/event-stream"]],
        body=base64.b64encode(FRAMES).decode(),
        pace_ms=[9, 100, 18, 250, len(FRAMES), 400],
    )

    (path,) = put(exchange_of(stream), tmp_path, replaces=False).written

    frames = read(path).answer.frames
    assert [(100, b"data: 1\n\n"), (250, b"data: 2\n\n"), (400, b"data: [DONE]\n\n")] == [
        (frame.at_ms, frame.data) for frame in frames
    ]


GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/gemini-2.5-flash"
GEMINI_ASKED = b'{"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}'
GEMINI_ANSWER = json.dumps(
    {
        "candidates": [
            {"content": {"parts": [{"text": "Ho"}], "role": "model"}, "finishReason": "STOP"}
        ],
        "usageMetadata": {"totalTokenCount": 2},
    }
).encode()


@pytest.mark.parametrize(
    ("url", "asked", "said", "other"),
    [
        (URL, chat().body, answer("30 days."), chat(stream=True)),
        (
            f"{GEMINI}:generateContent",
            GEMINI_ASKED,
            GEMINI_ANSWER,
            post(f"{GEMINI}:streamGenerateContent?alt=sse", GEMINI_ASKED),
        ),
    ],
    ids=["a field", "the path"],
)
def test_the_other_framing_can_be_had(
    tmp_path: Path, url: str, asked: bytes, said: bytes, other: Request
) -> None:
    coded = {"request": asked, "body": said, "answer": said}
    one = told(url=url, **{name: base64.b64encode(data).decode() for name, data in coded.items()})

    put(exchange_of(one, streams=True), tmp_path, replaces=False)

    outcome = replayer(tmp_path).look_up(other)
    assert isinstance(outcome, Played)
    assert (outcome.reply.headers.get("content-type") or "").startswith("text/event-stream")
    parsed = wire.recognise(other)
    assert parsed is not None
    made = parsed.provider.assemble(outcome.reply.body, parsed)
    assert isinstance(made, Answer)
    once, again = (json.loads(whole) for whole in (said, made.body))
    once.pop("usage", None)  # of a stream only where it was asked for
    assert once == again


def test_what_has_no_other_framing_is_refused() -> None:
    embeddings = told(
        url="https://api.openai.com/v1/embeddings",
        request=base64.b64encode(b'{"model": "m", "input": "x"}').decode(),
    )

    with pytest.raises(ConfigError, match="cannot be asked in another framing"):
        exchange_of(embeddings, streams=True)


@pytest.mark.parametrize("lacks", [{"request": ""}, {"url": ""}])
def test_an_entry_without_its_request_is_refused_with_the_reason(lacks: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"does not hold its request.*\n\nhint: .*store_prompts"):
        exchange_of(told(**lacks))
