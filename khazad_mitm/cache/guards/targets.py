"""Little words that both have, said of other things: "not", "only", "every", "two", "who"."""

from __future__ import annotations

import itertools
from functools import lru_cache

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.negation import NEGATIONS, PREVENTING
from khazad_mitm.cache.guards.persons import FIRST, HE, SECOND, SHE
from khazad_mitm.cache.guards.reading import Reading

WHOLE = frozenset(("every", "all", "each"))
ANY_ONE = frozenset(("a", "an", "one", "any", "some"))
BOUND = frozenset("only who whom whose that which wrong new old broken empty".split())
"""What follows these is said of a part: "those who pay can vote", "those who vote can pay"."""
ASKING = frozenset(("who", "whom", "what"))
DOING = frozenset(("do", "does", "did"))
INTERROGATIVE = frozenset("why how when where".split())
BE = frozenset("is are was were can could will would has have".split())
HELPING = DOING | BE
TIMES = frozenset("second minute hour day night week weekend month year time".split())
"""Every day is once a day."""
CAN = frozenset("can could may might should must will would do does did".split())
DETERMINERS = frozenset("a an the my your his her its our their this that these those".split())
WHAT = frozenset("which what who".split())
HAVING = frozenset("have has need needs".split())
SEXES = dict.fromkeys(HE, "he") | dict.fromkeys(SHE, "she")
SPEAKERS = dict.fromkeys(FIRST, "i") | dict.fromkeys(SECOND, "you")


def differs(a: Reading, b: Reading) -> bool:
    return (
        _denies_other(a, b)
        or any(_is_of_other(a, b, marker) for marker in a.vocabulary & b.vocabulary & BOUND)
        or _asks_of_other(a, b)
        or _compares_other(a, b)
        or _takes_one(a, b)
        or _takes_one(b, a)
        or _counts_other(a, b)
        or _does_other(a, b)
        or _does_other(b, a)
        or _acts_on_other(a, b)
        or _keeps_other(a, b)
        or _keeps_other(b, a)
        or _is_done_by_what(a, b)
        or _is_done_by_what(b, a)
        or _turns(a, b, SEXES)
        or (not rest(a, b).here and not rest(a, b).there and _turns(a, b, SPEAKERS))
    )


def _after(reading: Reading, marker: str) -> set[str]:
    """The next content word after each of these."""
    words = reading.words
    return {
        next(
            (w.lemma for w in words[index + 1 :] if w.is_content and w.sentence == word.sentence),
            "",
        )
        for index, word in enumerate(words)
        if word.said == marker and (marker == "only" or not word.starts)
    }


def _denies_other(a: Reading, b: Reading) -> bool:
    """Both deny something, and one says plainly, before it does, what the other denies."""
    if a.vocabulary.isdisjoint(NEGATIONS) or b.vocabulary.isdisjoint(NEGATIONS):
        return False
    (here, plain_here), (there, plain_there) = _denied(a), _denied(b)
    if not here or not there:
        return False
    return bool((here - there) & plain_there or (there - here) & plain_here)


@lru_cache(maxsize=64)
def _denied(reading: Reading) -> tuple[frozenset[str], frozenset[str]]:
    """What is denied, and what is said before that. "Was Pluto not", "was not Pluto": no name."""
    denied: set[str] = set()
    plain: set[str] = set()
    for index, word in enumerate(reading.words):
        if word.said in NEGATIONS and _is_inverted(reading, index):
            continue
        if word.said in NEGATIONS:
            after = (w.lemma for w in reading.words[index + 1 :] if w.is_content and not w.is_name)
            denied.update([next(after, "")])
        elif not denied and word.is_content:
            plain.add(word.lemma)
    return frozenset(denied - {""}), frozenset(plain)


def _is_inverted(reading: Reading, index: int) -> bool:
    """ "Why doesn't the car start": what is denied stands after the doer, who knows how far."""
    words = reading.words
    asks = index >= 2 and words[index - 2].said in INTERROGATIVE
    return asks and words[index].said == "not" and words[index - 1].said in HELPING


def _is_of_other(a: Reading, b: Reading, marker: str) -> bool:
    here, there = _after(a, marker), _after(b, marker)
    return bool(here and there and here.isdisjoint(there)) and (
        here <= b.lemmas and there <= a.lemmas
    )


def _asks_of_other(a: Reading, b: Reading) -> bool:
    """Who replaced him, whom did he replace: asked for the one who does, and for the other."""
    left = rest(a, b)
    if left.here or left.there:
        return False
    here, there = _asked_for(a), _asked_for(b)
    return len(here) == len(there) == 1 and here != there


def _asked_for(reading: Reading) -> set[bool]:
    return {
        after.is_content
        for word, after in itertools.pairwise(reading.words)
        if word.said in ASKING and word.starts and (after.is_content or after.said in DOING)
    }


def _compares_other(a: Reading, b: Reading) -> bool:
    """Words before "than" stand after it there, and others the other way round."""
    if a.said.count("than") != 1 or b.said.count("than") != 1:
        return False
    (before_a, after_a), (before_b, after_b) = _around(a, "than"), _around(b, "than")
    return bool((before_a - before_b) & (after_b - after_a)) and bool(
        (after_a - after_b) & (before_b - before_a)
    )


def _around(reading: Reading, marker: str) -> tuple[set[str], set[str]]:
    at = reading.said.index(marker)
    before, after = reading.words[:at], reading.words[at + 1 :]
    return {w.lemma for w in before if w.is_content}, {w.lemma for w in after if w.is_content}


