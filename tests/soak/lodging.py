"""A program of a user's that calls `khazad.init()`, asks until told to end, and tells what came.

    python -m tests.soak.lodging GIVEN

GIVEN is JSON (`lodgers`); a line of output is one call, or whether the cache works: before the
first line of input, and after the second.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import random
import ssl
import sys
import threading
from collections.abc import Awaitable, Callable
from importlib.util import find_spec
from typing import Any

import khazad
from tests.end_to_end.clients import HEADERS
from tests.end_to_end.upstream import question
from tests.soak import questions
from tests.soak.houses import HUNG_S, works

# httpx2 where there is no httpx, as beside mitmproxy 12.
LIBRARY: Any = importlib.import_module("httpx" if find_spec("httpx") else "httpx2")
KEYS = ("Bearer one", "Bearer two", "Bearer three")
LEAVE = 0.15

Got = tuple[int, str, bytes]
"""Status, Cache-Status, body."""
Post = Callable[[bytes, str, int], Awaitable["Got | None"]]
"""Asks with a key; None where the answer was left after so many bytes (0: never)."""


def blocking(url: str, options: dict[str, Any]) -> Post:
    client = LIBRARY.Client(**options)

    def post(body: bytes, key: str, most: int) -> Got | None:
        headers = {**HEADERS, "Authorization": key}
        with client.stream("POST", url, content=body, headers=headers) as response:
            said = b""
            for part in response.iter_bytes():
                said += part
                if 0 < most <= len(said):
                    return None
            return response.status_code, response.headers.get("cache-status", ""), said

    return lambda *asked: asyncio.to_thread(post, *asked)


def awaiting(url: str, options: dict[str, Any]) -> Post:
    client = LIBRARY.AsyncClient(**options)

    async def post(body: bytes, key: str, most: int) -> Got | None:
        headers = {**HEADERS, "Authorization": key}
        async with client.stream("POST", url, content=body, headers=headers) as response:
            said = b""
            async for part in response.aiter_bytes():
                said += part
                if 0 < most <= len(said):
                    return None
            return response.status_code, response.headers.get("cache-status", ""), said

    return post


def tell(**said: Any) -> None:
    print(json.dumps(said), flush=True)


async def play(post: Post, name: int, is_over: threading.Event) -> None:
    chance, number = random.Random(name), 0
    while not is_over.is_set():
        number += 1
        asked = questions.any_kind(chance, f"{name}-{number}")
        key, is_stream = chance.choice(KEYS), chance.random() < 0.5
        most = chance.randrange(1, 400) if chance.random() < LEAVE else 0
        call = {"key": key, "text": asked.text, "stream": is_stream}
        body = question(asked.text, **({"stream": True} if is_stream else {}))
        try:
            # What the library waits for has limits of its own; what we wait for might have none.
            got = await asyncio.wait_for(post(body, key, most), HUNG_S)
        except (LIBRARY.TimeoutException, asyncio.TimeoutError):
            tell(**call, waited=True)
        except LIBRARY.TransportError as error:
            tell(**call, cut=f"{type(error).__name__}: {error}")
        else:
            if got is None:
                tell(left=True)
            else:
                status, cache_status, said = got
                tell(**call, status=status, cache_status=cache_status, body=said.decode())


async def main(given: dict[str, Any]) -> None:
    options = {
        "verify": ssl.create_default_context(cafile=given["ca"]),
        "trust_env": False,
        "timeout": given["timeout_s"],
    }
    make = {"blocking": blocking, "awaiting": awaiting}[given["way"]]
    post, loop, is_over = make(given["url"], options), asyncio.get_running_loop(), threading.Event()

    def ask(text: str) -> str:
        """From a thread."""
        got = asyncio.run_coroutine_threadsafe(post(question(text), KEYS[0], 0), loop).result()
        return "" if got is None else got[1]

    def check() -> bool:
        return works(ask, by_meaning=True)

    tell(works="before", **{"is": await asyncio.to_thread(check)})
    await asyncio.to_thread(sys.stdin.readline)
    names = [given["seed"] * 1000 + number for number in range(given["asking"])]
    playing = [asyncio.ensure_future(play(post, name, is_over)) for name in names]
    await asyncio.to_thread(sys.stdin.readline)
    is_over.set()
    await asyncio.gather(*playing)
    tell(works="after", **{"is": await asyncio.to_thread(check)})


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    khazad.init(**told["settings"])
    asyncio.run(main(told))
    khazad.stop()
