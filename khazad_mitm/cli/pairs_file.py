"""Reads labelled pairs: lines of `{"a": ..., "b": ..., "same": true}`.

`a` and `b` are questions: a text, or messages as in a chat, of which the last is the user's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from khazad_mitm.errors import ConfigError

HINT = 'lines of {"a": "a question", "b": "another", "same": true}'


@dataclass(frozen=True, slots=True)
class Question:
    text: str
    before: str = ""
    """Earlier messages, as JSON: they have to be equal for two questions to be compared."""


@dataclass(frozen=True, slots=True)
class LabelledPair:
    a: Question
    b: Question
    is_same: bool


def read(path: str) -> list[LabelledPair]:
    """All pairs of a file. Raises ConfigError with file and line."""
    try:
        with open(path, encoding="utf-8") as file:
            pairs = list(_pairs(path, file))
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigError(f"{path} cannot be read ({reason})", HINT) from error
    for is_same, what in ((True, "the same"), (False, "not the same")):
        if not any(pair.is_same is is_same for pair in pairs):
            raise ConfigError(f"{path}: there is no pair that means {what}", HINT)
    return pairs


def _pairs(path: str, lines: Any) -> Iterator[LabelledPair]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            a, b, is_same = _question(row["a"]), _question(row["b"]), row["same"]
        except (ValueError, TypeError, LookupError):
            a = b = is_same = None
        if a is None or b is None or not isinstance(is_same, bool):
            raise ConfigError(f"{path}, line {number}: not a labelled pair", HINT)
        yield LabelledPair(a, b, is_same)


def _question(value: Any) -> Question | None:
    match value:
        case str(text) if text.strip():
            return Question(text)
        case [*before, {"role": "user", "content": str(text)}] if text.strip():
            return Question(text, json.dumps(before, sort_keys=True) if before else "")
        case _:
            return None
