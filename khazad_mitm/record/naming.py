"""Names of recordings: provider, first words, a short digest; readable, stable, sorted in order.

    openai-chat-what-is-the-refund-3f9a8c12.yaml       the first of its request
    openai-chat-what-is-the-refund-3f9a8c12-2.yaml     asked again
    api-openai-com-get-v1-models-70b1d2aa.yaml         no format of ours

The words and the digest are of the request alone, so that the same call has the same name on every
machine; the number tells in which order answers to equal requests came.
"""

from __future__ import annotations

import re

from khazad_mitm.cache.prompt import question_text, turns
from khazad_mitm.exchange import Json, ParsedRequest
from khazad_mitm.messages import Request

MAX_WORDS = 5
MAX_WORDS_CHARS = 40

_NUMBERED = re.compile(r"(.*-[0-9a-f]{8})-(\d+)")
_DIGITS = re.compile(r"(\d+)")


def stem(request: Request, parsed: ParsedRequest | None, digest: str) -> str:
    """The name without number and suffix. `request` and `parsed` are scrubbed."""
    if parsed is None:
        words = _slug(f"{request.host} {request.method} {request.path}", MAX_WORDS * 4, 60)
        return f"{words}-{digest[:8]}"
    words = _slug(_said(parsed), MAX_WORDS, MAX_WORDS_CHARS)
    return "-".join(part for part in (parsed.provider.name, words, digest[:8]) if part)


def numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def order(name: str) -> tuple[list[str], int]:
    """A key that sorts stems with their numbers."""
    found = _NUMBERED.fullmatch(name)
    base, number = (found.group(1), int(found.group(2))) if found else (name, 1)
    # 2 before 10, for files that people have named.
    return [part.zfill(12) if part.isdecimal() else part for part in _DIGITS.split(base)], number


def unnumbered(name: str) -> str:
    found = _NUMBERED.fullmatch(name)
    return found.group(1) if found else name


def _said(parsed: ParsedRequest) -> str:
    question = question_text(parsed)
    if question is not None:
        return question
    # An agent that answers a tool call: the question it is still at, and why it asks.
    for turn in reversed(turns(parsed)):
        if isinstance(turn, dict) and turn.get("role") == "user":
            text = _first_text(turn.get("content", turn.get("parts")))
            if text:
                return text
    texts = turns(parsed)
    return _first_text(texts) or parsed.exact_only or parsed.model


def _first_text(value: Json) -> str:
    match value:
        case str():
            return value
        case list():
            return next((text for item in value if (text := _first_text(item))), "")
        case dict():
            return _first_text(value.get("text", ""))
    return ""


def _slug(text: str, most_words: int, most_chars: int) -> str:
    words = re.findall(r"[a-z0-9]+", text[:400].lower())[:most_words]
    return "-".join(words)[:most_chars].strip("-")
