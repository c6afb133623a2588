"""Requests and streams of chat completions in one line, for the tests of their files."""

from __future__ import annotations

import json
from typing import Any

from khazad_mitm.exchange import Answer, Framing, ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import sse
from khazad_mitm.wire.openai_chat import OpenAIChat
from tests import wires

CHAT = OpenAIChat()
OPENAI = "https://api.openai.com/v1/chat/completions"
USER = {"role": "user", "content": "Hello!"}
STREAM = Framing("sse", include_usage=True)


def ask(url: str = OPENAI, method: str = "POST", **body: Any) -> ParsedRequest | None:
    body = {"model": "gpt-4o", "messages": [USER], **body}
    return CHAT.recognise(Request.to(url, json.dumps(body).encode(), method=method))


def asked(url: str = OPENAI, **body: Any) -> ParsedRequest:
    parsed = ask(url, **body)
    assert parsed is not None
    return parsed


def answer_of(name: str) -> dict[str, Any]:
    wire = wires.one(f"openai_chat/{name}")
    parsed = CHAT.recognise(wire.request)
    assert parsed is not None
    answer = CHAT.assemble(wire.body, parsed)
    assert isinstance(answer, Answer)
    return dict(json.loads(answer.body))


def message_of(name: str) -> dict[str, Any]:
    return dict(answer_of(name)["choices"][0]["message"])


def chunks_of(completion: dict[str, Any], parsed: ParsedRequest) -> list[Any]:
    frames = list(CHAT.replay(json.dumps(completion).encode(), parsed))
    assert b"data: [DONE]\n\n" == frames[-1]
    return [json.loads(event.data) for frame in frames[:-1] if (event := sse.parse(frame))]


def stream(*chunks: Any) -> bytes:
    return b"".join(sse.write(json.dumps(chunk)) for chunk in chunks) + sse.write("[DONE]")


def delta(fields: Any, finish: str | None = None, index: Any = 0) -> dict[str, Any]:
    return {"id": "c", "choices": [{"index": index, "delta": fields, "finish_reason": finish}]}