def _takes_one(a: Reading, b: Reading) -> bool:
    """Every one of what the other wants one of."""
    wholes, ones = _next_to(a, WHOLE), _next_to(b, ANY_ONE)
    return bool(wholes & ones) and not _next_to(b, WHOLE) & wholes


@lru_cache(maxsize=128)
def _next_to(reading: Reading, markers: frozenset[str]) -> frozenset[str]:
    if reading.vocabulary.isdisjoint(markers):
        return frozenset()
    return frozenset(
        after.lemma
        for word, after in itertools.pairwise(reading.words)
        if word.said in markers and after.is_content and after.said not in TIMES
    )


def _counts_other(a: Reading, b: Reading) -> bool:
    """Two codes for one order, one code for two orders."""
    here, there = _counted(a), _counted(b)
    return any(
        number in there and here[number].isdisjoint(there[number])
        and (here[number] <= b.lemmas or there[number] <= a.lemmas)
        for number in here
    )  # fmt: skip


def _does_other(a: Reading, b: Reading) -> bool:
    """ "Can I sue the tenant", "can the tenant sue me": a speaker does it here, another there."""
    words = a.words
    for index, (asks, who) in enumerate(itertools.pairwise(words)):
        if asks.said not in CAN or who.said not in SPEAKERS or index + 2 >= len(words):
            continue
        deed = words[index + 2].lemma
        after = {word.lemma for word in words[index + 3 :] if word.is_content}
        if any(done == deed and doer in after for doer, done in _doers(b)):
            return True
    return False


def _keeps_other(a: Reading, b: Reading) -> bool:
    """ "Stop barking at guests", "stop guests from barking"."""
    if "from" not in b.said:
        return False
    stopped = {
        after.lemma
        for word, after in itertools.pairwise(a.words)
        if word.said in PREVENTING and after.said.endswith("ing")
    }
    return b.has(*PREVENTING) and any(
        word.said == "from" and after.lemma in stopped
        for word, after in itertools.pairwise(b.words)
    )


def _acts_on_other(a: Reading, b: Reading) -> bool:
    """The string of a kite, the kite with a string: which of them is it that I mend?"""
    (deed, here), (other, there) = _acted_on(a), _acted_on(b)
    return bool(
        deed == other and here and there and here.isdisjoint(there)
        and here <= b.lemmas and there <= a.lemmas
    )  # fmt: skip


@lru_cache(maxsize=64)
def _acted_on(reading: Reading) -> tuple[str, frozenset[str]]:
    """What is to be done, and the words right after it, articles aside."""
    words = reading.words
    for index, word in enumerate(words[2:], 2):
        one, two = words[index - 1].said, words[index - 2].said
        if word.is_content and (
            (one in SPEAKERS and two in CAN) or (one == "to" and two in ("how", "way"))
        ):
            run = itertools.takewhile(
                lambda w: (w.is_content or w.said in DETERMINERS) and not w.starts,
                words[index + 1 :],
            )
            return word.lemma, frozenset(w.lemma for w in run if w.is_content)
    return "", frozenset()


def _is_done_by_what(a: Reading, b: Reading) -> bool:
    """ "Where can I sell stamps", "which shops sell stamps"."""
    for asks, who, deed in zip(a.words, a.words[1:], a.words[2:], strict=False):
        if asks.said not in CAN or who.said not in ("i", "we") or not deed.is_content:
            continue
        if deed.lemma in _done_by_what(b) and deed.lemma not in _done_by_what(a):
            return True
    return False


@lru_cache(maxsize=64)
def _done_by_what(reading: Reading) -> frozenset[str]:
    """The words right after what is asked for: `sell` in "which shops in York sell"."""
    found: set[str] = set()
    is_asked = False
    for before, word in itertools.pairwise(reading.words):
        if before.starts:
            is_asked = before.said in WHAT
        if word.said in SPEAKERS or word.said in HELPING:
            is_asked = False
        if is_asked and before.is_content and word.is_content and not word.is_name:
            found.add(word.lemma)
    return frozenset(found)


@lru_cache(maxsize=64)
def _doers(reading: Reading) -> tuple[tuple[str, str], ...]:
    """(who, deed) of "can my neighbour keep"."""
    words = reading.words
    found = []
    for index, (asks, whose, doer) in enumerate(zip(words, words[1:], words[2:], strict=False)):
        if asks.said in CAN and not whose.is_content and doer.is_content:
            following = words[index + 3 : index + 6]
            if len(following) == 3 and following[0].said in HAVING and following[1].said == "to":
                following = following[2:]
            if following and following[0].is_content:
                found.append((doer.lemma, following[0].lemma))
    return tuple(found)


@lru_cache(maxsize=64)
def _counted(reading: Reading) -> dict[str, set[str]]:
    """The words right after each number; not to be altered."""
    found: dict[str, set[str]] = {}
    words = reading.words
    for index, word in enumerate(words):
        number = "1" if word.said == "one" else word.said
        if number.isdecimal():
            run = itertools.takewhile(lambda w: w.is_content, words[index + 1 : index + 4])
            lemmas = {w.lemma for w in run if not w.said[:1].isdigit()}
            if lemmas:
                found.setdefault(number, set()).update(lemmas)
    return found


def _turns(a: Reading, b: Reading, whom: dict[str, str]) -> bool:
    """What did she say to him, what did he say to her."""
    here = [whom[word] for word in a.said if word in whom]
    there = [whom[word] for word in b.said if word in whom]
    return here != there and len(set(here)) == 2 and sorted(here) == sorted(there)
