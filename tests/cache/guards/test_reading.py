from __future__ import annotations

import pytest

from khazad_mitm.cache.guards.reading import read


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("It costs $1,000.00", "it costs 1000 dollar"),
        ("5kg, 10% and 3 %", "5 kg 10 percent and 3 percent"),
        ("v3.2 of GPT-4", "3.2 of gpt4"),
        ("March 3rd at 3pm", "march 3 at 3 pm"),
        ("parcel A-1039", "parcel a1039"),
        ("10k rows", "10000 rows"),
        ("the U.S. and the US", "the usa and the usa"),
        ("tea/coffee", "tea or coffee"),
        ("I can't log in", "i can not login"),
        ("Could you tell me how many there are?", "~howmany there are"),
        ("Hi there, thanks in advance", ""),
        ("Right, then turn right", "then turn right"),
        ("Right, please", "right please"),
        ("w/o salt, w/ pepper", "without salt with pepper"),
        ("rye rather than wheat", "rye ~instead wheat"),
        ("the most recent tide", "the latest tide"),
    ],
)
def test_a_text_is_read_in_one_spelling(text: str, said: str) -> None:
    assert tuple(said.split()) == read(text).said


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("When was Marie Curie born?", "marie curie"),
        ("my iPhone and MongoDB", "iphone mongodb"),
        ("how do i sort in python", "python"),
        ("How Do I Learn The Piano", ""),
        ("Is rust bad? Turkey is tasty.", ""),
    ],
)
def test_names_are_known_by_their_capitals_or_by_name(text: str, names: str) -> None:
    assert names.split() == [word.said for word in read(text).words if word.is_name]


def test_what_a_thing_is_called_beside_its_name_says_nothing():
    assert ["gold"] == [w.said for w in read("Is the Gold tier on?").content if not w.is_generic]
    assert ["tier"] == [w.said for w in read("Is the tier on?").content if not w.is_generic]


def test_sentences_that_tell_are_known_where_another_asks():
    assert {0} == read("I lost it. Where is it?").told
    assert frozenset() == read("I lost it. I want it.").told


def test_a_question_word_stands_for_what_it_asks():
    assert read("What is its price?").content[0].lemma in read("How much is it?").lemmas


def test_the_number_of_a_ticket_is_none_that_is_counted():
    ticket, count, prime = map(
        read, ("my ticket number", "the number of tickets", "a prime number")
    )

    assert read("my ticket id").lemmas <= ticket.lemmas
    assert count.lemmas.isdisjoint(read("id").lemmas)
    assert prime.lemmas.isdisjoint(read("id").lemmas)


def test_friendly_is_not_what_a_friend_does():
    assert read("friend").lemmas.isdisjoint(read("friendly").lemmas)


def test_a_verb_before_a_thing_says_which():
    return_label = read("print the return label").words[2]

    assert not return_label.is_generic
    assert read("how do I return it?").words[3].is_generic
