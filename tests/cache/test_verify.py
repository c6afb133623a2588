from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.verify import (
    GUARDS,
    LENIENCY,
    Verdict,
    closeness,
    verdicts,
    veto,
)
from tests.cache.guards.questions import DIFFERENT, DOUBTFUL, SAME
from tests.strategies import wordy

# Closer than any two different texts are.
CLOSEST = 0.999


@pytest.mark.parametrize(("stored", "asked"), SAME)
def test_other_words_for_the_same_are_no_veto(stored: str, asked: str) -> None:
    assert "" == veto(stored, asked, near=CLOSEST)
    assert "" == veto(asked, stored, near=CLOSEST)


@pytest.mark.parametrize(("guard", "stored", "asked"), DIFFERENT)
def test_a_difference_is_a_veto_however_similar_the_vectors(
    guard: str, stored: str, asked: str
) -> None:
    assert veto(stored, asked, near=CLOSEST)
    assert guard in [verdict.guard for verdict in verdicts(stored, asked) if verdict.differs]


@pytest.mark.parametrize(("guard", "stored", "asked"), DOUBTFUL)
def test_a_doubt_is_outweighed_by_similarity(guard: str, stored: str, asked: str) -> None:
    assert guard == veto(stored, asked, near=LENIENCY["balanced"].outweighed[guard] - 0.01)
    assert "" == veto(stored, asked, near=CLOSEST)


def test_strict_never_forgives_other_telling_words():
    _, stored, asked = DOUBTFUL[0]

    assert "words" == veto(stored, asked, profile="strict", near=CLOSEST)


def test_faq_does_not_ask_every_guard():
    stored, asked = "Is the clinic open?", "Is the Riverside clinic open?"

    assert "names" == veto(stored, asked, near=CLOSEST)
    assert "" == veto(stored, asked, profile="faq", near=CLOSEST)


def test_beside_a_long_passage_every_word_counts():
    passage = "Context: the fee is waived for members who joined early in the year.\n"
    stored = passage + "Question: who joined?"
    asked = passage + "Question: who joined the fee?"

    assert "passage" == veto(stored, asked, near=CLOSEST)
    assert "" == veto(stored, passage + "Question: please, who joined?", near=CLOSEST)


def test_a_guard_that_is_switched_off_does_not_count():
    one, other = "Where is order 4711?", "Where is order 4712?"

    assert "" == veto(one, other, off=frozenset({"figures"}), near=CLOSEST)
    assert Verdict("figures", GUARDS[0].reason, is_on=False, differs=True) == next(
        iter(verdicts(one, other, off=frozenset({"figures"})))
    )


def test_every_guard_is_heard():
    said = verdicts("Turn on lamp 1", "Turn off lamp 2")

    assert [guard.name for guard in GUARDS] == [verdict.guard for verdict in said]
    assert {"figures", "opposites"} <= {verdict.guard for verdict in said if verdict.differs}


def test_an_outweighed_difference_says_so():
    said = {v.guard: v for v in verdicts("Bake bread?", "Bake rye bread?", near=0.7)}

    assert (True, True) == (said["added"].differs, said["added"].is_outweighed)
    assert not said["figures"].is_outweighed


def test_closeness_is_the_way_gone_from_the_threshold_to_the_same_text():
    assert 0.0 == closeness(0.5, 0.5)
    assert 0.5 == closeness(0.75, 0.5)
    assert 1.0 == closeness(1.0, 0.5)
    assert 1.0 == closeness(1.0, 1.0)


def test_every_name_in_a_leniency_is_a_guard():
    names = {guard.name for guard in GUARDS}

    assert len(names) == len(GUARDS)
    for leniency in LENIENCY.values():
        assert names >= leniency.off | leniency.outweighed.keys()


@given(st.text() | wordy())
def test_a_text_is_never_refused_for_itself(text: str) -> None:
    assert "" == veto(text, text)


@given(wordy())
def test_no_guard_tells_a_text_from_itself(text: str) -> None:
    for guard in GUARDS:
        if guard.name != "reworded":  # which wants words to go by
            assert not guard.differs(text, text), guard.name


@given(st.text() | wordy(), st.text() | wordy())
def test_every_guard_is_symmetric_and_never_raises(one: str, other: str) -> None:
    for guard in GUARDS:
        assert guard.differs(one, other) == guard.differs(other, one), guard.name
