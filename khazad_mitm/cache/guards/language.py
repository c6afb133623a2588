"""The language a question is asked in: its answer comes in that language."""

from __future__ import annotations

import re
from functools import lru_cache

from khazad_mitm.cache.guards.reading import Reading

# Little words that no other of these languages has, in the spelling of `reading`.
LITTLE = {
    "en": "the is are what how do does of and to my with which",
    "de": "der das ist und wie ich nicht ein eine mit für auf welche kann mein",
    "fr": "le les est et quel quelle comment je ne pas une dans pour avec sont mon",
    "es": "el los es y qué cómo cuál puedo una del por para está mi cuánto dónde",
    "it": "il gli è che come posso di una per con sono quale della",
    "pt": "o os é e qual como eu não uma do da para com meu posso",
    "nl": "het een is en hoe ik niet wat van mijn met welke",
}
KNOWN = {language: frozenset(words.split()) for language, words in LITTLE.items()}
SCRIPTS = {
    "latin": re.compile(r"[A-Za-zÀ-ɏ]"),
    "cyrillic": re.compile(r"[Ѐ-ӿ]"),
    "greek": re.compile(r"[Ͱ-Ͽ]"),
    "arabic": re.compile(r"[؀-ۿ]"),
    "hebrew": re.compile(r"[֐-׿]"),
    "indic": re.compile(r"[ऀ-෿]"),
    "thai": re.compile(r"[฀-๿]"),
    "east": re.compile(r"[぀-ヿ㐀-鿿가-힯]"),
}
LATIN = frozenset(("latin",))
NONE: frozenset[str] = frozenset()


def differs(a: Reading, b: Reading) -> bool:
    here_in, there_in = _scripts(a.text), _scripts(b.text)
    if here_in and there_in and here_in != there_in:
        return True
    here, there = _language(a), _language(b)
    return bool(here and there and here != there)


@lru_cache(maxsize=64)
def _scripts(text: str) -> frozenset[str]:
    if text.isascii():
        return LATIN if SCRIPTS["latin"].search(text) else NONE
    return frozenset(name for name, letters in SCRIPTS.items() if letters.search(text))


@lru_cache(maxsize=64)
def _language(reading: Reading) -> str:
    counts = {language: len(words & reading.vocabulary) for language, words in KNOWN.items()}
    best = max(counts.values())
    leaders = [language for language, count in counts.items() if count == best]
    return leaders[0] if best >= 2 and len(leaders) == 1 else ""
