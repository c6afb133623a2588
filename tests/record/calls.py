"""Requests and answers for the tests of cassettes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from khazad_mitm.fronts import Played, Unrecorded
from khazad_mitm.messages import Headers, Request
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.recorder import Recorder, RecordMode

URL = "https://api.openai.com/v1/chat/completions"
JSON = Headers([("Content-Type", "application/json")])
SSE = Headers([("Content-Type", "text/event-stream")])


def chat(text: str = "What is the refund period?", **more: Any) -> Request:
    """A chat request with a key."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}
    return post(URL, json.dumps(body).encode())


def post(url: str, body: bytes, **headers: str) -> Request:
    fields = [("Content-Type", "application/json"), ("Authorization", "Bearer sk-test")]
    fields += [(name.replace("_", "-"), value) for name, value in headers.items()]
    return Request.to(url, body, Headers(fields))


def answer(text: str) -> bytes:
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "logprobs": None,
        "finish_reason": "stop",
    }
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "gpt-4o"}
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    return json.dumps({**head, "choices": [choice], "usage": usage}).encode()


def record(
    folder: Path,
    *pairs: tuple[Request, bytes],
    mode: RecordMode = RecordMode.NEW_EPISODES,
    headers: Headers = JSON,
    status: int = 200,
) -> Recorder:
    """A closed recorder that has seen these, in this order."""
    recorder = Recorder(Cassette.open(folder), mode)
    for request, body in pairs:
        outcome = recorder.look_up(request)
        if isinstance(outcome, Unrecorded):
            outcome.listener.feed(body)
            outcome.listener.finish(status, headers)
    recorder.close()
    return recorder


def play(recorder: Recorder, request: Request) -> tuple[int, bytes]:
    """Status and body of what is played."""
    outcome = recorder.look_up(request)
    assert isinstance(outcome, Played)
    return outcome.reply.status, outcome.reply.body


def replayer(folder: Path, **more: Any) -> Recorder:
    return Recorder(Cassette.open(folder), RecordMode.NONE, **more)


def names(folder: Path) -> Sequence[str]:
    return sorted(path.name for path in folder.iterdir())
