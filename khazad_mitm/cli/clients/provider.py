"""The provider that the doctor's clients ask: OpenAI's chat and Bedrock's Converse, at once."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler
from typing import Any

OPENAI, BEDROCK = "api.openai.com", "bedrock-runtime.us-east-1.amazonaws.com"


class Handler(BaseHTTPRequestHandler):
    """Answers each question with the same word."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length", "0"))))
        body = json.dumps(_chat(asked) if "model" in asked else _converse()).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """The doctor's table is the only output."""


def _chat(asked: dict[str, Any]) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Well."}
    return {
        "id": "chatcmpl-doctor",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": asked["model"],
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    }


def _converse() -> dict[str, Any]:
    return {
        "output": {"message": {"role": "assistant", "content": [{"text": "Well."}]}},
        "stopReason": "end_turn",
        "usage": {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2},
        "metrics": {"latencyMs": 1},
    }
