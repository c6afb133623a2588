from __future__ import annotations

from khazad_mitm.cache.guards.quotes import differs


def test_a_function_may_be_named_with_brackets_or_without():
    assert not differs("What is zip_longest() for?", "What is zip_longest for?")
    assert differs("What is zip_longest() for?", "What is zip() for?")


def test_a_slash_in_short_words_is_no_code():
    assert not differs("tea w/o milk", "tea without milk")
    assert differs("what is in ~/tea/o?", "what is in tea?")
