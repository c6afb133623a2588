from __future__ import annotations

import threading
from typing import Any

import pytest

from khazad_mitm.cache import publications
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.others import Others, Watch
from khazad_mitm.cache.worker_commands import Place
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.messages import Headers
from tests.servers import until

from .driven import executor, parts_of
from .shelf import Shelf
from .test_leases import led

__all__ = ["executor", "parts_of"]

PLACE = Place("flight", "0" * 32)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANTED_EVERY_S", "TOLD_EVERY_S", "PAUSE_S"):
        monkeypatch.setattr(publications, name, 0.001)


class Two:
    """Caches of two workers, as far as they share streams."""

    def __init__(self, parts_of: Any) -> None:
        self.shelf = Shelf()
        self.leader, self.reader = parts_of(), parts_of()
        for parts in (self.leader, self.reader):
            parts.store.perform = lambda command, within_s=None: self.shelf.perform(command)
        self.others = [Others(self.leader), Others(self.reader)]

    def close(self) -> None:
        for one in self.others:
            one.close()


@pytest.fixture
def two(parts_of: Any) -> Any:
    two = Two(parts_of)
    yield two
    two.close()


def test_what_one_worker_is_given_another_reads_while_it_comes(two: Two) -> None:
    source = Live(200, Headers())
    ours, theirs = two.leader.flights, two.reader.flights
    ours.join(PLACE.flight, "sse")
    ours.leases.hold(PLACE.flight, PLACE.stream)
    ours.go_live(PLACE.flight, source)
    source.feed(b"one ")
    until(lambda: (heard := two.shelf.read(PLACE)) is not None and heard.blocks)
    read = theirs.subscriptions.begin(PLACE, two.shelf.read(PLACE))
    assert read is not None
    source.feed(b"two")
    until(lambda: b"one two" == b"".join(read.after(0)))
    source.end(is_whole=True)
    until(lambda: read.is_over)

    assert read.is_whole


def test_what_a_worker_leads_is_cut_for_others_when_it_ends(two: Two) -> None:
    ours, theirs = two.leader.flights, two.reader.flights
    ours.join(PLACE.flight, "sse")
    ours.leases.hold(PLACE.flight, PLACE.stream)
    ours.go_live(PLACE.flight, Live(200, Headers()))
    until(lambda: (heard := two.shelf.read(PLACE)) is not None and heard.blocks)
    read = theirs.subscriptions.begin(PLACE, two.shelf.read(PLACE))
    assert read is not None
    two.others[0].close()
    until(lambda: read.is_over)

    assert not read.is_whole


def test_no_stream_is_published_but_one_that_is_led_as_such(two: Two) -> None:
    ours = two.leader.flights
    led(ours, "plain")
    ours.join("alone", "sse")
    for flight in ("plain", "alone"):
        ours.go_live(flight, Live(200, Headers()))

    assert not ours.publications._all


class Failing:
    """Two looks, and a last one."""

    def __init__(self) -> None:
        self.left = 2
        self.failures = 0
        self.is_through = threading.Event()

    def wait(self) -> bool:
        self.left -= 1
        return self.left >= 0

    def failed(self) -> None:
        self.failures += 1
        if self.failures == 3:
            self.is_through.set()

    def close(self) -> None: ...


def test_neither_a_store_that_is_away_nor_a_mistake_ends_the_thread(
    parts_of: Any, caplog: pytest.LogCaptureFixture
) -> None:
    some, errors = Failing(), [CacheUnavailable("away"), ValueError("mine"), CacheUnavailable("")]

    def look() -> Any:
        raise errors.pop(0)
        yield

    watch = Watch(parts_of(), some, look, "test")
    assert some.is_through.wait(20)
    watch.close()

    (line,) = caplog.messages
    assert line.startswith("[Khazad] streams could not be shared with other workers: ValueError")
