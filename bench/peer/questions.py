"""What is asked: questions that are known, and other wordings of them, each of them once.

A wording that was served is an exact hit of ours the second time. To measure paraphrases, none
may come twice: there are some thirty thousand. Nearly all are 0.85 similar to their question or
more, some 0.84, while no two of the questions are 0.82.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator

from bench import conversation

SIMILARITY = 0.82
"""Cosine above which an answer is served."""

KNOWN = tuple(itertools.islice(conversation.unlike_questions(), 200))

_BEFORE = (
    "|Please: |Hello, |Hi! |Tell me, |Excuse me, |Well: |So, |Now: |Also: |Hey, |Quick: |Ok, "
    "|Right, |Please answer: "
).split("|")
_BEHIND = (
    "| Please.| Thanks!| Thank you.| Cheers!| Regards.| Tell me!|?|!!| Many thanks.| Bye."
).split("|")


def body(question: str) -> str:
    """A chat request, without a system prompt: the original would embed that too."""
    messages = [{"role": "user", "content": question}]
    return json.dumps({"model": "gpt-4o", "messages": messages, "temperature": 0.2})


def known() -> list[str]:
    return [body(question) for question in KNOWN]


def paraphrases() -> Iterator[str]:
    """Never the same one twice; every question once before the next wording."""
    for before, behind in itertools.product(_BEFORE, _BEHIND):
        if before or behind:
            yield from (body(f"{before}{question}{behind}") for question in KNOWN)


def unknown() -> Iterator[str]:
    """Questions that nobody has asked before, without end."""
    return map(body, itertools.islice(conversation.unlike_questions(), len(KNOWN), None))
