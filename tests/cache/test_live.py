from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor

from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.flights import Flights, Turn
from khazad_mitm.cache.live import Live
from khazad_mitm.messages import Headers


def live() -> Live:
    return Live(200, Headers())


def read(some: Live) -> list[bytes]:
    seen: list[bytes] = []
    while True:
        some.wait(len(seen))
        chunks = some.after(len(seen))
        if not chunks:
            return seen
        seen += chunks


async def read_async(some: Live) -> list[bytes]:
    seen: list[bytes] = []
    while True:
        await some.wait_async(len(seen))
        chunks = some.after(len(seen))
        if not chunks:
            return seen
        seen += chunks


@given(st.lists(st.binary(min_size=1), max_size=20), st.integers(0, 20))
def test_all_read_all_of_it_whenever_they_come(chunks: list[bytes], early: int) -> None:
    some = live()
    with ThreadPoolExecutor(3) as pool:
        for chunk in chunks[:early]:
            some.feed(chunk)
        readers = [pool.submit(read, some), pool.submit(asyncio.run, read_async(some))]
        for chunk in chunks[early:]:
            some.feed(chunk)
        some.end(is_whole=True)
        readers.append(pool.submit(read, some))

        assert [chunks] * 3 == [reader.result(10) for reader in readers]


def test_the_first_word_on_its_end_counts() -> None:
    some = live()
    some.end(is_whole=False)
    some.end(is_whole=True)

    assert (True, False) == (some.is_over, some.is_whole)


def test_it_is_told_once_that_somebody_follows() -> None:
    told: list[str] = []
    some = live()
    some.tell_when_followed(lambda: told.append("followed"))

    assert [] == told
    assert [True, True] == [some.follow(), some.follow()]
    assert ["followed"] == told


def test_it_is_told_too_of_one_who_was_there_before_it_could_be_told() -> None:
    """Between the head of an answer and its body there is time for others to come."""
    told: list[str] = []
    some = live()

    assert [True, True] == [some.follow(), some.follow()]
    some.tell_when_followed(lambda: told.append("followed"))
    assert some.follow()

    assert ["followed"] == told


def test_nobody_is_told_of_those_who_follow_what_is_over() -> None:
    told: list[str] = []
    some, other = live(), live()
    some.follow()
    for one in (some, other):
        one.end(is_whole=True)
        one.tell_when_followed(lambda: told.append("followed"))

    assert other.follow()
    assert [] == told


def test_whoever_leaves_ends_it_for_nobody_who_follows() -> None:
    some = live()
    some.follow()

    assert not some.leave()


def test_nobody_follows_what_is_left_or_cut() -> None:
    left, cut, whole = live(), live(), live()
    assert left.leave()
    cut.end(is_whole=False)
    whole.end(is_whole=True)

    assert [False, False, True] == [some.follow() for some in (left, cut, whole)]


def test_those_who_wait_for_the_same_stream_are_told_when_it_begins_and_others_later() -> None:
    some, stream = Flights(), live()
    some.join("a", "sse")
    same, plain, other = some.join("a", "sse"), some.join("a"), some.join("a", "ndjson")
    some.go_live("a", stream)
    late = some.join("a", "sse")

    assert [stream, stream] == [same.result(0), late.result(0)]
    assert Turn.ALONE is other.result(0)
    assert not plain.done()


def test_nobody_joins_a_stream_that_was_cut() -> None:
    some, stream = Flights(), live()
    some.join("a", "sse")
    some.go_live("a", stream)
    stream.end(is_whole=False)
    late = some.join("a", "sse")
    assert not late.done()
    some.hand_over("a")

    assert Turn.LEAD is late.result(0)


def test_a_leader_without_a_stream_hands_over_to_one_who_wants_one() -> None:
    some = Flights()
    some.join("a", "sse")
    plain, stream = some.join("a"), some.join("a", "sse")
    assert some.hand_over("a")

    assert Turn.LEAD is stream.result(0)
    assert not plain.done()


def test_who_wants_a_stream_does_not_wait_for_a_plain_answer() -> None:
    some = Flights()
    some.join("a")

    assert Turn.ALONE is some.join("a", "sse").result(0)


def test_a_stream_that_has_begun_is_never_given_up() -> None:
    now, stream = [0.0], live()
    some = Flights(lambda: now[0])
    some.join("a", "sse")
    some.go_live("a", stream)
    now[0] = 1_000.0

    assert stream is some.join("a", "sse").result(0)


def test_a_stream_that_was_left_and_never_ended_is_given_up() -> None:
    now, stream = [0.0], live()
    some = Flights(lambda: now[0])
    some.join("a", "sse")
    some.go_live("a", stream)
    assert stream.leave()
    now[0] = 1_000.0

    assert Turn.LEAD is some.join("a").result(0)
    assert not some.join("a").done()


def test_who_waits_for_the_whole_of_a_stream_keeps_it_going() -> None:
    some, stream = Flights(), live()
    some.join("a", "sse")
    some.join("a")
    some.go_live("a", stream)

    assert not stream.leave()
