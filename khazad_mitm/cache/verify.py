"""The second look at a neighbour above the threshold. It may only say no.

An embedding sees what a text is about and is nearly blind to the one word that turns the answer
around: "order 4711" and "order 4712" are 0.98 similar, "turn on" and "turn off" 0.95. Each guard
names one kind of difference and vetoes it; the words of politeness, case and punctuation are no
difference to any of them. A first set; lists of words and rules are ours.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

SPELLED = {
    word: str(value)
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve".split()
    )
}
WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*", re.UNICODE)
# A run of letters and digits that holds a digit, with what joins its parts: 4711, 3.11, 2026-11-23,
# X200, v2, 10%, $5, -3. A sentence's full stop is not part of it.
FIGURE = re.compile(r"[$€£¥+-]?[^\W_]*\d[^\W_]*(?:[.,:/-][^\W_]*\d[^\W_]*)*%?")
QUOTED = re.compile(r"\"([^\"]+)\"|“([^”]+)”|«([^»]+)»|`([^`]+)`|(?<!\w)'([^']+)'(?!\w)")

NEGATIONS = frozenset(
    "not no never none without nobody nothing neither nor cannot cant dont doesnt didnt isnt arent"
    " wasnt werent wont wouldnt shouldnt couldnt hasnt havent hadnt except unless avoid stop"
    " exclude excluding disable".split()
)
OPPOSITES = [
    frozenset(pair.split("/"))
    for pair in (
        "on/off open/close opened/closed start/stop enable/disable enabled/disabled add/remove"
        " increase/decrease raise/lower buy/sell import/export encrypt/decrypt encode/decode"
        " compress/decompress install/uninstall lock/unlock login/logout up/down in/out"
        " before/after above/below more/less most/least max/min maximum/minimum first/last"
        " best/worst cheapest/dearest highest/lowest largest/smallest longest/shortest hot/cold"
        " left/right north/south east/west win/lose lend/borrow push/pull send/receive"
        " upload/download accept/reject allow/deny allow/block with/without ascending/descending"
        " advantages/disadvantages pros/cons positive/negative legal/illegal safe/unsafe"
        " possible/impossible true/false yes/no male/female man/woman day/night old/new"
        " earliest/latest all/none deposit/withdraw arrive/depart read/write pass/fail"
        " fast/slow short/long small/large"
    ).split()
]
OPPOSITE_WORDS = frozenset().union(*OPPOSITES)
DIRECTIONS = re.compile(r"\b(from|to|into|than|versus|vs|over|under|between|and)\b")


@dataclass(frozen=True, slots=True)
class Guard:
    """One kind of difference. Symmetric; never raises, whatever the texts are."""

    name: str
    """As in Cache-Status: `refused figures`."""
    reason: str
    """What it looks at, for people."""
    differs: Callable[[str, str], bool]
    """(stored question, asked question) -> do they differ in that?"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one guard says of two questions, for those who ask why."""

    guard: str
    reason: str
    is_on: bool
    """False where it was switched off: then it does not count."""
    differs: bool


def veto(stored: str, asked: str, off: frozenset[str] = frozenset()) -> str:
    """The name of the first guard that tells the two questions apart, or "".

    `off`: names of guards that are not asked.
    """
    if stored == asked:
        return ""
    for guard in GUARDS:
        if guard.name not in off and guard.differs(stored, asked):
            return guard.name
    return ""


def verdicts(stored: str, asked: str, off: frozenset[str] = frozenset()) -> tuple[Verdict, ...]:
    """What every guard says, in the order in which `veto` asks them."""
    return tuple(
        Verdict(
            guard.name,
            guard.reason,
            guard.name not in off,
            stored != asked and guard.differs(stored, asked),
        )
        for guard in GUARDS
    )


def _figures(stored: str, asked: str) -> bool:
    """Numbers, dates, times, versions, amounts, ids; "two" and "2" are the same."""
    return _figures_of(stored) != _figures_of(asked)


def _figures_of(text: str) -> Counter[str]:
    found = Counter(m.group().lower().replace(",", "") for m in FIGURE.finditer(text))
    found.update(SPELLED[w] for w in _words(text) if w in SPELLED)
    return found


def _quotes(stored: str, asked: str) -> bool:
    """Quoted text and code: what stands in quotes is meant to the letter."""
    return _quotes_of(stored) != _quotes_of(asked)


def _quotes_of(text: str) -> Counter[str]:
    return Counter("".join(groups) for groups in QUOTED.findall(text))


def _negation(stored: str, asked: str) -> bool:
    return _negations_in(stored) != _negations_in(asked)


def _negations_in(text: str) -> bool:
    return sum(word in NEGATIONS or word.endswith("n't") for word in _words(text)) % 2 == 1


def _opposites(stored: str, asked: str) -> bool:
    """One says `on` where the other says `off`."""
    here = OPPOSITE_WORDS.intersection(_words(stored))
    there = OPPOSITE_WORDS.intersection(_words(asked))
    only_here, only_there = here - there, there - here
    return any(pair & only_here and pair & only_there for pair in OPPOSITES)


def _order(stored: str, asked: str) -> bool:
    """The same words the other way round: Rome to Paris, Paris to Rome."""
    here, there = _words(stored), _words(asked)
    if here == there or Counter(here) != Counter(there):
        return False
    return any(DIRECTIONS.fullmatch(word) for word in here)


def _words(text: str) -> list[str]:
    return [word.lower().replace("’", "'") for word in WORD.findall(text)]


GUARDS: tuple[Guard, ...] = (
    Guard("figures", "numbers, dates, times, versions, amounts, identifiers", _figures),
    Guard("quotes", "quoted text and code", _quotes),
    Guard("negation", "one says it, the other says it not", _negation),
    Guard("opposites", "one says `on` where the other says `off`", _opposites),
    Guard("order", "the same words the other way round", _order),
)
