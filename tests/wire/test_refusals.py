from __future__ import annotations

import json
from typing import Any

import pytest

from khazad_mitm import wire
from khazad_mitm.messages import Request
from khazad_mitm.wire.refusals import refusal

HELLO = [{"role": "user", "content": "hi"}]
GEMINI = "https://generativelanguage.googleapis.com/v1beta/models/m:generateContent"
BEDROCK = "https://bedrock-runtime.us-east-1.amazonaws.com/model/m/converse"


def told(url: str, body: dict[str, Any], status: int) -> tuple[Any, dict[str, str]]:
    request = Request.to(url, json.dumps(body).encode())
    said, headers = refusal(request, wire.recognise(request), "no", "odd", status)
    return json.loads(said), dict(headers)


@pytest.mark.parametrize("status", [400, 429, 500, 529])
def test_each_provider_is_given_its_own_shape(status: int) -> None:
    words = {400: "invalid_request_error", 429: "rate_limit_error", 529: "overloaded_error"}
    anthropic, _ = told(
        "https://api.anthropic.com/v1/messages", {"model": "m", "messages": HELLO}, status
    )
    gemini, _ = told(GEMINI, {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]}, status)
    bedrock, headers = told(BEDROCK, {"messages": [{"role": "user", "content": []}]}, status)
    openai, _ = told("https://gateway.example/v1/models", {}, status)

    error = {"type": words.get(status, "api_error"), "message": "no"}
    assert {"type": "error", "error": error} == anthropic
    assert status == gemini["error"]["code"]
    assert {"message": "no"} == bedrock
    assert "x-amzn-ErrorType" in headers
    assert ("no", "odd") == (openai["error"]["message"], openai["error"]["code"])


def test_only_what_must_not_be_asked_again_says_so() -> None:
    url = "https://api.openai.com/v1/models"

    assert "false" == told(url, {}, 400)[1]["x-should-retry"]
    assert "x-should-retry" not in told(url, {}, 429)[1]
