from __future__ import annotations

import pytest

from khazad_mitm.cli.prices import PRICES, cost, price_of


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("gpt-4o", "gpt-4o"),
        ("gpt-4o-2024-08-06", "gpt-4o"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("gpt-4-0613", "gpt-4"),
        ("openai/gpt-4.1-mini", "gpt-4.1-mini"),
        ("claude-3-5-haiku-latest", "claude-3-5-haiku"),
        ("claude-sonnet-4@20250514", "claude-sonnet-4"),
        ("us.anthropic.claude-3-haiku-20240307-v1:0", "claude-3-haiku"),
        ("models/gemini-2.5-flash", "gemini-2.5-flash"),
        ("Claude-Opus-4-1", "claude-opus-4-1"),
    ],
)
def test_a_release_and_a_vendor_do_not_change_the_model(model: str, name: str) -> None:
    assert PRICES[name] == price_of(model)


@pytest.mark.parametrize(
    "model",
    [
        "",
        "gpt",
        "gpt-4o-audio-preview",
        "gpt-4.5-preview",
        "my-gpt-4o",
        "o3-deep-research",
        "gpt-6",
    ],
)
def test_of_a_model_that_is_not_listed_nothing_is_said(model: str) -> None:
    assert price_of(model) is None


def test_what_is_written_has_another_price_than_what_is_read() -> None:
    assert (2.5 + 10, True) == cost({"gpt-4o": (1_000_000, 1_000_000)})


def test_a_sum_without_all_prices_says_so() -> None:
    assert (2.5, False) == cost({"gpt-4o": (1_000_000, 0), "unheard-of": (5, 5)})
    assert (0, True) == cost({"unheard-of": (0, 0)})
