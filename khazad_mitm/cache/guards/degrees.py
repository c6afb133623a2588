"""Fast, faster, fastest: the degrees of an adjective, and the plain word behind them."""

from __future__ import annotations

NOT_SUPERLATIVES = frozenset(
    "test rest interest request guest west east nest best chest forest harvest honest invest"
    " latest"
    " protest suggest contest digest arrest quest pest vest manifest modest".split()
)
SUPERLATIVES = {
    "worst": "bad", "best": "good", "top": "good", "least": "few", "latest": "new",
    "furthest": "far", "farthest": "far", "eldest": "old",
}  # fmt: skip


def is_superlative(word: str) -> bool:
    return word in SUPERLATIVES or (
        word.endswith("est") and len(word) > 5 and word not in NOT_SUPERLATIVES
    )


def positive(word: str) -> str:
    """`big` of `biggest`; any other word as it is. Of the irregular ones too, but `top`."""
    if word == "top" or not is_superlative(word):
        return word
    if word in SUPERLATIVES:
        return SUPERLATIVES[word]
    base = word[:-3]
    if base.endswith("i"):
        return base[:-1] + "y"
    if base[-1] == "s" and base[-2] != "s":
        return base + "e"
    return base[:-1] if base[-1] == base[-2] and base[-1] not in "ls" else base
