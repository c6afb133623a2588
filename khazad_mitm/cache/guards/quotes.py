"""Quoted text and code, flags, file names, addresses, operators: meant to the letter."""

from __future__ import annotations

import re
from functools import lru_cache

FENCED = re.compile(r"```\w*\n?(.+?)```", re.DOTALL)
QUOTED = re.compile(
    r"\"\"?([^\"]+)\"|“([^”]+)”|«([^»]+)»|„([^“”]+)[“”]|`([^`]+)`|(?<!\w)'([^']+)'(?!\w)"
)
# A flag, an address, a path, a file name, a dotted or underscored or called name, camelCase.
CODE = re.compile(
    r"(?<!\S)--?[A-Za-z][\w-]*"
    r"|https?://\S+|[\w.+-]+@[\w-]+\.[\w.]+"
    r"|(?<!\w)[~.]?/[\w./-]+"
    r"|\w+(?:_\w+)+|\b[A-Za-z]\w*(?:(?:\.|::|->)[A-Za-z_]\w*)+(?:\(\))?|\w+\(\)"
)
# Signs of comparison and assignment, and of arithmetic between figures or single letters.
OPERATORS = re.compile(
    r"[<>=!]=+|<<|>>|->|=>|&&|\|\||(?<=[\w\s)])[<>=](?=[\w\s(])"
    r"|(?<=\b\w)\s?(?:\*\*|//|[*/%^+-])\s?(?=\w\b)|(?<=\d)\s?(?:\*\*|//|[*/^+])\s?(?=\d)"
)
# Looked for first: most questions have nothing of all this.
QUOTES = frozenset("\"“«„`'")
SIGNS = frozenset("<>=&|*/%^+-")
MAY_BE_CODE = re.compile(r"[\w)][._:@>/]\w|\(\)|(?<!\w)[-~./]+\w")
SPACE = re.compile(r"\s+")
ABBREVIATIONS = frozenset(("e.g", "i.e", "a.m", "p.m", "u.s", "u.k", "vs.the"))


SHORT = re.compile(r"(?<!\w)(?:w/o?|b/c|n/a|a/c)(?!\w)", re.IGNORECASE)
"""Words, not code."""


def differs(stored: str, asked: str) -> bool:
    """Of whole texts: a line of code is never only context."""
    if "/" in stored or "/" in asked:
        stored, asked = SHORT.sub(" ", stored), SHORT.sub(" ", asked)
    return _lacks(stored, asked) or _lacks(asked, stored) or _operators(stored) != _operators(asked)


def _lacks(a: str, b: str) -> bool:
    """Does one say to the letter what the other does not say?"""
    here = _to_the_letter(a)
    if not here:
        return False
    there = _flat(b)
    if b == b.lower() or a == a.lower():  # a way of typing
        return any(not _holds(there.lower(), said.lower()) for said in here)
    return any(
        not _holds(there, said) and (_is_code(said) or not _holds(there.lower(), said.lower()))
        for said in here
    )


def _holds(text: str, said: str) -> bool:
    """As a whole, not as a part of a longer name."""
    at = text.find(said)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(said) : at + len(said) + 1]
        if not (
            (said[0].isalnum() and (before.isalnum() or before == "_"))
            or (said[-1].isalnum() and (after.isalnum() or after == "_"))
        ):
            return True
        at = text.find(said, at + 1)
    return False


def _is_code(said: str) -> bool:
    return any(letter in "_-/.(=<>" for letter in said)


@lru_cache(maxsize=512)
def _flat(text: str) -> str:
    return SPACE.sub(" ", text.replace("’", "'"))


@lru_cache(maxsize=512)
def _to_the_letter(text: str) -> tuple[str, ...]:
    flat = text.replace("’", "'")
    found: list[str] = []
    if "```" in flat:
        found += [match.group(1) for match in FENCED.finditer(flat)]
        flat = FENCED.sub(" ", flat)
    if not QUOTES.isdisjoint(flat):
        found += ["".join(groups) for groups in QUOTED.findall(flat)]
    if MAY_BE_CODE.search(flat):
        found += [code for code in CODE.findall(flat) if code.lower() not in ABBREVIATIONS]
    return tuple(
        piece
        for said in found
        if (piece := SPACE.sub(" ", said).strip(" .,;:!?").removesuffix("()"))
    )


@lru_cache(maxsize=512)
def _operators(text: str) -> tuple[str, ...]:
    if SIGNS.isdisjoint(text):
        return ()
    return tuple(sorted(sign.strip() for sign in OPERATORS.findall(text)))
