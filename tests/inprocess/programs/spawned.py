"""A pool of spawned workers, as `multiprocessing` makes them where it does not fork.

    python spawned.py LIBRARY URL REDIS_URL

A spawned child begins anew: what the parent has patched and connected is not there, and each
worker calls `init` itself. Prints what the cache said of each call, in order: parent, workers.
"""

from __future__ import annotations

import importlib
import multiprocessing
import sys
from typing import Any

import khazad


def init(redis_url: str) -> None:
    khazad.init(redis_url=redis_url, mode="exact", log_level="ERROR", store_deadline_ms=5000)


def ask(library: str, url: str, text: str) -> str:
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    client: Any = importlib.import_module(library)
    status: str = client.post(url, json=body).headers["cache-status"]
    return status.split(";")[1].strip()


def work(library: str, url: str, text: str) -> list[str]:
    return [ask(library, url, "asked by the parent"), *(ask(library, url, text) for _ in range(2))]


if __name__ == "__main__":
    library, url, redis_url = sys.argv[1:]
    init(redis_url)
    print("parent", *(ask(library, url, "asked by the parent") for _ in range(2)), flush=True)
    context = multiprocessing.get_context("spawn")
    with context.Pool(2, initializer=init, initargs=(redis_url,)) as pool:
        for told in pool.starmap(work, [(library, url, "one"), (library, url, "two")]):
            print("worker", *told, flush=True)
        pool.close()
        pool.join()
    print("parent", ask(library, url, "one"), flush=True)
    khazad.stop()
