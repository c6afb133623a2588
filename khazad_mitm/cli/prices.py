"""What tokens cost, for the account at the end of `run`.

Dollars per million tokens, read and written, at the list prices of the models' makers, without
discounts for batches or cached prompts. Of a model that is not listed nothing is said: a wrong sum
is worse than none. To extend the table add a row, and set `AS_OF` once all rows were looked at.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

AS_OF = "November 2026"

# Name without date or version: (read, written). Compared with the table of litellm 1.110.2, which
# collects the makers' lists; what these no longer list is as it last stood there.
PRICES: dict[str, tuple[float, float]] = {
    "gpt-3.5-turbo": (0.5, 1.5),
    "gpt-4": (30, 60),
    "gpt-4-turbo": (10, 30),
    "gpt-4o": (2.5, 10),
    "gpt-4o-mini": (0.15, 0.6),
    "gpt-4.1": (2, 8),
    "gpt-4.1-mini": (0.4, 1.6),
    "gpt-4.1-nano": (0.1, 0.4),
    "gpt-5": (1.25, 10),
    "gpt-5-mini": (0.25, 2),
    "gpt-5-nano": (0.05, 0.4),
    "gpt-5-pro": (15, 120),
    "gpt-5.1": (1.25, 10),
    "gpt-5.2": (1.75, 14),
    "gpt-5.4": (2.5, 15),
    "gpt-5.4-mini": (0.75, 4.5),
    "gpt-5.4-nano": (0.2, 1.25),
    "gpt-5.5": (5, 30),
    "gpt-5.6": (4, 20),
    "gpt-5.6-sol": (4, 20),
    "gpt-5.6-terra": (2, 12),
    "gpt-5.6-luna": (0.2, 1.2),
    "gpt-6-astra": (10, 50),
    "gpt-6-sol": (2, 10),
    "gpt-6-luna": (0.1, 0.5),
    "gpt-6.1-sol": (2, 10),
    "gpt-6.1-terra": (1, 5),
    "o1": (15, 60),
    "o3": (2, 8),
    "o3-mini": (1.1, 4.4),
    "o4-mini": (1.1, 4.4),
    "text-embedding-3-small": (0.02, 0),
    "text-embedding-3-large": (0.13, 0),
    "text-embedding-ada-002": (0.1, 0),
    "claude-3-haiku": (0.25, 1.25),
    "claude-3-opus": (15, 75),
    "claude-3-5-haiku": (0.8, 4),
    "claude-3-5-sonnet": (3, 15),
    "claude-3-7-sonnet": (3, 15),
    "claude-haiku-4-5": (1, 5),
    "claude-sonnet-4": (3, 15),
    "claude-sonnet-4-5": (3, 15),
    "claude-opus-4": (15, 75),
    "claude-opus-4-1": (15, 75),
    "claude-haiku-5-5": (0.1, 0.5),
    "claude-sonnet-4-6": (3, 15),
    "claude-sonnet-5": (2, 10),
    "claude-sonnet-5-5": (2, 10),
    "claude-opus-4-5": (5, 25),
    "claude-opus-4-6": (5, 25),
    "claude-opus-4-7": (5, 25),
    "claude-opus-4-8": (5, 25),
    "claude-opus-5": (5, 25),
    "claude-opus-5-5": (4, 20),
    "gemini-2.0-flash": (0.1, 0.4),
    "gemini-2.0-flash-lite": (0.075, 0.3),
    "gemini-2.5-flash": (0.3, 2.5),
    "gemini-2.5-flash-lite": (0.1, 0.4),
    "gemini-2.5-pro": (1.25, 10),
    "gemini-3.1-flash-lite": (0.25, 1.5),
    "gemini-3.5-flash": (1.5, 9),
    "gemini-3.5-flash-lite": (0.3, 2.5),
    "gemini-3.6-flash": (0.75, 3.75),
    "gemini-3.7-flash": (0.75, 3.75),
    "gemini-3.8-flash": (0.75, 3.75),
    "mistral-large": (0.5, 1.5),
    "mistral-medium": (1.5, 7.5),
    "mistral-small": (0.15, 0.6),
    "deepseek-chat": (0.28, 0.42),
    "deepseek-reasoner": (0.28, 0.42),
    "deepseek-v4-flash": (0.3, 1.2),
    "deepseek-v4-pro": (1.32, 3.96),
    "grok-4.3": (1.25, 2.5),
    "grok-4.5": (2, 6),
    "grok-4.6": (2, 6),
    "grok-4.7": (2, 6),
    "command-r-plus": (2.5, 10),
    "command-r": (0.15, 0.6),
    "command-a": (2.5, 10),
}

# The same model under another name: a release by date or number, a vendor in front of it.
_DATE = r"\d{4}-\d\d-\d\d|\d\d-\d{4}|\d\d-\d\d|\d{8}|\d{4}|\d{3}"
_RELEASE = rf"(?:[-@](?:latest|{_DATE}))?(?:-v\d+(?::\d+)?)?"
_VENDOR = r"(?:.*/)?(?:(?:[a-z]+\.)?(?:anthropic|cohere)\.)?"
_NAMES = {
    re.compile(f"{_VENDOR}{re.escape(name)}{_RELEASE}"): price for name, price in PRICES.items()
}


def price_of(model: str) -> tuple[float, float] | None:
    """Dollars per million tokens (read, written); None where we do not know the model."""
    return next((price for name, price in _NAMES.items() if name.fullmatch(model.lower())), None)


def cost(tokens: Mapping[str, tuple[int, int]]) -> tuple[float, bool]:
    """Dollars for the tokens (read, written) of each model, and whether every price was known."""
    dollars, is_all = 0.0, True
    for model, (read, written) in tokens.items():
        price = price_of(model)
        if price is None:
            is_all = is_all and not (read or written)
        else:
            dollars += (read * price[0] + written * price[1]) / 1e6
    return dollars, is_all
