from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.guards.spelling import in_digits, is_slip, spelled_out, stem


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("can't", "can not"),
        ("won't", "will not"),
        ("doesn't", "does not"),
        ("what's", "what is"),
        ("they've", "they have"),
        ("anna's", "anna"),
        ("students'", "students"),
        ("rock'n'roll", "rocknroll"),
    ],
)
def test_contractions_are_undone_and_possessives_dropped(written: str, words: str) -> None:
    assert words.split() == spelled_out(written)


@pytest.mark.parametrize(
    ("words", "digits"),
    [
        ("twenty five people", "25 people"),
        ("two hundred and thirty", "230"),
        ("three hundred five items and four", "305 items and 4"),
        ("a hundred", "100"),
        ("5 million", "5000000"),
        ("ten two", "10 2"),
        ("one of the third", "one of the 3"),
        ("hundreds and hundred", "hundreds and hundred"),
    ],
)
def test_number_words_become_digits(words: str, digits: str) -> None:
    assert digits.split() == [word for word, _ in in_digits(words.split())]


@pytest.mark.parametrize(
    "forms",
    [
        "stop stops stopped stopping",
        "call calls called calling",
        "use uses used using",
        "try tries tried trying",
        "buy buys bought buying",
        "reverse reversed reversing",
        "box boxes",
        "country countries",
        "child children",
        "say says said saying",
        "remote remotely",
    ],
)
def test_the_forms_of_a_word_have_one_stem(forms: str) -> None:
    assert 1 == len({stem(form) for form in forms.split()})


@pytest.mark.parametrize("words", ["string stre", "king k", "red r", "gas go", "thing the"])
def test_words_that_only_look_like_forms_keep_their_own(words: str) -> None:
    assert 2 == len({stem(word) for word in words.split()})


def test_slips_of_the_hand_are_told_from_other_words():
    assert is_slip("before", "bfeore")
    assert is_slip("install", "instal")
    assert not is_slip("trial", "trail")
    assert not is_slip("clonidine", "clozapine")
    assert not is_slip("cost", "cots")


@given(st.text(), st.text())
def test_slips_are_symmetric(one: str, other: str) -> None:
    assert is_slip(one, other) == is_slip(other, one)
