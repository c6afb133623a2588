from __future__ import annotations

import pytest

from khazad_mitm.cache.pace import ENVELOPE_BYTES, MAX_MARKS, thinned, waits

FRAMES = (b"a" * 10, b"b" * 10, b"c" * 18)


def test_off_waits_for_nothing():
    assert () == waits("off", FRAMES, [(38, 100)])
    assert () == waits(10.0, (), ())


def test_a_recorded_frame_comes_when_its_last_byte_came():
    marks = [(10, 500), (20, 600), (38, 1600)]

    assert (0.5, 0.1, 1.0) == pytest.approx(waits("recorded", FRAMES, marks))


def test_between_two_marks_bytes_came_evenly():
    assert (0.25, 0.1, 0.18) == pytest.approx(
        waits("recorded", FRAMES, [(5, 200), (38, 200 + 330)])
    )


def test_an_entry_of_which_nobody_took_the_times_comes_at_once():
    assert () == waits("recorded", FRAMES, ())


def test_what_is_longer_than_was_recorded_comes_with_the_last():
    assert (0.1, 0.0, 0.0) == pytest.approx(waits("recorded", FRAMES, [(10, 100)]))


def test_a_frame_is_a_token_and_one_of_a_whole_answer_many():
    assert (0.1, 0.1, 0.1) == pytest.approx(waits(10.0, FRAMES, ()))
    assert (10.1,) == pytest.approx(waits(10.0, [b"x" * (ENVELOPE_BYTES + 400)], ()))


def test_marks_are_few_and_end_with_the_last():
    marks = [(10 * n, n) for n in range(1, 1001)]

    few = thinned(marks, 10_000, 20_000)

    assert len(few) <= MAX_MARKS + 1
    assert ((20, 1), (20_000, 1000)) == (few[0], few[-1])
    assert sorted(few) == list(few)


@pytest.mark.parametrize("count", [1, 2, MAX_MARKS, MAX_MARKS + 1])
def test_few_marks_stay(count: int):
    marks = [(n, n) for n in range(1, count + 1)]

    assert (count, count) == thinned(marks, count, count)[-1]


def test_nothing_that_came_has_no_marks():
    assert () == thinned([], 0, 0)
