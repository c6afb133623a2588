"""`reading.py LIBRARY URL REDIS_URL`: asks for a stream, and writes down what comes as it comes."""

from __future__ import annotations

import importlib
import sys

import khazad

name, url, redis_url = sys.argv[1:]
khazad.init(redis_url=redis_url, mode="exact", store_deadline_ms=5000, log_level="ERROR")
library = importlib.import_module(name)
body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Where?"}], "stream": True}
with library.Client(timeout=60) as client, client.stream("POST", url, json=body) as response:
    sys.stderr.write(response.headers["cache-status"])
    for piece in response.iter_raw():
        sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
khazad.stop()
