"""What is asked and what is answered, in OpenAI's words: one small chat, the same everywhere.

Standard library only: the addons of the yardsticks import it too.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

HOST = "api.openai.com"
PATH = "/v1/chat/completions"
SYSTEM = "You answer questions of our customers, briefly."
QUESTION = "How do I reset my password?"
PARAPHRASE = "How can I reset my password?"
LONG = "Tell me a long story."
"""A system prompt; whoever sends it gets `long_answer` or `long_frames`."""
DRIP = "Tell me a story, word by word."
"""Another; whoever sends it gets the stream of `drip`."""

# As many as the official openai SDK sends, and of that length.
HEADERS = (
    ("Host", HOST),
    ("Accept", "application/json"),
    ("Accept-Encoding", "gzip, deflate"),
    ("Content-Type", "application/json"),
    ("User-Agent", "OpenAI/Python 3.0.0"),
    ("X-Stainless-Lang", "python"),
    ("X-Stainless-Package-Version", "3.0.0"),
    ("X-Stainless-OS", "Linux"),
    ("X-Stainless-Arch", "x64"),
    ("X-Stainless-Runtime", "CPython"),
    ("X-Stainless-Runtime-Version", "3.11.7"),
    ("X-Stainless-Async", "false"),
    ("X-Stainless-Retry-Count", "0"),
    ("X-Stainless-Read-Timeout", "600"),
    ("Authorization", "Bearer sk-bench-000000000000000000000000000000000000000000000000"),
)

_NOUNS = (
    "piano carpet freezer telescope lamp canoe tent printer sofa violin glacier tax engine orchid"
    " passport soup bridge lizard opera magnet harvest pension comet ladder recipe tunnel saddle"
    " museum virus anchor pencil desert ballot helmet cheese lantern orbit mortgage whale carpenter"
    " thunder alphabet kidney barley castle diesel feather gravity hockey island jury kettle lemon"
    " mosaic needle oxygen parrot quarry ribbon salmon theatre umbrella vaccine walnut yacht zinc"
).split()

_HEAD = {"id": "chatcmpl-1", "created": 1_700_000_000, "model": "gpt-4o-2024-08-06"}
_WORDS = (
    "Open Settings, choose Account, then Reset password. We send you a link that is good for one"
    " hour; follow it and choose a new password of twelve characters or more."
).split()


def unlike_questions() -> Iterator[str]:
    """Without end, the same in each run, and none so like another that it would be answered by it.

    Sentences made from one pattern will not do: all but one word in common is 0.9 similar.
    """
    draw = random.Random(1)
    while True:
        yield " ".join(draw.sample(_NOUNS, 7)).capitalize() + "?"


def body(question: str, system: str = SYSTEM, before: str = "", **more: Any) -> bytes:
    """The body of a chat request. `before`: what was asked and answered earlier."""
    turns = [{"role": "system", "content": system}, {"role": "user", "content": question}]
    if before:
        answered = {"role": "assistant", "content": " ".join(_WORDS)}
        turns[1:1] = [{"role": "user", "content": before}, answered]
    return json.dumps({"model": "gpt-4o", "messages": turns, "temperature": 0.2, **more}).encode()


def wire(content: bytes, *more: tuple[str, str]) -> bytes:
    """The whole request as HTTP/1.1, for a connection that stays open."""
    fields = [*HEADERS, *more, ("Content-Length", str(len(content)))]
    head = [f"POST {PATH} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
    return "\r\n".join([*head, "", ""]).encode() + content


def answer(text: str = " ".join(_WORDS)) -> bytes:
    """The body of a whole answer."""
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text, "refusal": None},
        "logprobs": None,
        "finish_reason": "stop",
    }
    usage = {"prompt_tokens": 24, "completion_tokens": 36, "total_tokens": 60}
    whole = {**_HEAD, "object": "chat.completion", "choices": [choice], "usage": usage}
    return json.dumps(whole).encode()


ANSWER = answer()
ANSWER_HEADERS = (
    ("content-type", "application/json"),
    ("openai-organization", "org-bench"),
    ("openai-processing-ms", "412"),
    ("openai-version", "2020-10-01"),
    ("x-request-id", "req_00000000000000000000000000000000"),
)


def long_answer() -> bytes:
    """A little under what is kept at most: 10 MB."""
    return answer("All work and no play makes Jack a dull boy. " * 230_000)


def frames(words: Sequence[str] = _WORDS) -> list[bytes]:
    """A whole stream: a role, one frame per word, the finish, `[DONE]`."""
    deltas: list[tuple[dict[str, str], str | None]] = [
        ({"role": "assistant", "content": ""}, None),
        *(({"content": f"{word} "}, None) for word in words),
        ({}, "stop"),
    ]
    events = [
        {
            **_HEAD,
            "object": "chat.completion.chunk",
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
        for delta, finish in deltas
    ]
    return [*(b"data: %s\n\n" % json.dumps(e).encode() for e in events), b"data: [DONE]\n\n"]


def long_frames() -> list[bytes]:
    """A stream of four thousand events."""
    return frames((_WORDS * 150)[:4_000])
