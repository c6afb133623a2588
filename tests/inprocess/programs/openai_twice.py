"""Asks an OpenAI-shaped upstream the same thing twice, in one way; prints what came of it.

    python openai_twice.py WAY BASE_URL

Run by test_openai_sdk.py with the interpreter that has the official SDK.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from openai import AsyncOpenAI, OpenAI

import khazad

ASKED: dict[str, Any] = {
    "model": "gpt-4o",
    "messages": [{"role": "user", "content": "What is the capital of Italy?"}],
}


def whole(client: OpenAI) -> list[Any]:
    return [client.chat.completions.create(**ASKED).to_dict()]


def stream(client: OpenAI) -> list[Any]:
    return [chunk.to_dict() for chunk in client.chat.completions.create(**ASKED, stream=True)]


def raw(client: OpenAI) -> list[Any]:
    response = client.chat.completions.with_raw_response.create(**ASKED)
    parsed = response.parse()
    return [response.status_code, response.headers["content-type"], parsed.to_dict()]


def raw_stream(client: OpenAI) -> list[Any]:
    response = client.chat.completions.with_raw_response.create(**ASKED, stream=True)
    return [response.status_code, *(chunk.to_dict() for chunk in response.parse())]


def helper_stream(client: OpenAI) -> list[Any]:
    with client.chat.completions.stream(**ASKED) as stream:
        stream.until_done()
        return [stream.get_final_completion().to_dict()]


def streaming_response(client: OpenAI) -> list[Any]:
    with client.chat.completions.with_streaming_response.create(**ASKED) as response:
        return list(response.iter_lines())


def broken_off(client: OpenAI) -> list[Any]:
    with client.chat.completions.create(**ASKED, stream=True) as stream:
        for chunk in stream:
            return [chunk.to_dict()]
    return []


async def async_whole(client: AsyncOpenAI) -> list[Any]:
    return [(await client.chat.completions.create(**ASKED)).to_dict()]


async def async_stream(client: AsyncOpenAI) -> list[Any]:
    chunks = await client.chat.completions.create(**ASKED, stream=True)
    return [chunk.to_dict() async for chunk in chunks]


async def async_raw(client: AsyncOpenAI) -> list[Any]:
    response = await client.chat.completions.with_raw_response.create(**ASKED)
    return [response.status_code, response.parse().to_dict()]


async def async_streaming_response(client: AsyncOpenAI) -> list[Any]:
    async with client.chat.completions.with_streaming_response.create(**ASKED) as response:
        return [line async for line in response.iter_lines()]


async def async_broken_off(client: AsyncOpenAI) -> list[Any]:
    stream = await client.chat.completions.create(**ASKED, stream=True)
    async with stream:
        async for chunk in stream:
            return [chunk.to_dict()]
    return []


def twice(way: str, base_url: str) -> list[list[Any]]:
    client = OpenAI(api_key="sk-test", base_url=base_url, max_retries=0)
    khazad.init(redis_url="memory", mode="exact", log_level="ERROR")
    seen = []
    for _ in range(2):
        seen.append(globals()[way](client))
        settle()
    return seen


async def twice_async(way: str, base_url: str) -> list[list[Any]]:
    client = AsyncOpenAI(api_key="sk-test", base_url=base_url, max_retries=0)
    khazad.init(redis_url="memory", mode="exact", log_level="ERROR")
    seen = []
    for _ in range(2):
        seen.append(await globals()[way](client))
        settle()
    await client.close()
    return seen


def settle() -> None:
    """Wait until what was captured is kept."""
    from khazad_mitm.inprocess import singleton

    assert singleton._instance is not None
    assert singleton._instance._source.here().drain(10)


way, base_url = sys.argv[1:]
answers = (
    asyncio.run(twice_async(way, base_url)) if way.startswith("async") else twice(way, base_url)
)
stats = khazad.get_stats()
khazad.stop()
print(json.dumps({"answers": answers, "stats": stats}))
