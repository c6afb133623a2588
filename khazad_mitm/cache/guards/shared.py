"""A long text with a question after it: only what is not equal to the letter is compared.

Beside a passage of a hundred words any two questions are alike to an embedding, and every word of
one is found somewhere in the other.
"""

from __future__ import annotations

import re
from collections import Counter

SENTENCE = re.compile(r"(?<=[.!?;])\s+|\n+")
LONG = 60
"""Characters; below that a shared sentence is nothing out of the ordinary."""


def apart(stored: str, asked: str) -> tuple[str, str, bool]:
    """The two without the sentences both have, and whether these were long."""
    if "\n" not in stored and ". " not in stored and "? " not in stored:
        return stored, asked, False
    here, there = _sentences(stored), _sentences(asked)
    both = Counter(here) & Counter(there)
    length = sum(len(sentence) * count for sentence, count in both.items())
    if length < LONG:
        return stored, asked, False
    return _without(here, both), _without(there, both), True


def _sentences(text: str) -> list[str]:
    return [sentence for part in SENTENCE.split(text) if (sentence := part.strip())]


def _without(sentences: list[str], both: Counter[str]) -> str:
    both = both.copy()
    left = []
    for sentence in sentences:
        if both[sentence]:
            both[sentence] -= 1
        else:
            left.append(sentence)
    return "\n".join(left)
