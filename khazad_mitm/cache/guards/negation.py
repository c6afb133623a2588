"""One says it, the other says it not."""

from __future__ import annotations

import itertools

from khazad_mitm.cache.guards.alignment import rest
from khazad_mitm.cache.guards.lexicon.function_words import AUXILIARIES, PRONOUNS
from khazad_mitm.cache.guards.reading import Reading

NEGATIONS = frozenset(
    "not no never none without nobody nothing nowhere neither nor unless lack lacking hardly"
    " barely ~instead"
    " rarely seldom"
    # The plainest of some neighbours, where they are not English words too.
    " nicht nichts nie niemals kein keine keinen keinem keiner keines ohne"
    " pas jamais sans aucun aucune nunca jamás ningún ninguno ninguna non senza nessun nessuno"
    " nessuna não nunca nenhum nenhuma niet geen nooit zonder не без нет никогда".split()
)
PREVENTING = frozenset("stop prevent keep hinder stopping preventing keeping".split())
SUBJECTS = PRONOUNS | {"the", "a", "an"}


def differs(a: Reading, b: Reading) -> bool:
    here, there = _denied(a, b), _denied(b, a)
    if len(here) % 2 == len(there) % 2:
        return False
    if (here and _prevents(b)) or (there and _prevents(a)):
        return False
    denied, other = (here, b) if len(here) % 2 else (there, a)
    left = rest(a, b)
    # "without changing the order", "keeps the order": denied is what the other does not say, and
    # it says something else instead. The other words decide then.
    says_else = left.there if other is b else left.here
    denying = a if other is b else b
    if denying.has("~instead") and _is_left(other, denied):
        return False
    return not says_else or not other.lemmas.isdisjoint(denied)


def _is_left(reading: Reading, lemmas: list[str]) -> bool:
    """ "From pegs to nails" is "nails instead of pegs"."""
    return any(
        word.said == "from" and after.lemma in lemmas
        for word, after in itertools.pairwise(reading.words)
    )


def _prevents(reading: Reading) -> bool:
    """ "Keep it from rusting" is "so that it does not rust"."""
    said = reading.said
    return any(
        word in PREVENTING and "from" in said[index + 2 : index + 6]
        for index, word in enumerate(said)
    )


def _denied(reading: Reading, other: Reading) -> list[str]:
    """The first content word after each negation, or before it where none follows."""
    found = []
    words = reading.words
    for index, word in enumerate(words):
        if word.said not in NEGATIONS or _denies_nothing(reading, index):
            continue
        after = next((w.lemma for w in words[index + 1 :] if w.is_content), "")
        before = next((w.lemma for w in words[:index][::-1] if w.is_content), "")
        denied = after or before
        # "I could not find it. Where is it?": told on the way, of something else or of what the
        # other asks for.
        if word.sentence not in reading.told or denied in _told(other):
            found.append(denied)
    return found


def _told(reading: Reading) -> set[str]:
    """The words of sentences that tell; all where none asks, or something is denied."""
    asks = "?" in reading.text
    denies = reading.has(*NEGATIONS)
    return {w.lemma for w in reading.words if denies or not asks or w.sentence in reading.told}


def _denies_nothing(reading: Reading, index: int) -> bool:
    """ "Not only", and "isn't it", "can't I", which ask as "is it" and "can I" do."""
    said = reading.said
    if "only" in said[index + 1 : index + 2]:
        return True
    return (
        said[index] == "not"
        and index > 0
        and reading.words[index - 1].starts
        and said[index - 1] in AUXILIARIES
        and index + 1 < len(said)
        and said[index + 1] in SUBJECTS
    )
