"""A question as the guards read it: words in one spelling, with what surrounds them taken note of.

`read` is asked for the same texts again and again (a question against ten neighbours), so it
remembers some.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

from khazad_mitm.cache.guards import degrees, spelling
from khazad_mitm.cache.guards.lexicon import kinds, tables
from khazad_mitm.cache.guards.lexicon.function_words import FUNCTION

# A word with its apostrophes; initials (U.S.); a figure with what joins its parts (3.11, 10:30,
# 2026-11-23, X200, GPT-4, $5); a run of signs. C++, C#, .NET and f# are words too.
# What most words are is looked for first.
PIECE = re.compile(
    r"(?P<plain>(?<!\w)[^\W\d_]{2,}(?=[\s?!,]|$))"
    r"|(?P<initials>(?:[A-Za-z]\.){2,}[A-Za-z]?)"
    r"|(?P<figure>(?<![\w])[-+]?[$€£¥₹]?\s?(?:[^\W\d_]+-)?[^\W_]*\d[^\W_]*"
    r"(?:[.,:/-][^\W_]*\d[^\W_]*)*%?|\d+(?:[.,:]\d+)*%?)"
    r"|(?P<word>(?:[^\W\d_]|(?<=[^\W_])\d)+(?:['’][^\W\d_]+)*(?:\+\+|\#)?)"
    r"|(?P<end>[.!?;:\n]+|[-–—](?=\s))"
    r"|(?P<comma>[,()])"
    r"|(?P<sign>[<>=!+*/%^&|~\\@#$€£_-]+)",
    re.UNICODE,
)
# "Right, how do I ...": says nothing before a question, all where it is the answer to one.
OPENING = re.compile(
    r"\s*(?:right|alright|all right|great|fine|listen|look|anyway|cool|perfect|excellent|nice"
    r"|awesome)"
    r"\s*[,:!.]\s+(?=(?:\S+\s+){2}\S)",
    re.IGNORECASE,
)
PARTS = re.compile(r"\d+(?:[.,:/-]\d+)*|[^\W\d_]+", re.UNICODE)
CURRENCIES = {"$": "dollar", "€": "euro", "£": "gbp", "¥": "yen", "₹": "rupee"}
# Letters that follow a number and are a unit of it, not a part of an identifier.
SUFFIXES = frozenset(
    "kg g mg km m cm mm l ml lb lbs oz ft mi in kb mb gb tb hz mhz ghz w kw v mv a mah px pt em"
    " rem"
    " s sec ms min mins h hr hrs hour hours d day days y yr yrs am pm c f k bn mph kmh kph x th st"
    " nd rd cal kcal bit bits inch inches".split()
)
ORDINAL_SUFFIXES = frozenset(("th", "st", "nd", "rd"))
ROMAN = {"II": "2", "III": "3", "IV": "4", "VI": "6", "VII": "7", "VIII": "8", "IX": "9"}
BEFORE_ONE = frozenset("war type part phase stage chapter volume class grade article".split())
RANKS = frozenset(("First", "Second", "Third"))
DETERMINERS = frozenset("the a an my your our their his her its this that".split())
AMOUNTS = frozenset(
    "digit digits average mean even odd prime random negative positive whole natural".split()
)
"""Numbers that are numbers."""
ID = tables.lemma("id")
DEGREES = re.compile(r"\s*[°º]\s*([CF])\b", re.IGNORECASE)
SLASHED = re.compile(r"(?<!\w)(w/o|b/c|w/)(?=\s)", re.IGNORECASE)
SLASHES = {"w/o": "without", "w/": "with", "b/c": "because"}
SCALES = {"C": " celsius", "F": " fahrenheit"}
# Case says nothing where nearly every word has a capital, or none has.
SHOUTED = 0.7


# Not frozen, though nobody alters one: that would triple what it takes to make it.
@dataclass(slots=True, eq=False)
class Word:
    """One word of a text."""

    said: str
    """Lower case, contraction undone, numbers in digits."""
    lemma: str
    """Its stem, or that of the group of synonyms it belongs to."""
    is_content: bool
    """Neither a function word nor politeness."""
    is_generic: bool
    """Of wide meaning (`lexicon.generic`)."""
    is_name: bool
    """Written as a name, or known as one."""
    sentence: int
    """Which of the text, from 0."""
    starts: bool
    """First of a sentence, of what follows a comma or colon, or after "tell me"."""


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Compared by identity: `read` gives one for each text."""

    text: str
    words: tuple[Word, ...]
    said: tuple[str, ...]
    vocabulary: frozenset[str]
    """What is said, in no order."""
    lemmas: frozenset[str]
    """Of all words, and what they ask for (`how much`: a price)."""
    content: tuple[Word, ...]
    told: frozenset[int]
    """Sentences that only tell, where another one asks."""

    def compared_with(self, other: Reading) -> tuple[Word, ...]:
        """The words that count beside one who tells nothing on the way to his question."""
        if not self.told or other.told:
            return self.words
        return tuple(word for word in self.words if word.sentence not in self.told)

    def has(self, *words: str) -> bool:
        return not self.vocabulary.isdisjoint(words)


