"""The demo's client: an ordinary program that uses the openai SDK. It knows nothing of us.

Run by any Python that has the SDK; imports nothing of khazad_mitm.
"""

from __future__ import annotations

import re
import sys
import time

from openai import OpenAI

MODEL = "gpt-4o-mini"
WAIT_FOR_MODEL_S = 20.0


def main() -> int:
    client = OpenAI(api_key="sk-demo", max_retries=0)
    warm_up(client)
    print(f"{'asked':<42}      time  from")
    ask(client, "How do I reset my password?", "a new question")
    ask(client, "How do I reset my password?", "the same again")
    ask(client, "I forgot my password, how can I reset it?", "in other words")
    ask(client, "Where is my order 4711?", "a new question")
    ask(client, "Where is my order 4712?", "looks alike, is not")
    stream(client, "Name the planets of the solar system.", "a new question, streamed")
    stream(client, "Name the planets of the solar system.", "the same again, streamed")
    stream(client, "How do I reset my password?", "answered above, now streamed")
    return 0


def warm_up(client: OpenAI) -> None:
    """The embedding model is read in the background: ask until questions are compared."""
    end = time.monotonic() + WAIT_FOR_MODEL_S
    number = 0
    while time.monotonic() < end:
        number += 1
        answer = client.chat.completions.with_raw_response.create(
            model="warm-up", messages=[{"role": "user", "content": f"Hello {number}"}]
        )
        if "embedder" not in answer.headers.get("cache-status", ""):
            return


def ask(client: OpenAI, question: str, what: str) -> None:
    started = time.perf_counter()
    answer = client.chat.completions.with_raw_response.create(
        model=MODEL, messages=[{"role": "user", "content": question}]
    )
    text = answer.parse().choices[0].message.content or ""
    tell(question, what, time.perf_counter() - started, answer.headers, text)


def stream(client: OpenAI, question: str, what: str) -> None:
    started = time.perf_counter()
    with client.chat.completions.with_streaming_response.create(
        model=MODEL, messages=[{"role": "user", "content": question}], stream=True
    ) as answer:
        events = list(answer.parse())
        pieces = [e.choices[0].delta.content or "" for e in events if e.choices]
        seconds = time.perf_counter() - started
        text = f"{''.join(pieces)} ({len(events)} events)"
        tell(question, what, seconds, answer.headers, text)


def tell(question: str, what: str, seconds: float, headers: object, text: str) -> None:
    status = headers.get("cache-status", "")  # type: ignore[attr-defined]  # the SDK's headers
    detail = re.search(r'detail="([^"]*)"', status)
    source = "cache   " if "; hit" in status else "provider"
    told = f"{source}  {detail[1] if detail else ''}"
    print(f"{question:<42} {seconds * 1000:6.0f} ms  {told:<32}  {what}")
    print(f"    {text}")


if __name__ == "__main__":
    sys.exit(main())
