"""Asks an LLM whatever its input says, with `khazad.init()` in force, many calls at once.

    python asker.py WAY URL CA SETTINGS

WAY is `blocking` or `awaiting`; CA is whom to trust; SETTINGS are those of `init`, as JSON. A line
of input is `{"id", "body", "headers"}`, one of output `{"id", "status", "headers", "body"}`.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import ssl
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import Any

import khazad

# httpx2 where there is no httpx, as beside mitmproxy 12.
LIBRARY = "httpx" if find_spec("httpx") else "httpx2"
TIMEOUT_S = 30.0


def shape(texts: list[str]) -> list[list[float]]:
    """Vectors of which the questions of a test are as near to each other as can be: what is looked
    up is looked up by all the ways there are."""
    return [[float(len(text)), 1.0] for text in texts]


class Asker:
    def __init__(self, url: str, trusted: ssl.SSLContext) -> None:
        self.library: Any = importlib.import_module(LIBRARY)
        self._url = url
        self.options: dict[str, Any] = {
            "verify": trusted,
            "trust_env": False,
            "timeout": TIMEOUT_S,
            "limits": self.library.Limits(max_connections=None),
        }
        self._lock = threading.Lock()

    def request(self, line: str) -> dict[str, Any]:
        asked = json.loads(line)
        return {"url": self._url, "content": asked["body"], "headers": asked["headers"]}

    def tell(self, line: str, response: Any) -> None:
        said = {
            "id": json.loads(line)["id"],
            "status": response.status_code,
            "headers": dict(response.headers),
            "body": response.text,
        }
        with self._lock:
            print(json.dumps(said), flush=True)


def blocking(asker: Asker) -> None:
    with asker.library.Client(**asker.options) as client, ThreadPoolExecutor(64) as threads:
        for line in sys.stdin:
            threads.submit(lambda line=line: asker.tell(line, client.post(**asker.request(line))))


async def awaiting(asker: Asker) -> None:
    async with asker.library.AsyncClient(**asker.options) as client:

        async def ask(line: str) -> None:
            asker.tell(line, await client.post(**asker.request(line)))

        asking = set()
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            asking.add(task := asyncio.ensure_future(ask(line)))
            task.add_done_callback(asking.discard)
        await asyncio.gather(*asking)


way, url, ca, settings = sys.argv[1:]
khazad.init(embedder=shape, **json.loads(settings))
asker = Asker(url, ssl.create_default_context(cafile=ca))
print(json.dumps({"id": "ready"}), flush=True)
if way == "blocking":
    blocking(asker)
else:
    asyncio.run(awaiting(asker))
khazad.stop()
