"""Requests for embeddings and answers to them in one line, for the tests of their files."""

from __future__ import annotations

import json
from typing import Any

from khazad_mitm.exchange import ParsedRequest
from khazad_mitm.messages import Headers, Request
from khazad_mitm.wire.embeddings import Embeddings

EMBEDDINGS = Embeddings()
OPENAI = "https://api.openai.com/v1/embeddings"
KEY = Headers([("authorization", "Bearer one")])


def ask(input: Any, url: str = OPENAI, headers: Headers = KEY, **body: Any) -> ParsedRequest | None:
    body = {"input": input, "model": "m", **body}
    return EMBEDDINGS.recognise(Request.to(url, json.dumps(body).encode(), headers))


def asked(input: Any, **more: Any) -> ParsedRequest:
    parsed = ask(input, **more)
    assert parsed is not None
    return parsed


def vector_of(item: Any, dimensions: int = 2) -> str:
    """The digits a provider might send: not as Python would write them."""
    seed = sum(json.dumps(item).encode())
    return "[" + ",".join(f"0.{seed}{n}0e-02" for n in range(dimensions)) + "]"


def answer_to(items: list[Any], model: str = "m", dimensions: int = 2, **more: Any) -> bytes:
    """As OpenAI would answer; every item costs one token."""
    rows = ",".join(
        f'{{"object":"embedding","index":{n},"embedding":{vector_of(item, dimensions)}}}'
        for n, item in enumerate(items)
    )
    usage = json.dumps({"prompt_tokens": len(items), "total_tokens": len(items)})
    others = "".join(f',"{name}":{json.dumps(value)}' for name, value in more.items())
    return f'{{"object":"list","data":[{rows}],"model":"{model}","usage":{usage}{others}}}'.encode()
