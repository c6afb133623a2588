"""Who, when, where, why, how many: what kind of answer is asked for."""

from __future__ import annotations

import itertools
from functools import lru_cache

from khazad_mitm.cache.guards import act
from khazad_mitm.cache.guards.lexicon.function_words import AUXILIARIES, PREPOSITIONS
from khazad_mitm.cache.guards.lexicon.tables import IMPLIED, kinds_of, lemma
from khazad_mitm.cache.guards.reading import Reading

QUESTION_WORDS = frozenset("who whom whose when where why how what which".split())
CAN = frozenset("can could may might".split())
MUST = frozenset(("must",))
"""Whether one may is not whether one has to."""
QUANTITIES = frozenset().union(*(IMPLIED[word] for word in IMPLIED if word[:4] == "~how"))
BEFORE_QUANTITY = frozenset("is are was the a".split())
TIMES = frozenset(
    lemma(word)
    for word in "date time day month year deadline hour birthday age century period schedule"
    " moment week season era".split()
)
SOMEBODY = frozenset("anybody anyone somebody someone anything something".split())
MEANING = lemma("mean")
FINDING = frozenset(
    lemma(word)
    for word in "find get see buy locate check look reach have view access read know".split()
)
"""Where it is that one can do these is where it is."""
CALENDAR = frozenset(("month", "weekday", "season", "festival"))
REASONS = frozenset(lemma(word) for word in ("reason", "purpose"))
ASKERS = frozenset(
    "tell know explain show say understand see wonder sure idea clarify learn".split()
)
# Pairs of kinds that one question may be asked in.
ALIKE = frozenset(
    frozenset(pair.split("/"))
    for pair in (
        "how/what where/what where/how who/what when/what how/tell what/tell who/tell when/tell"
        " where/tell why/tell whether/tell"
        " ~howmany/~howmuch ~howlong/when ~howmany/what ~howmuch/what ~howlong/what ~howfast/what"
        " ~howoften/what ~howold/what ~howfar/what ~howbig/what ~howtall/what"
        " ~howmany/tell ~howmuch/tell ~howlong/tell ~howfast/tell ~howoften/tell ~howold/tell"
        " ~howfar/tell ~howbig/tell ~howtall/tell ~howfast/whether where/whether how/whether"
        " ~whetherany/what ~whetherany/whether ~whetherany/tell ~whetherany/who ~whetherany/when"
        " ~whetherany/how"
        " ~whetherany/where"
    ).split()
)


def differs(a: Reading, b: Reading) -> bool:
    if act.is_only_told(a, b) or act.is_only_told(b, a) or act.is_another(a, b):
        return True
    if _is_there(a, b) or _is_there(b, a):
        return True
    here, there = asked(a), asked(b)
    if _measures_other(a, here, b) or _measures_other(b, there, a):
        return True
    if not here.isdisjoint(there):
        return (_opens_with(a, CAN) and _opens_with(b, MUST)) or (
            _opens_with(a, MUST) and _opens_with(b, CAN)
        )
    if "why" in here ^ there and any(word.lemma in REASONS for word in (*a.words, *b.words)):
        return False
    return not any(frozenset((x, y)) in ALIKE for x in here for y in there)


def strays(a: Reading, b: Reading) -> bool:
    """Do they ask with words that may stand for one another, and do not do so here?"""
    here, there = asked(a), asked(b)
    return here.isdisjoint(there) and not any(
        _may_be(x, a, y, b) and _may_be(y, b, x, a) for x in here for y in there
    )


