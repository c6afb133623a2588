"""What every Python program here does: two questions for each line it reads, and what it was told.

First a line with its version, then `[plain, stream]` as JSON for each line of its input.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from importlib.metadata import version

PLAIN, STREAM = "What is the capital of France?", "Name the planets of the solar system."
URL = "https://api.openai.com/v1/chat/completions"
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer sk-test"}


def body(question: str, *, stream: bool) -> bytes:
    asked = {"model": "gpt-4o", "messages": [{"role": "user", "content": question}]}
    return json.dumps(asked | {"stream": stream}).encode()


def rounds(package: str, plain: Callable[[], str], stream: Callable[[], Iterable[str]]) -> None:
    print(version(package), flush=True)
    for _ in sys.stdin:
        print(json.dumps([plain(), "".join(stream())]), flush=True)
