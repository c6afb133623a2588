"""An ordinary program: asks by the official SDK what it is told to, prints what came as JSON.

Run by a Python that has the SDK; finds proxy and certificates in its environment.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from openai import AsyncOpenAI, OpenAI


def asked(question: str) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": question}]}


def whole(question: str) -> dict[str, Any]:
    with OpenAI(api_key="sk-test", max_retries=0) as client:
        raw = client.chat.completions.with_raw_response.create(**asked(question))
        return told(raw.headers, raw.parse().model_dump())


def stream(question: str) -> dict[str, Any]:
    with (
        OpenAI(api_key="sk-test", max_retries=0) as client,
        client.chat.completions.with_streaming_response.create(
            **asked(question), stream=True
        ) as raw,
    ):
        return told(raw.headers, [chunk.model_dump() for chunk in raw.parse()])


async def async_whole(question: str) -> dict[str, Any]:
    async with AsyncOpenAI(api_key="sk-test", max_retries=0) as client:
        raw = await client.chat.completions.with_raw_response.create(**asked(question))
        return told(raw.headers, raw.parse().model_dump())


async def async_stream(question: str) -> dict[str, Any]:
    async with (
        AsyncOpenAI(api_key="sk-test", max_retries=0) as client,
        client.chat.completions.with_streaming_response.create(
            **asked(question), stream=True
        ) as raw,
    ):
        return told(raw.headers, [chunk.model_dump() async for chunk in await raw.parse()])


def told(headers: Any, answer: Any) -> dict[str, Any]:
    return {"cache_status": headers.get("cache-status", ""), "answer": answer}


WAYS = {"whole": whole, "stream": stream, "async_whole": async_whole, "async_stream": async_stream}

for way, question in json.load(sys.stdin):
    result: Any = WAYS[way](question)
    if asyncio.iscoroutine(result):
        result = asyncio.run(result)
    print(json.dumps(result), flush=True)
