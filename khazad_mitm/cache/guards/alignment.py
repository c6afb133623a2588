"""What is left of two questions when what they share is taken away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from khazad_mitm.cache.guards import spelling
from khazad_mitm.cache.guards.lexicon.tables import are_near
from khazad_mitm.cache.guards.reading import Reading, Word
from khazad_mitm.cache.guards.spelling import is_slip

# What may follow a stem without making another thing of it: install, installation.
ENDINGS = frozenset(
    ("", "ion", "ation", "ition", "tion", "ment", "al", "ical", "ic", "er", "or", "ance", "enc",
     "anc", "iv", "ativ", "abl", "ness", "ful", "iti", "ou", "at", "iz", "is", "ier", "i", "n",
     "s", "t", "ement", "ship", "hood", "ing", "ism", "ist", "en", "ur", "it", "e", "ent", "ant",
     "enci", "anci", "ibl", "abiliti", "ibiliti", "ifi", "ific", "ifil", "ari", "ori", "ial", "ual",
     "ag", "sion", "ssion", "d", "ization", "ification", "ator", "ivit", "iviti")
)  # fmt: skip
NO_FORMS = frozenset(
    frozenset(spelling.stem(word) for word in pair.split("/"))
    for pair in (
        "import/important universe/university general/generate organ/organic organ/organize"
        " organism/organize commune/communicate physics/physician depart/department"
        " object/objective import/importance custom/customer print/printer universal/university"
        " product/productivity active/actor relate/relative appear/apparent signal/sign"
        " commit/committee commune/community market/marketing"
    ).split()
)
LEAST_SHARED = 5
"""Letters two words must share at their beginning to be forms of one."""


NUMBERED = {"first": ("1", "one"), "single": ("1", "one"), "second": ("2",), "double": ("2",)}


@dataclass(frozen=True, slots=True)
class Rest:
    """Content words, in order, that the other question has not."""

    here: tuple[Word, ...]
    there: tuple[Word, ...]

    @property
    def telling(self) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
        """Those that say what is asked about; not those of wide meaning."""
        return _telling(self.here), _telling(self.there)


def _telling(words: tuple[Word, ...]) -> tuple[Word, ...]:
    return tuple(word for word in words if word.is_name or not word.is_generic)


@lru_cache(maxsize=64)
def rest(a: Reading, b: Reading) -> Rest:
    # Figures have a guard of their own.
    here = [word for word in a.content if word.lemma not in b.lemmas and not _is_figure(word, b)]
    there = [word for word in b.content if word.lemma not in a.lemmas and not _is_figure(word, a)]
    here, there = (
        [word for word in here if not any(_is_variant(word, other) for other in there)],
        [word for word in there if not any(_is_variant(word, other) for other in here)],
    )
    if here and there:
        here, there = _without_near(here, there)
    if here:
        here = _without_joined(here, a, b)
        here = _without_initials(here, a, b)
    if there:
        there = _without_joined(there, b, a)
        there = _without_initials(there, b, a)
    return Rest(tuple(here), tuple(there))


def _is_figure(word: Word, other: Reading) -> bool:
    """ "The second step" is "step two"."""
    if word.said in NUMBERED:
        return not other.lemmas.isdisjoint(NUMBERED[word.said])
    return any(letter.isdigit() for letter in word.said)


def _is_variant(one: Word, other: Word) -> bool:
    if is_slip(one.said, other.said):
        return True
    x, y = one.lemma, other.lemma
    if x[:LEAST_SHARED] != y[:LEAST_SHARED] or one.is_name or other.is_name:
        return False
    shared = next((i for i, (p, q) in enumerate(zip(x, y, strict=False)) if p != q), None)
    shared = min(len(x), len(y)) if shared is None else shared
    x, y, last = x[shared:], y[shared:], x[shared - 1]
    # Cancel, cancellation: the last letter is doubled before an ending.
    x, y = (end[1:] if end[:1] == last and len(end) > 2 else end for end in (x, y))
    return x in ENDINGS and y in ENDINGS and frozenset((one.lemma, other.lemma)) not in NO_FORMS


def _without_near(here: list[Word], there: list[Word]) -> tuple[list[Word], list[Word]]:
    """Each word is near to one word only."""
    left, others = [], there[:]
    for word in here:
        for index, other in enumerate(others):
            if are_near(word.lemma, other.lemma) and not (word.is_name or other.is_name):
                del others[index]
                break
        else:
            left.append(word)
    return left, others


def _without_joined(left: list[Word], own: Reading, other: Reading) -> list[Word]:
    """`note book` and `notebook`."""
    joined = {x + y for x, y in zip(other.said, other.said[1:], strict=False)}
    left = [word for word in left if word.said not in joined]
    parts: set[str] = set()
    for x, y in zip(own.said, own.said[1:], strict=False):
        if x + y in other.said:
            parts.update((x, y))
    return [word for word in left if word.said not in parts]


def _without_initials(left: list[Word], own: Reading, other: Reading) -> list[Word]:
    """`vat` and `value added tax`."""
    whole = "".join(word.said[0] for word in other.words)
    left = [w for w in left if not (3 <= len(w.said) <= 6 and w.is_name and w.said in whole)]
    for word in other.content:
        if word.is_name and 3 <= len(word.said) <= 6:
            initials = "".join(w.said[0] for w in own.words)
            at = initials.find(word.said)
            if at >= 0:
                gone = {w.said for w in own.words[at : at + len(word.said)]}
                left = [w for w in left if w.said not in gone]
    return left
