"""Asks, forks, and asks in the child: the child's cache works, and so does the parent's afterwards.

    python forked.py LIBRARY URL REDIS_URL

Prints what the cache said of each call, in order: parent, child, parent.
"""

from __future__ import annotations

import asyncio
import importlib
import os
import sys
from typing import Any

import khazad

PATIENCE_S = 60.0

library: Any = importlib.import_module(sys.argv[1])
url = sys.argv[2]


def question(text: str) -> dict[str, Any]:
    return {"model": "m", "messages": [{"role": "user", "content": text}]}


def ask(client: Any, text: str) -> str:
    status: str = client.post(url, json=question(text)).headers["cache-status"]
    return status.split(";")[1].strip()


async def ask_awaiting(text: str) -> str:
    async with library.AsyncClient() as client:
        status: str = (await client.post(url, json=question(text))).headers["cache-status"]
        return status.split(";")[1].strip()


def twice(client: Any, text: str) -> list[str]:
    first = ask(client, text)
    # A test may look: what is on its way is stored.
    assert khazad_instance._source.here().drain(PATIENCE_S)
    return [first, ask(client, text), asyncio.run(ask_awaiting(text))]


khazad_instance = khazad.Khazad(redis_url=sys.argv[3], mode="exact", log_level="ERROR")
with library.Client() as client:
    print("parent", *twice(client, "one"), flush=True)
    child = os.fork()
    if child == 0:
        with library.Client() as own:
            print("child", *twice(own, "two"), flush=True)
            print("child knows", ask(own, "one"), flush=True)
        print("child counted", khazad_instance.get_stats().total_requests, flush=True)
        khazad_instance.stop()
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert 0 == status
    print("parent", *twice(client, "three"), flush=True)
    print("parent knows", ask(client, "two"), flush=True)
khazad_instance.stop()
