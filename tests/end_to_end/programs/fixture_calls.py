"""An ordinary program: asks by an official SDK, whole and streamed, then what it is told to.

fixture_calls.py SDK [QUESTION ...]

Prints JSON: the answers, and of a call that fails the names of its error's classes, its status and
its message. Run by a Python that has the SDKs; finds proxy and certificates in its environment.
"""

from __future__ import annotations

import json
import sys
from typing import Any

WHOLE, STREAM = "What is the capital of France?", "Name the planets of the solar system."
KEY = "a-dummy-key-of-a-ci"


def openai(question: str, *, stream: bool) -> str:
    from openai import OpenAI

    with OpenAI(api_key=KEY) as client:
        turns: Any = [{"role": "user", "content": question}]
        chat = client.chat.completions
        if not stream:
            return chat.create(model="gpt-4o", messages=turns).choices[0].message.content or ""
        chunks = chat.create(model="gpt-4o", messages=turns, stream=True)
        return "".join(c.choices[0].delta.content or "" for c in chunks if c.choices)


def anthropic(question: str, *, stream: bool) -> str:
    from anthropic import Anthropic

    with Anthropic(api_key=KEY) as client:
        said: Any = {"messages": [{"role": "user", "content": question}], "max_tokens": 100}
        if not stream:
            return client.messages.create(model="claude-sonnet-4-5", **said).content[0].text
        with client.messages.stream(model="claude-sonnet-4-5", **said) as events:
            return "".join(events.text_stream)


def google(question: str, *, stream: bool) -> str:
    from google import genai

    client = genai.Client(api_key=KEY)  # closes with its name
    models = client.models
    if not stream:
        return models.generate_content(model="gemini-2.5-flash", contents=question).text or ""
    chunks = models.generate_content_stream(model="gemini-2.5-flash", contents=question)
    return "".join(chunk.text or "" for chunk in chunks)


ask = {"openai": openai, "anthropic": anthropic, "google": google}[sys.argv[1]]
told: list[Any] = [ask(WHOLE, stream=False), ask(STREAM, stream=True)]
for question in sys.argv[2:]:
    try:
        told.append(ask(question, stream=False))
    except Exception as error:
        names = [
            f"{kind.__module__.partition('.')[0]}.{kind.__name__}" for kind in type(error).mro()
        ]
        status = getattr(error, "status_code", None) or getattr(error, "code", None)
        told += [names, status, str(error)]
print(json.dumps(told))
