from __future__ import annotations

import threading

import pytest

from khazad_mitm.cache import blocks, publications
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.policy import MAX_ANSWER_BYTES
from khazad_mitm.cache.publications import (
    BLOCK_BYTES,
    BYTES_AT_ONCE,
    GIVEN_UP_S,
    KEPT_S,
    STILL_EVERY_S,
    WANTED_EVERY_S,
    Publications,
)
from khazad_mitm.cache.worker_commands import Publish, Wanted
from khazad_mitm.messages import Headers

from .script import kinds
from .shelf import Shelf

NAME = "0" * 32


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def some(clock: Clock) -> Publications:
    return Publications(clock)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def begun(some: Publications, name: str = NAME) -> Live:
    live = Live(200, Headers([("Content-Type", "text/event-stream")]))
    some.begin("flight", name, live)
    return live


def held(shelf: Shelf, name: str = NAME) -> list[bytes]:
    return [shelf.blocks[name][number] for number in sorted(shelf.blocks.get(name, {}))]


def test_nothing_is_told_of_a_stream_that_nobody_else_wants(
    some: Publications, shelf: Shelf, clock: Clock
) -> None:
    live = begun(some)
    for _ in range(20):
        live.feed(b"word")
        shelf.publish(some)
        clock.now += WANTED_EVERY_S / 2
    live.end(is_whole=True)
    clock.now += WANTED_EVERY_S
    shelf.publish(some)

    # And asked no more than every other time, and no more once it is over.
    assert ["Wanted"] * 10 == kinds(shelf.commands)
    assert not live.is_followed
    assert not some._all


def test_all_streams_are_asked_for_in_one_command(some: Publications, shelf: Shelf) -> None:
    for name in "abc":
        begun(some, name)
    shelf.publish(some)

    (asked,) = shelf.commands
    assert isinstance(asked, Wanted)
    assert ["a", "b", "c"] == [place.stream for place in asked.streams]


def test_who_wants_one_is_told_its_head_what_has_come_and_what_comes(
    some: Publications, shelf: Shelf
) -> None:
    live = begun(some)
    live.feed(b"one ")
    live.feed(b"two ")
    shelf.wanted.add(NAME)
    shelf.publish(some)
    live.feed(b"three")
    shelf.publish(some)
    live.end(is_whole=True)
    shelf.publish(some)

    head = blocks.of_head(live)
    assert [head, b"done two ", b"dthree", blocks.WHOLE] == held(shelf)
    # From the first look on it goes on whoever leaves; and it is over when all of it is told.
    assert live.is_followed
    assert not some._all


def test_a_cut_is_told_as_one(some: Publications, shelf: Shelf) -> None:
    live = begun(some)
    shelf.wanted.add(NAME)
    shelf.publish(some)
    live.feed(b"half")
    live.end(is_whole=False)
    shelf.publish(some)

    # Nobody begins it any more.
    assert [b"dhalf", blocks.CUT] == held(shelf)


def test_a_stream_that_its_client_has_left_is_nobodys(some: Publications, shelf: Shelf) -> None:
    live = begun(some)
    assert live.leave()
    shelf.wanted.add(NAME)
    shelf.publish(some)

    assert ([], {}) == (held(shelf), some._all)


def test_a_stream_that_thinks_is_said_to_be_coming_before_it_would_count_as_gone(
    some: Publications, shelf: Shelf, clock: Clock
) -> None:
    begun(some)
    shelf.wanted.add(NAME)
    for _ in range(8):
        shelf.publish(some)
        clock.now += STILL_EVERY_S / 4

    told = [one.issues[0].blocks for one in shelf.commands if isinstance(one, Publish)]
    assert [1, 0] == [len(one) for one in told]
    assert 2 * STILL_EVERY_S < KEPT_S


def test_much_is_told_in_pieces_and_no_trip_is_large(some: Publications, shelf: Shelf) -> None:
    live = begun(some)
    shelf.wanted.add(NAME)
    shelf.publish(some)
    for _ in range(3 * BYTES_AT_ONCE // 1024):
        live.feed(b"x" * 1024)
    live.end(is_whole=True)
    while some._all:
        shelf.publish(some)

    trips = [one for one in shelf.commands if isinstance(one, Publish)]
    sizes = [sum(map(len, issue.blocks)) for one in trips for issue in one.issues]
    assert max(sizes) <= BYTES_AT_ONCE + BLOCK_BYTES
    assert 3 * BYTES_AT_ONCE == sum(len(block) - 1 for block in held(shelf)[1:-1])


@pytest.mark.parametrize("how", ["away", "loses its replies", "has forgotten"])
def test_a_store_in_trouble_is_told_the_same_blocks_again(
    how: str, some: Publications, shelf: Shelf
) -> None:
    live = begun(some)
    shelf.wanted.add(NAME)
    live.feed(b"one ")
    shelf.publish(some)
    shelf.is_away, shelf.loses_replies = how == "away", how == "loses its replies"
    if how == "has forgotten":
        shelf.forget()
    live.feed(b"two ")
    shelf.publish(some)
    shelf.is_away = shelf.loses_replies = False
    live.feed(b"three")
    live.end(is_whole=True)
    while some._all:
        shelf.publish(some)

    words = [b"done ", b"dtwo ", b"dthree"]
    assert [blocks.of_head(live), *words, blocks.WHOLE] == held(shelf)


def test_a_store_that_takes_nothing_for_long_is_given_up(
    some: Publications, shelf: Shelf, clock: Clock
) -> None:
    live = begun(some)
    shelf.wanted.add(NAME)
    shelf.publish(some)
    shelf.is_away = True
    live.feed(b"one")
    clock.now += GIVEN_UP_S
    shelf.publish(some)
    assert some._all
    clock.now += 0.1
    shelf.publish(some)

    assert not some._all


def test_of_more_than_would_be_kept_the_beginning_is_dropped(
    some: Publications, shelf: Shelf
) -> None:
    live = begun(some)
    shelf.wanted.add(NAME)
    words = MAX_ANSWER_BYTES // BLOCK_BYTES + 5
    for number in range(words):
        live.feed(b"%d" % number * BLOCK_BYTES)
        shelf.publish(some)

    kept = shelf.blocks[NAME]
    assert sum(map(len, kept.values())) <= MAX_ANSWER_BYTES + len(kept)
    assert words in kept
    assert 0 not in kept


def test_what_is_not_over_is_cut_when_the_process_ends(some: Publications, shelf: Shelf) -> None:
    live = begun(some)
    shelf.wanted.add(NAME)
    shelf.publish(some)
    live.feed(b"half")
    some.close()
    assert not some.wait()
    shelf.publish(some)
    begun(some, "later")

    assert live.after(0) == [b"half"]
    assert [b"dhalf", blocks.CUT] == held(shelf)
    assert not some._all


def test_a_thread_waits_until_there_is_one(
    some: Publications, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publications, "WANTED_EVERY_S", 0.001)
    looked = threading.Event()

    def wait() -> None:
        while some.wait():
            looked.set()

    thread = threading.Thread(target=wait)
    thread.start()
    assert not looked.is_set()
    begun(some)
    assert looked.wait(20)
    some.close()
    thread.join(20)
    assert not thread.is_alive()