@lru_cache(maxsize=512)
def read(text: str) -> Reading:
    raw, marks = _split(text)
    words = _words(raw)
    said = tuple([word.said for word in words])
    lemmas = frozenset([word.lemma for word in words])
    implied = [tables.IMPLIED[word] for word in said if word in tables.IMPLIED]
    return Reading(
        text,
        words,
        said,
        frozenset(said),
        lemmas.union(*implied) if implied else lemmas,
        tuple([word for word in words if word.is_content]),
        _told(marks),
    )


@dataclass(slots=True)
class _Raw:
    said: str
    is_name: bool
    starts: bool
    sentence: int = 0


def _told(marks: list[str]) -> frozenset[int]:
    """Which sentences tell, of what ends each, where one of them asks."""
    asking = {number for number, mark in enumerate(marks) if "?" in mark}
    return frozenset(range(len(marks))) - asking if asking else frozenset()


def _words(raw: list[_Raw]) -> tuple[Word, ...]:
    raw = _phrases(_numbers(raw))
    found = []
    for index, item in enumerate(raw):
        is_function, lemma, is_generic, is_known = _alone(item.said)
        is_beside = _is_beside_name(raw, index)
        is_id = item.said == "number" and _is_id(raw, index)
        if is_id:
            lemma = ID
        is_name = (item.is_name and not is_beside) or is_known
        found.append(
            Word(
                item.said,
                lemma,
                not is_function,
                (is_generic and not is_id and not _is_of_a_kind(raw, index)) or is_beside,
                is_name,
                item.sentence,
                item.starts,
            )
        )
    return tuple(found)


@lru_cache(maxsize=8192)
def _alone(word: str) -> tuple[bool, str, bool, bool]:
    """Is it a function word, its lemma, is it of wide meaning, and is it known as a name?"""
    is_function = word in FUNCTION or word.startswith("~")
    lemma = word if is_function else tables.lemma(degrees.positive(word))
    is_generic = not is_function and spelling.stem(word) in tables.GENERIC
    return is_function, lemma, is_generic, word in tables.NAMES


def _is_beside_name(raw: list[_Raw], index: int) -> bool:
    """`plan` in "the Gold plan", `city` in "the city of Oslo"."""
    if raw[index].said not in kinds.APPOSITIVES:
        return False
    after = [item for item in raw[index + 1 : index + 3] if item.said not in ("of", "the")]
    near = raw[max(index - 1, 0) : index] + after[:1]
    return any(item.is_name or item.said in tables.NAMES for item in near)


def _is_of_a_kind(raw: list[_Raw], index: int) -> bool:
    """ "The return label": a verb before a thing says which."""
    if not 0 < index < len(raw) - 1 or raw[index].said not in tables.VERBS:
        return False
    before, after = raw[index - 1].said, raw[index + 1].said
    return before in DETERMINERS and after not in FUNCTION and not after[:1].isdigit()


def _is_id(raw: list[_Raw], index: int) -> bool:
    """The number of an invoice, of a flight: a name, not how many there are."""
    before = raw[index - 1].said if index else ""
    after = raw[index + 1].said if index + 1 < len(raw) else ""
    is_thing = before.isalpha() and before not in FUNCTION and before not in AMOUNTS
    return is_thing and after != "of" and spelling.stem(before) not in tables.GENERIC


