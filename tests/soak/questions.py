"""What is asked. Everybody may know what a question means; the cache has to find it out.

A family is a question in several wordings, about several things of which each has an answer of its
own: names and numbers, one letter or digit apart. Two questions mean the same where both the family
and the thing are the same, and in no other case.
"""

from __future__ import annotations

import random
from dataclasses import dataclass

CUT, ERROR = "cut", "error"
"""What the upstream does to some questions, half of the time."""

HOT = 10
"""Plain questions that are asked again and again; as many are asked once."""

PEOPLE = ("Alice", "Alicia", "Bob", "Rob", "Carol", "Carola", "Mr. Jansen", "Mr. Hansen")
PLACES = ("Austria", "Australia", "Niger", "Nigeria", "Iran", "Iraq", "Slovakia", "Slovenia")
NUMBERS = ("2", "3", "12", "13", "20", "21", "200", "2000")

FAMILIES: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("How do I reset the password of {}?", "How can I reset the password of {}?"), PEOPLE),
    (("What is the phone number of {}?", "Please tell me the phone number of {}."), PEOPLE),
    (("What is the capital of {}?", "Can you tell me what the capital of {} is?"), PLACES),
    (("Do I need a visa for {}?", "Hi, do I need a visa for {}? Thanks!"), PLACES),
    (("How do I cancel order {}?", "How can I cancel order {}?"), NUMBERS),
    (
        ("How long is the warranty after {} years?", "how long is the warranty after {} years"),
        NUMBERS,
    ),
)


@dataclass(frozen=True)
class Question:
    text: str
    meaning: str
    """Equal where one answer is good for both."""
    trouble: str = ""


def of(text: str) -> Question:
    """What the upstream makes of a text."""
    kind = text.partition(" ")[0]
    return _KNOWN.get(text) or Question(text, text, kind if kind in (CUT, ERROR) else "")


def plain(chance: random.Random, name: str) -> Question:
    """One without a family; `name`, of whom and which, is in no other."""
    kind = chance.choice(("", "", "", CUT, ERROR))
    hot = chance.randrange(HOT)
    return of(f"{kind} {hot}" if chance.random() < 0.7 else f"{kind} {name}")


def any_kind(chance: random.Random, name: str) -> Question:
    """One of a family, or one in five times one without."""
    return plain(chance, name) if chance.random() < 0.2 else chance.choice(_ALL)


def pair(number: int) -> tuple[str, str]:
    """Two texts that mean the same, which nobody else asks."""
    first, second = FAMILIES[4][0]
    return first.format(number), second.format(number)


def _all() -> list[Question]:
    made = []
    for number, (wordings, things) in enumerate(FAMILIES):
        for place, thing in enumerate(things):
            # The upstream fails every fifth meaning in one way, every fifth in the other.
            trouble = ("", "", "", CUT, ERROR)[(number + place) % 5]
            made += [Question(w.format(thing), f"{number} {thing}", trouble) for w in wordings]
    return made


_ALL = _all()
_KNOWN = {question.text: question for question in _ALL}
