from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache import blocks
from khazad_mitm.cache.flights import Flights, Turn
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.publications import Publications
from khazad_mitm.cache.subscriptions import (
    FIRST_PAUSE_S,
    GONE_S,
    LONGEST_PAUSE_S,
    SILENT_S,
    Subscriptions,
)
from khazad_mitm.cache.worker_commands import MOST_READ, Heard, Place
from khazad_mitm.messages import Headers

from .script import entry
from .shelf import Shelf
from .test_publications import Clock

PLACE = Place("flight", "0" * 32)
HEAD = blocks.of_head(Live(200, Headers()))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def ended() -> list[str]:
    return []


@pytest.fixture
def some(clock: Clock, ended: list[str]) -> Subscriptions:
    return Subscriptions(lambda flight, live: ended.append(flight), clock)


@pytest.fixture
def shelf() -> Shelf:
    shelf = Shelf()
    shelf.blocks[PLACE.stream] = {0: HEAD, 1: b"done "}
    shelf.oldest[PLACE.stream] = 0
    return shelf


def reading(some: Subscriptions, shelf: Shelf) -> Live:
    heard = shelf.read(PLACE)
    assert heard is not None
    live = some.begin(PLACE, heard)
    assert live is not None
    return live


def state(live: Live) -> tuple[bytes, bool, bool]:
    return b"".join(live.after(0)), live.is_over, live.is_whole


def test_what_has_come_is_there_at_once_and_what_comes_follows(
    some: Subscriptions, shelf: Shelf, ended: list[str]
) -> None:
    live = reading(some, shelf)
    assert (b"one ", False, False) == state(live)
    shelf.hear(some)
    shelf.blocks[PLACE.stream] |= {2: b"dtwo", 3: blocks.WHOLE}
    shelf.hear(some)

    assert (b"one two", True, True) == state(live)
    assert [PLACE.flight] == ended
    shelf.hear(some)
    assert [PLACE.flight] == ended


def test_one_that_was_over_at_once_is_over(
    some: Subscriptions, shelf: Shelf, ended: list[str]
) -> None:
    shelf.blocks[PLACE.stream][2] = blocks.WHOLE
    live = reading(some, shelf)
    shelf.hear(some)

    assert (b"one ", True, True) == state(live)
    assert [PLACE.flight] == ended


@pytest.mark.parametrize("last", [blocks.CUT, b"", b"x", HEAD])
def test_any_other_end_is_a_cut(some: Subscriptions, shelf: Shelf, last: bytes) -> None:
    live = reading(some, shelf)
    shelf.blocks[PLACE.stream] |= {2: last, 3: b"dmore"}
    shelf.hear(some)

    assert (b"one ", True, False) == state(live)


@pytest.mark.parametrize(("how", "limit_s"), [("gone", GONE_S), ("away", SILENT_S)])
def test_one_that_is_heard_of_no_more_is_cut(
    how: str, limit_s: float, some: Subscriptions, shelf: Shelf, clock: Clock, ended: list[str]
) -> None:
    live = reading(some, shelf)
    shelf.is_away = how == "away"
    if how == "gone":
        shelf.forget()
    clock.now += limit_s
    shelf.hear(some)
    assert not live.is_over
    clock.now += 0.1
    shelf.hear(some)

    assert (b"one ", True, False) == state(live)
    assert [PLACE.flight] == ended


def test_a_store_that_comes_back_empty_is_given_time_to_be_told_again(
    some: Subscriptions, shelf: Shelf, clock: Clock
) -> None:
    live = reading(some, shelf)
    shelf.is_away = True
    clock.now += 1.0
    shelf.hear(some)
    shelf.is_away = False
    told = shelf.blocks[PLACE.stream]
    shelf.forget()
    clock.now += SILENT_S - 1.0
    shelf.hear(some)
    assert not live.is_over
    shelf.blocks[PLACE.stream], shelf.oldest[PLACE.stream] = {**told, 2: b"dtwo"}, 0
    shelf.hear(some)

    assert (b"one two", False, False) == state(live)


def test_one_that_is_still_coming_is_waited_for(
    some: Subscriptions, shelf: Shelf, clock: Clock
) -> None:
    live = reading(some, shelf)
    for _ in range(100):
        clock.now += GONE_S
        shelf.hear(some)

    assert not live.is_over


def test_what_was_dropped_before_it_was_read_is_a_cut(some: Subscriptions, shelf: Shelf) -> None:
    live = reading(some, shelf)
    shelf.blocks[PLACE.stream] = {9: b"dnine"}
    shelf.oldest[PLACE.stream] = 9
    shelf.hear(some)

    assert (b"one ", True, False) == state(live)


