"""The same words in another order: a matter of style, or other roles?

Style moves a phrase to another place: what stood before it now stands after it, and that is all.
It says "Y and X" for "X and Y", and "Y was done by X" for "X did Y". Where words have changed
places around others that stay, each has taken over what was said of the other: "green above, white
below" and "white above, green below". What a preposition holds may stand anywhere, unless another
of its kind is there to be mistaken for it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon.tables import lemma
from khazad_mitm.cache.guards.order import STRONG, TRANSPARENT, WEAK
from khazad_mitm.cache.guards.reading import Reading, Word
from khazad_mitm.cache.guards.spelling import is_past

MOST_APART = 1
"""Words that one may have more, for the others to be compared by their order alone."""
SYMMETRIC = frozenset(lemma(word) for word in ("differ", "compare", "similar", "equal"))
"""What one is to the other the other is to it."""
LONGEST = 60
"""Words; what is longer shares more with its like than its order."""
JOINING = frozenset(("and", "or"))
DETERMINERS = frozenset("the a an my your his her its our their this that these those".split())
BEING = frozenset("is are was were be been being am get got".split())


def differs(a: Reading, b: Reading) -> bool:
    """Has a word changed its place whose place says what it is?"""
    return _differs(a, b, everything=False)


def scrambles(a: Reading, b: Reading) -> bool:
    """The same of any word, for those who want to be sure."""
    return _differs(a, b, everything=True)


def _differs(a: Reading, b: Reading, *, everything: bool) -> bool:
    if a.lemmas & b.lemmas & SYMMETRIC:
        return False
    left = rest(a, b)
    if len(left.here) > MOST_APART or len(left.there) > MOST_APART:
        return False
    mine, yours = _phrases(a), _phrases(b)
    here, there = _passive(mine), _passive(yours)
    if here is not None and there is None:
        mine = here
    elif there is not None and here is None:
        yours = there
    free: Set[str] = a.lemmas & b.lemmas if everything else _free(mine) & _free(yours)
    first, second = _in_order(mine, free), _in_order(yours, free)
    if not _is_other(first, second):
        return False
    # "The lid is lifted", "I lift the lid": the deed stands after what it is done to, or before.
    return _is_other(_in_order(_undergone(mine), free), second) and _is_other(
        first, _in_order(_undergone(yours), free)
    )


def _is_other(here: list[str], there: list[str]) -> bool:
    if len(here) > LONGEST or here == there or Counter(here) != Counter(there):
        return False
    return not all(_is_a_move(x, y) for x, y in _stretches(here, there))


def _in_order(words: Sequence[Word], free: Set[str]) -> list[str]:
    return [word.lemma for word in words if word.is_content and word.lemma in free]


def _free(words: Sequence[Word]) -> set[str]:
    """Content words whose place says what they are: of no preposition, or of one of several."""
    held: dict[str, list[set[str]]] = {"": [set()]}
    marker = ""
    for word in words:
        if word.is_content:
            held[marker][-1].add(word.lemma)
        elif word.said in STRONG or word.said in WEAK:
            marker = word.said
            held.setdefault(marker, []).append(set())
        elif word.said not in TRANSPARENT and word.said not in JOINING:
            marker = ""
    return {
        lemma
        for marker, phrases in held.items()
        if not marker or len(phrases) > 1
        for phrase in phrases
        for lemma in phrase
    }


def _phrases(reading: Reading) -> list[Word]:
    """The words, with what "and" joins in alphabetical order."""
    words = list(reading.words)
    if reading.has("respectively"):
        return words
    for index, word in enumerate(reading.words):
        if word.said not in JOINING:
            continue
        start = index
        while start > 0 and words[start - 1].is_content:
            start -= 1
        first = index + 1
        while first < len(words) and words[first].said in DETERMINERS:
            first += 1
        end = first
        while end < len(words) and words[end].is_content and not words[end].starts:
            end += 1
        # Of runs of other lengths who knows what is joined to what.
        length = min(index - start, end - first)
        mine, yours = words[index - length : index], words[first : first + length]
        if length and [w.lemma for w in yours] < [w.lemma for w in mine]:
            words[index - length : index], words[first : first + length] = yours, mine
    return words


def _passive(words: Sequence[Word]) -> list[Word] | None:
    """The words of "Y was done by X" as "X did Y"; None where nothing is done so."""
    for index, word in enumerate(words):
        if word.said != "by" or index < 2 or not words[index - 1].is_content:
            continue
        first = index + 1
        while first < len(words) and not words[first].is_content:
            if words[first].said not in DETERMINERS:
                break
            first += 1
        end = first
        while end < len(words) and (
            words[end].is_content or words[end].said in DETERMINERS | JOINING
        ):
            end += 1
        if end > first and words[end - 1].said in JOINING:
            end -= 1  # "and completed": a deed more, not a doer
        verb = index - 1
        being = next((i for i in range(verb - 1, -1, -1) if words[i].said in BEING), None)
        if being is None or end == first:
            continue
        start = being
        while start > 0 and not words[start].starts:
            start -= 1
        subject = [w for i, w in enumerate(words[start:verb], start) if i != being]
        doer, deed = words[first:end], [words[verb]]
        return [*words[:start], *doer, *deed, *subject, *words[end:]]
    return None


def _undergone(words: Sequence[Word]) -> list[Word]:
    """The words with each deed that nobody is said to do before what it is done to."""
    found = list(words)
    for index, word in enumerate(words):
        if not (word.is_content and is_past(word.said)) or word.starts or index < 2:
            continue
        being = next((i for i in (index - 1, index - 2) if words[i].said in BEING), 0)
        if not being or (words[index + 1 : index + 2] and words[index + 1].said == "by"):
            continue
        # "Can the lid still be lifted", "the lid has been lifted", "the lid is lifted"
        last = being - 1
        while last > 0 and not words[last].is_content and not words[last].starts:
            last -= 1
        start = last
        while start > 0 and words[start - 1].is_content and not words[start].starts:
            start -= 1
        if words[last].is_content:
            del found[index]
            found.insert(start, word)
    return found


def _stretches(
    here: Sequence[str], there: Sequence[str]
) -> Iterator[tuple[Sequence[str], Sequence[str]]]:
    """The shortest stretches that hold the same words on both sides, one after another."""
    start, open_words = 0, Counter[str]()
    for index, (mine, yours) in enumerate(zip(here, there, strict=True)):
        open_words[mine] += 1
        open_words[yours] -= 1
        if not any(open_words.values()):
            yield here[start : index + 1], there[start : index + 1]
            start = index + 1


def _is_a_move(here: Sequence[str], there: Sequence[str]) -> bool:
    """Is one the other with its beginning put at its end?"""
    return here == there or any(
        [*here[cut:], *here[:cut]] == list(there) for cut in range(1, len(here))
    )