def _split(text: str) -> tuple[list[_Raw], list[str]]:
    """The words as they are written, and the marks that end sentences."""
    text = DEGREES.sub(lambda degrees: SCALES[degrees[1].upper()], text.replace("’", "'"))
    if "/" in text:
        text = SLASHED.sub(lambda short: SLASHES[short[1].lower()], text)
    if opening := OPENING.match(text):
        text = text[opening.end() :]
    found: list[_Raw] = []
    marks: list[str] = []
    starts = True
    sentence = True
    capitals = letters = number = 0
    for match in PIECE.finditer(text):
        kind, piece = match.lastgroup, match.group()
        if kind == "end":
            starts = sentence = True
            number += 1
            marks.append(piece)
            continue
        if kind == "comma":
            starts = True
            continue
        if kind == "sign":
            if piece == "/" and found and text[match.end() : match.end() + 1].isalpha():
                # "tea/coffee", but HTTP/2
                found.append(_Raw("or", False, False, number))
            elif piece == "%" and found and found[-1].said[-1:].isdigit():
                found.append(_Raw("percent", False, False, number))
            continue
        if kind == "figure":
            for part in _figure(piece):
                found.append(_Raw(part, False, starts, number))
                starts = sentence = False
            continue
        if kind == "initials":
            piece = piece.replace(".", "")
        if piece in ("US", "USA"):
            found.append(_Raw("usa", True, starts, number))
            starts = sentence = False
            continue
        if piece == "A" and not sentence:  # station A, plan A: a name, not an article
            piece = "A#"
        if piece == "I" and found and found[-1].said in BEFORE_ONE and found[-1].is_name:
            found.append(_Raw("1", False, starts, number))
            continue
        if piece in ROMAN and found and found[-1].is_name:  # World War II
            found.append(_Raw(ROMAN[piece], False, starts, number))
            continue
        is_upper = piece[:1].isupper()
        letters += not sentence
        capitals += is_upper and not sentence
        has_inner = piece[1:] != piece[1:].lower()
        is_name = (is_upper and not sentence and piece != "I" and not piece.startswith("I'")) or (
            has_inner and len(piece) > 1
        )
        is_name = is_name and piece not in RANKS  # the Second World War
        for part in spelling.spelled_out(piece.lower()):
            found.append(_Raw(part, is_name and part not in FUNCTION, starts, number))
            starts = sentence = False
    if letters >= 3 and capitals >= SHOUTED * letters:
        for item in found:
            item.is_name = False
    return found, marks


def _figure(piece: str) -> list[str]:
    """ "$1,000" is 1000 and dollar, "5kg" 5 and kg, "v3.2" 3.2, "A-1039" a1039."""
    piece = piece.lower().strip()
    after = []
    for sign, name in CURRENCIES.items():
        if sign in piece:
            piece, after = piece.replace(sign, "").strip(), [name]
    if piece.endswith("%"):
        piece, after = piece[:-1], ["percent"]
    piece = re.sub(r"(?<=\d),(?=\d{3}\b)", "", piece)
    if after and piece.endswith(".00"):
        piece = piece[:-3]
    parts = PARTS.findall(piece)
    if len(parts) == 2 and parts[0][0].isdigit():
        number, suffix = parts
        if suffix in ORDINAL_SUFFIXES:
            return [number]
        if suffix == "k":
            return [str(int(number) * 1000) if number.isdecimal() else number + "k", *after]
        if suffix in SUFFIXES and piece[len(number)] != "-":
            return [number, suffix]
    if len(parts) == 2 and parts[0] == "v" and parts[1][0].isdigit():
        return [parts[1]]
    if len(parts) == 1:
        return [piece.lstrip("+"), *after]
    return [piece.lstrip("+-").replace("-", "") if parts[0][0].isalpha() else piece, *after]


def _numbers(raw: list[_Raw]) -> list[_Raw]:
    said = [item.said for item in raw]
    if tables.NUMBER_WORDS.isdisjoint(said):
        return raw
    return [
        raw[place] if raw[place].said == word else replace(raw[place], said=word, is_name=False)
        for word, place in spelling.in_digits(said)
    ]


def _phrases(raw: list[_Raw]) -> list[_Raw]:
    found: list[_Raw] = []
    keys = [tables.key(item.said) for item in raw]
    index = 0
    while index < len(raw):
        for length, table in tables.PHRASES.get(keys[index], ()):
            meaning = table.get(tuple(keys[index : index + length]))
            if meaning is not None:
                window = raw[index : index + length]
                starts = raw[index].starts
                if meaning:
                    for part in meaning.split():
                        is_name = any(item.is_name for item in window)
                        found.append(_Raw(part, is_name, starts, raw[index].sentence))
                        starts = False
                elif index + length < len(raw):
                    raw[index + length].starts = True
                index += length
                break
        else:
            found.append(raw[index])
            index += 1
    return found