@pytest.mark.parametrize(
    "head", [b"", b"d", b"h", b"h[", b"h[200]", b'h[200,[["a"]]]', b'h["200",[]]', b"h\xff"]
)
def test_without_a_head_there_is_no_stream(some: Subscriptions, head: bytes) -> None:
    assert some.begin(PLACE, Heard((head, b"dword"))) is None
    assert () == some.places()


def test_who_has_much_to_read_reads_it_without_a_pause(some: Subscriptions, shelf: Shelf) -> None:
    words = [b"%d " % number for number in range(3 * MOST_READ)]
    shelf.blocks[PLACE.stream] = dict(enumerate([HEAD, *map(blocks.of_data, [[w] for w in words])]))
    live = reading(some, shelf)
    pauses = []
    for _ in range(5):
        pauses.append(some._pause_s)
        shelf.hear(some)

    assert (b"".join(words), False, False) == state(live)
    assert [0.0, 0.0, 0.0, FIRST_PAUSE_S] == pauses[:4]
    assert FIRST_PAUSE_S < pauses[4] <= LONGEST_PAUSE_S


def test_one_that_was_cut_before_it_was_read_is_not_begun(some: Subscriptions) -> None:
    assert some.begin(PLACE, Heard((HEAD, b"dhalf", blocks.CUT))) is None
    assert () == some.places()


def test_all_are_cut_when_the_process_ends(
    some: Subscriptions, shelf: Shelf, ended: list[str]
) -> None:
    live = reading(some, shelf)
    some.close()

    assert (b"one ", True, False) == state(live)
    assert [PLACE.flight] == ended
    assert not some.wait()
    assert some.begin(PLACE, Heard((HEAD,))) is None


def test_a_thread_waits_until_there_is_one(some: Subscriptions, shelf: Shelf) -> None:
    looked = threading.Event()

    def wait() -> None:
        while some.wait():
            looked.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not looked.is_set()
    reading(some, shelf)
    assert looked.wait(20)
    some.close()
    thread.join(20)
    assert not thread.is_alive()


def test_who_wants_no_stream_leads_or_finds_the_answer_when_it_is_over(shelf: Shelf) -> None:
    flights = Flights()
    turns = [flights.join(PLACE.flight, "sse"), *(flights.join(PLACE.flight) for _ in range(2))]
    live = reading(flights.subscriptions, shelf)
    flights.go_live(PLACE.flight, live)
    shelf.blocks[PLACE.stream][2] = blocks.WHOLE
    shelf.hear(flights.subscriptions)

    assert Turn.LEAD is turns[1].result(0)
    flights.land(PLACE.flight, entry())
    assert entry() == turns[2].result(0)
    # Nobody is left behind: whoever comes now leads.
    assert Turn.LEAD is flights.join(PLACE.flight, "sse").result(0)


def test_a_flight_that_was_taken_over_since_is_not_ended_with_it(shelf: Shelf) -> None:
    flights = Flights()
    flights.join(PLACE.flight, "sse")
    reading(flights.subscriptions, shelf)  # of one that was given up here
    waiting = flights.join(PLACE.flight)
    shelf.blocks[PLACE.stream][2] = blocks.WHOLE
    shelf.hear(flights.subscriptions)

    assert not waiting.done()


TROUBLES = st.sampled_from(("", "", "", "away", "loses", "forgets"))


@given(
    st.lists(st.binary(min_size=1, max_size=9), max_size=30),
    st.lists(st.tuples(TROUBLES, st.booleans()), max_size=60),
    st.booleans(),
)
def test_whatever_the_store_does_a_reader_has_a_beginning_and_whole_is_all_of_it(
    words: list[bytes], looks: list[tuple[str, bool]], is_whole: bool
) -> None:
    shelf, clock, source = Shelf(), Clock(), Live(200, Headers())
    ours = Publications(clock)
    theirs = Subscriptions(lambda flight, live: None, clock)
    ours.begin(PLACE.flight, PLACE.stream, source)
    said, read = iter(words), None
    for trouble, is_writers in [*looks, *[("", True), ("", False)] * 60]:
        clock.now += 0.1
        shelf.is_away, shelf.loses_replies = trouble == "away", trouble == "loses"
        if trouble == "forgets":
            shelf.forget()
        word = next(said, None)
        if word is not None:
            source.feed(word)
        elif not source.is_over:
            source.end(is_whole=is_whole)
        if is_writers:
            shelf.publish(ours)
        elif read is not None:
            shelf.hear(theirs)
        elif (heard := shelf.read(PLACE)) is not None and heard.blocks:
            read = theirs.begin(PLACE, heard)
        if read is not None:
            assert b"".join(words).startswith(b"".join(read.after(0)))

    # Twelve quiet seconds are enough for it to end, and it was wanted long before it did.
    if read is not None:
        assert read.is_over
        assert not read.is_whole or (is_whole and b"".join(words) == b"".join(read.after(0)))