def _may_be(one: str, a: Reading, other: str, b: Reading) -> bool:
    """May `a`, which asks `one`, be asked with `other` as well, as `b` is?

    "What" goes with "when" where it asks for a time. "Can I" goes with "how can I" and "where can
    I", "does it" with neither; and so do these two.
    """
    if one == "what" and other == "when":
        return a.has("when") or any(
            word.lemma in TIMES or not kinds_of(word.said, word.lemma).isdisjoint(CALENDAR)
            for word in a.words
        )
    if one == "what" and other == "how" and MEANING in a.lemmas - b.lemmas:
        return not act.is_telling(b)
    if one == "whether" and other in ("how", "where"):
        return _opens_with(a, CAN) or _asks_how_much(b)
    if {one, other} == {"how", "where"}:
        return any(reading.has("i", "we", "you", "one", "to") for reading in (a, b))
    return True


def _asks_how_much(reading: Reading) -> bool:
    """ "How common is it", "is it common"."""
    return any(
        word.said == "how" and after.is_content for word, after in itertools.pairwise(reading.words)
    )


def _is_there(a: Reading, b: Reading) -> bool:
    """ "Where is my kayak", "where can I use my kayak"."""
    if "where" not in a.said or "where" not in b.said:
        return False
    is_said = any(
        word.said == "where" and after.said in ("is", "are")
        for word, after in itertools.pairwise(a.words)
    )
    deed = act.deed_of_speaker(b)
    return is_said and bool(deed) and deed not in a.lemmas and deed not in FINDING


def _measures_other(a: Reading, here: frozenset[str], b: Reading) -> bool:
    """ "How often", "at what age": which quantity is asked for is said after "what"."""
    asked_for = frozenset().union(*(IMPLIED[word] for word in here if word[:4] == "~how"))
    named = _quantities(b) if asked_for else frozenset()
    return bool(named) and asked_for.isdisjoint(named)


def _quantities(reading: Reading) -> frozenset[str]:
    """The quantities right after "what", or "what is the"."""
    found: set[str] = set()
    follows = False
    for word in reading.words:
        if follows and word.lemma in QUANTITIES:
            found.add(word.lemma)
        follows = word.said in ("what", "which") or (follows and word.said in BEFORE_QUANTITY)
    return frozenset(found)


def _opens_with(reading: Reading, auxiliaries: frozenset[str]) -> bool:
    return any(word.starts and word.said in auxiliaries for word in reading.words)


@lru_cache(maxsize=64)
def asked(reading: Reading) -> frozenset[str]:
    found = set()
    before = ""
    opens = False
    for index, word in enumerate(reading.words):
        # Nothing but prepositions since the beginning of the sentence: "on what date".
        opens = word.starts or (opens and before in PREPOSITIONS)
        if word.said.startswith("~how"):
            found.add(word.said)
        elif word.said == "when" and opens and _is_a_clause(reading, index):
            pass
        elif word.said in QUESTION_WORDS and (opens or before in ASKERS):
            found.add({"whom": "who", "whose": "who", "which": "what"}.get(word.said, word.said))
        elif not found and word.starts and word.said in AUXILIARIES and word.said != "let":
            found.add("~whetherany" if _is_for_some(reading, index) else "whether")
        before = word.said
    if len(found) > 1:
        found -= {"whether", "~whetherany"}
    return frozenset(found or ("tell",))


def _is_a_clause(reading: Reading, index: int) -> bool:
    """ "When I move, can I keep it?": a circumstance, and the question follows."""
    when, *following = reading.words[index:]
    if not following or following[0].said in AUXILIARIES:
        return False
    return any(
        word.starts and word.sentence == when.sentence
        and (word.said in AUXILIARIES or word.said in QUESTION_WORDS or word.said[:1] == "~")
        for word in following
    )  # fmt: skip


def _is_for_some(reading: Reading, index: int) -> bool:
    """ "Are there any hostels", "do you have a number": who asks so wants to hear which."""
    following = reading.said[index + 1 : index + 4]
    if following[:1] == ("any",) and reading.said[index] in ("is", "are"):
        return True
    if not SOMEBODY.isdisjoint(following[:2]):
        return True
    if "or" in reading.said:  # "is it A or B": which of them
        return True
    return following[:2] == ("you", "have") and following[2:] in (("a",), ("an",), ("any",))
