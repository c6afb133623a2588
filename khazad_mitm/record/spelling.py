"""JSON texts: how one is written around its values, so that a file can hold the values alone.

Providers write JSON in a handful of ways: compact or spaced, indented, in ASCII, as Go escapes
it for HTML. A text that none of them gives back byte for byte is kept as it is.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from khazad_mitm.exchange import Json

# What Go's encoding/json escapes so that its output may stand in a web page.
_GO = str.maketrans(
    {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}
)
_WHITE = " \t\r\n"


@dataclass(frozen=True, slots=True)
class Spelling:
    """One way of writing JSON; `str()` is its name in a file."""

    indent: int | None = None
    is_spaced: bool = False
    is_ascii: bool = False
    is_html_safe: bool = False

    def write(self, value: Json, other: Callable[[Json], Json] | None = None) -> str:
        """Raises ValueError for what JSON cannot say. `other`: gives a value for what is none."""
        text = json.dumps(
            value,
            ensure_ascii=self.is_ascii,
            allow_nan=False,
            default=other,
            indent=self.indent,
            separators=(
                None
                if self.indent is not None
                else ((", ", ": ") if self.is_spaced else (",", ":"))
            ),
        )
        return text.translate(_GO) if self.is_html_safe else text

    def __str__(self) -> str:
        words = [
            f"indent {self.indent}" if self.indent is not None else "",
            "spaced" if self.is_spaced else "",
            "ascii" if self.is_ascii else "",
            "html" if self.is_html_safe else "",
        ]
        return ", ".join(word for word in words if word) or "compact"

    @classmethod
    def named(cls, name: str) -> Spelling:
        """The inverse of `str()`. Raises ValueError."""
        words = [word.strip() for word in name.split(",")]
        indents = [int(word[7:]) for word in words if word.startswith("indent ")]
        found = cls(
            indents[0] if indents else None, "spaced" in words, "ascii" in words, "html" in words
        )
        if str(found) != name:
            raise ValueError(f"{name!r} is no way of writing JSON that we know")
        return found


COMPACT = Spelling()


@dataclass(frozen=True, slots=True)
class Spelt:
    """A JSON text taken apart: `before` and `after` are white space around it."""

    value: Json
    spelling: Spelling = COMPACT
    before: str = ""
    after: str = ""

    def text(self, other: Callable[[Json], Json] | None = None) -> str:
        """`other`: as for `Spelling.write`."""
        return self.before + self.spelling.write(self.value, other) + self.after


def spelt(text: str) -> Spelt | None:
    """The values of a JSON text and how to write them again; None where bytes would be lost."""
    try:
        value = json.loads(text)
        if not isinstance(value, dict | list):
            return None
        body = text.strip(_WHITE)
        start = text.index(body)
        for spelling in _candidates(body):
            if spelling.write(value) == body:
                return Spelt(value, spelling, text[:start], text[start + len(body) :])
    except (ValueError, RecursionError):
        pass
    return None


def _candidates(body: str) -> Iterator[Spelling]:
    indent: int | None = None
    is_spaced = False
    if "\n" in body:
        second = body.split("\n", 2)[1]
        indent = len(second) - len(second.lstrip(" "))
    else:
        is_spaced = '": ' in body or ", " in body
    for spaced in (is_spaced, False) if is_spaced else (False,):
        yield Spelling(indent, spaced)
        if "\\u" in body:
            yield Spelling(indent, spaced, is_ascii=True)
            yield Spelling(indent, spaced, is_html_safe=True)
            yield Spelling(indent, spaced, is_ascii=True, is_html_safe=True)
