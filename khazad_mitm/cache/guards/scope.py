"""All, only, except, first, last, at least: how much of it."""

from __future__ import annotations

from khazad_mitm.cache.guards.reading import Reading

SCOPES = {
    "all": "all", "every": "all", "each": "all", "entire": "all",
    "only": "only", "except": "except", "besides": "except", "exclude": "except",
    "excluding": "except", "apart": "except",
    "first": "first", "last": "last", "initial": "first", "final": "last",
    "always": "always", "never": "never", "sometimes": "sometimes",
    "least": "least", "both": "both", "either": "either", "neither": "neither",
    "half": "half", "minimum": "least", "maximum": "most", "min": "least", "max": "most",
    "average": "average", "total": "total", "former": "former",
    "another": "another", "additional": "another", "extra": "another", "spare": "another",
    "second": "another",
}  # fmt: skip
# Words that may be left out: "list (all) the members".
WEAK = frozenset("all total least most either both last sometimes average".split())


def differs(a: Reading, b: Reading) -> bool:
    here, there = _scopes(a), _scopes(b)
    return bool((here ^ there) - WEAK) or bool(here - there and there - here)


def _scopes(reading: Reading) -> set[str]:
    return {SCOPES[word] for word in reading.said if word in SCOPES}
