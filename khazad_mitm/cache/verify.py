"""The second look at a neighbour above the threshold. It may only say no.

An embedding sees what a text is about and is nearly blind to the one word that turns the answer
around: "order 4711" and "order 4712" are 0.98 similar, "turn on" and "turn off" 0.95. Each guard
names one kind of difference and vetoes it; politeness, case, punctuation, contractions and the
spelling of numbers are no difference to any of them.

`act` and those after `passage` are doubts rather than differences: a word more, other words. A high
similarity outweighs them; how high is a matter of the profile. docs/quality.md says what all
this is worth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache

from khazad_mitm.cache.guards import (
    act,
    asking,
    contrast,
    degree,
    extent,
    figures,
    kinds,
    language,
    moves,
    names,
    negation,
    opposites,
    order,
    output,
    persons,
    quotes,
    scope,
    shared,
    targets,
    tense,
    words,
)
from khazad_mitm.cache.guards.reading import Reading, read

NEVER = 2.0
"""A closeness that nothing has."""


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
    is_outweighed: bool = False
    """The questions are so similar that the difference does not count."""


@dataclass(frozen=True, slots=True)
class Leniency:
    """What a profile forgives."""

    outweighed: Mapping[str, float] = field(default_factory=dict)
    """Guard -> closeness from which its difference does not count; others: never."""
    off: frozenset[str] = frozenset()


# Chosen on labelled pairs with the bundled model (docs/quality.md).
LENIENCY = {
    "strict": Leniency({"bare": 0.25, "reworded": 0.25, "story": 0.60, "added": 0.60}),
    "balanced": Leniency(
        {"bare": 0.10, "reworded": 0.25, "story": 0.43, "added": 0.60, "words": 0.72, "act": 0.70},
        off=frozenset(("places",)),
    ),
    "faq": Leniency(
        {"bare": 0.26, "reworded": 0.30, "story": 0.30, "added": 0.32, "words": 0.365},
        off=frozenset(("act", "extent", "names", "output", "places", "tense", "ways")),
    ),
}


def closeness(similarity: float, threshold: float) -> float:
    """How much of the way from the threshold (0) to the same text (1) a similarity has gone."""
    return (similarity - threshold) / (1 - threshold) if threshold < 1 else 1.0


def veto(
    stored: str,
    asked: str,
    off: frozenset[str] = frozenset(),
    *,
    profile: str = "balanced",
    near: float = 0.0,
) -> str:
    """The name of the first guard that tells the two questions apart, or "".

    `off`: names of guards that are not asked. `near`: their `closeness`; 0 forgives nothing.
    """
    if stored == asked:
        return ""
    leniency = LENIENCY[profile]
    for guard in GUARDS:
        if guard.name in off or guard.name in leniency.off:
            continue
        if near < leniency.outweighed.get(guard.name, NEVER) and guard.differs(stored, asked):
            return guard.name
    return ""


def verdicts(
    stored: str,
    asked: str,
    off: frozenset[str] = frozenset(),
    *,
    profile: str = "balanced",
    near: float = 0.0,
) -> tuple[Verdict, ...]:
    """What every guard says, in the order in which `veto` asks them."""
    leniency = LENIENCY[profile]
    return tuple(
        Verdict(
            guard.name,
            guard.reason,
            guard.name not in off and guard.name not in leniency.off,
            stored != asked and guard.differs(stored, asked),
            near >= leniency.outweighed.get(guard.name, NEVER),
        )
        for guard in GUARDS
    )


@lru_cache(maxsize=64)
def _readings(stored: str, asked: str) -> tuple[Reading, Reading, bool]:
    here, there, is_long = shared.apart(stored, asked)
    return read(here), read(there), is_long


def _reading(name: str, reason: str, differs: Callable[[Reading, Reading], bool]) -> Guard:
    """A guard that looks at what the two do not share to the letter."""

    def of_texts(stored: str, asked: str) -> bool:
        here, there, _ = _readings(stored, asked)
        return differs(here, there)

    return Guard(name, reason, of_texts)


def _beside_a_passage(stored: str, asked: str) -> bool:
    here, there, is_long = _readings(stored, asked)
    return is_long and (words.adds(here, there) or words.tells(here, there))


GUARDS: tuple[Guard, ...] = (
    _reading("figures", "numbers, dates, times, versions, amounts, identifiers", figures.differs),
    Guard("quotes", "quoted text, code, flags, file names, addresses", quotes.differs),
    _reading("negation", "one says it, the other says it not", negation.differs),
    _reading("opposites", "one says `on` where the other says `off`", opposites.differs),
    _reading("names", "people, places, products, languages, months", names.differs),
    _reading("kinds", "two things of one kind", kinds.differs),
    _reading("order", "the same words in other roles", order.differs),
    _reading("moves", "words have changed places around others", moves.differs),
    _reading("places", "any word has changed its place", moves.scrambles),
    _reading("targets", "not, only, every, two, she: said of other things", targets.differs),
    _reading("extent", "a part of it, or something besides", extent.differs),
    _reading("asking", "who, when, where, why, how many", asking.differs),
    _reading("ways", "how for where, what for when: not always the same", asking.strays),
    _reading("scope", "all, only, except, first, another", scope.differs),
    _reading("degree", "a superlative that the other has not", degree.differs),
    _reading("persons", "I or you, he or she", persons.differs),
    _reading("tense", "past, present or future", tense.differs),
    _reading("output", "what the answer should look like", output.differs),
    _reading("language", "the language it is asked in", language.differs),
    _reading("contrast", "equal but for a word or two in one place", contrast.differs),
    _reading("act", "what is to be done is not mentioned by the other", act.differs),
    Guard("passage", "any other word, beside a long text they share", _beside_a_passage),
    _reading("words", "both have telling words that the other has not", words.differs),
    _reading("added", "one has a telling word more", words.adds),
    _reading("story", "one tells more on the way to its question", words.tells),
    _reading("reworded", "words of wide meaning differ", words.rewords),
    _reading("bare", "there are no words but those of wide meaning", words.are_bare),
)


@lru_cache(maxsize=64)
def names_of_guards(off: frozenset[str]) -> str:
    """Those that count, in order."""
    return " ".join(guard.name for guard in GUARDS if guard.name not in off)
