"""Do two answers say the same? What a fresh answer is held against the stored one with.

An answer is taken apart into its texts and all else. What changes with every call (ids, times,
usage, reasoning, log probabilities) is left out. All else (tool calls with their arguments, finish
reasons, refusals by type) must be equal, and so must texts that are JSON. Other texts are compared
by meaning: as vectors, and by the guards that questions are compared with; or by a judge of the
user's, who then decides alone.

Whoever errs here, errs in the measured rate: an answer that says the same in words that are taken
for others keeps a pool closed, and never opens one. Sameness of two long texts is easily missed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from khazad_mitm.cache import verify
from khazad_mitm.cache.commands import Embed, JudgeAnswers, Steps
from khazad_mitm.exchange import Json, Pair

# Of the vectors of two answers. Below it, answers on one subject are as frequent as rewordings.
ALIKE = 0.85

# Guards that look at what is asked for and by whom, and at any word that one has more: two prose
# answers to one question nearly always differ in these. A word exchanged for another (`contrast`)
# counts, as do figures, quotes, negation, opposites, names and all the rest.
OF_QUESTIONS = frozenset(
    "act added asking bare extent output passage persons places reworded story tense words".split()
)

# A text is embedded in pieces, each well within the window of a small model (256 tokens).
PIECE_CHARACTERS = 600
# 12 kB. Of a longer text that is not equal nothing is claimed but that it is not equal.
MOST_PIECES = 20

# Fields of answers that differ between two calls with the same answer.
CHANGING = re.compile(
    r"^(id|.*_id|.*Id|created|created_?at|completed_at|usage|usageMetadata|meta|metrics|model"
    r"|modelVersion|system_fingerprint|service_tier|logprobs|.*[lL]ogprobs(Result)?|index|.*_duration"
    r"|.*_count|metadata|status_details|trace|x_groq|performanceConfig|provider|native_finish_reason"
    r"|.*[sS]ignature|encrypted_content|reasoning.*|thinking|redacted_thinking|safetyRatings"
    r"|citationMetadata|prompt_filter_results|content_filter_results|obfuscation|context)$"
)
# Blocks that hold what the model thought, not what it said; and how Gemini marks such a part.
THOUGHTS = ("thinking", "redacted_thinking", "reasoning", "reasoning_text", "summary_text")
TEXTS = ("content", "text", "response", "output_text", "refusal", "completion", "generation")
# What a tool is called with, as an object or as JSON in a text: to the letter, whatever is in it.
ARGUMENTS = ("arguments", "input", "args", "parameters")


@dataclass(frozen=True, slots=True)
class Said:
    """What an answer says, without what changes with every call."""

    shape: Json
    """All but the texts, which have left a blank."""
    texts: tuple[str, ...]


def said(answer: bytes) -> Said | None:
    """An answer (`Entry.answer`) taken apart; None where it is not JSON."""
    try:
        value = json.loads(answer)
    except (ValueError, RecursionError):
        return None
    texts: list[str] = []
    try:
        shape = _blanked(value, "", texts)
    except RecursionError:
        return None
    return Said(shape, tuple(texts))


def agree(
    questions: tuple[str, str, float], stored: bytes, fresh: bytes, has_judge: bool
) -> Steps[bool | None]:
    """Does the fresh answer say what the stored one says? None where that cannot be told.

    `questions`: the stored one, the one asked, and their similarity. CacheUnavailable, of the
    embedder or the judge, is for the caller.
    """
    if stored == fresh:
        return True
    one, other = said(stored), said(fresh)
    if one is None or other is None or not one.texts + other.texts:
        return one is not None and one == other
    if one.shape != other.shape or len(one.texts) != len(other.texts):
        return False
    for here, there in zip(one.texts, other.texts, strict=True):
        if _folded(here) == _folded(there):
            continue
        if _is_structured(here) or _is_structured(there):
            if _value(here) != _value(there):
                return False
            continue
        if has_judge:
            stored_question, asked, similarity = questions
            verdict: bool = yield JudgeAnswers(
                Pair(stored_question, asked, similarity, here, there)
            )
            if not verdict:
                return False
            continue
        if verify.veto(here, there, OF_QUESTIONS):
            return False
        similar = yield from _similarity(here, there)
        if similar is None or similar < ALIKE:
            return False
    return True


def _blanked(value: Json, name: str, texts: list[str]) -> Json:
    match value:
        case _ if name in ARGUMENTS:
            return _value(value) if isinstance(value, str) else value
        case dict():
            return {
                key: _blanked(inner, key, texts)
                for key, inner in value.items()
                if inner not in (None, [], {}) and not CHANGING.match(key)
            }
        case list():
            return [_blanked(item, name, texts) for item in value if not _is_thought(item)]
        case str() if name in TEXTS:
            texts.append(value)
            return ""
        case _:
            return value


def _is_thought(item: Json) -> bool:
    return isinstance(item, dict) and (
        item.get("type") in THOUGHTS or item.get("thought") is True or "reasoningContent" in item
    )


def _folded(text: str) -> str:
    return " ".join(text.split()).casefold()


def _is_structured(text: str) -> bool:
    return isinstance(_value(text), dict | list)


def _value(text: str) -> Json:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _similarity(here: str, there: str) -> Steps[float | None]:
    """The cosine of two texts of any length, of the sums of their pieces' vectors."""
    vectors: list[Any] = []
    for text in (here, there):
        pieces = list(_pieces(text))
        if not 0 < len(pieces) <= MOST_PIECES:
            return None
        total: Any = None
        for piece in pieces:
            vector = yield Embed(piece, may_wait=True)
            if vector is None:
                return None
            total = vector if total is None else total + vector
        vectors.append(total)
    one, other = vectors
    return float(one @ other / ((one @ one) * (other @ other)) ** 0.5)


def _pieces(text: str) -> Iterator[str]:
    """Cut at the ends of sentences and lines, or of words, where there are any."""
    rest = text.strip()
    while rest:
        if len(rest) <= PIECE_CHARACTERS:
            yield rest
            return
        window = rest[:PIECE_CHARACTERS]
        ends = [match.end() for match in re.finditer(r"[.!?\n]\s", window)]
        cut = ends[-1] if ends else window.rfind(" ")
        cut = cut if cut > PIECE_CHARACTERS // 4 else PIECE_CHARACTERS
        yield rest[:cut].strip() or rest[:cut]
        rest = rest[cut:].strip()
