"""What gunicorn serves with `--preload`: `init` runs once in the parent, then the workers fork.

Answers with the worker's process and with what the cache said of a call that it made.
"""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable, Iterable
from typing import Any

import khazad

library: Any = importlib.import_module(os.environ["ASKS_WITH"])
khazad.init(mode="exact", log_level="ERROR")
# Made before the fork, as an application's often are.
client = library.Client()


def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
    text = environ["QUERY_STRING"]
    body = {"model": "m", "messages": [{"role": "user", "content": text}]}
    said = client.post(os.environ["ASKS"], json=body).headers["cache-status"]
    start("200 OK", [("Content-Type", "application/json")])
    counted = khazad.get_stats()["total_requests"]
    return [json.dumps({"pid": os.getpid(), "said": said, "counted": counted}).encode()]
