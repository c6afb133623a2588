"""A store of streams, as two workers see it, which fails and forgets when it is told to."""

from __future__ import annotations

from typing import Any

from khazad_mitm.cache.commands import Steps
from khazad_mitm.cache.drive import run
from khazad_mitm.cache.publications import Publications, published
from khazad_mitm.cache.subscriptions import Subscriptions, heard
from khazad_mitm.cache.worker_commands import MOST_READ, Heard, Place, Publish, Read, Wanted
from khazad_mitm.errors import CacheUnavailable


class Shelf:
    def __init__(self) -> None:
        self.blocks: dict[str, dict[int, bytes]] = {}
        self.oldest: dict[str, int] = {}
        self.wanted: set[str] = set()
        self.is_away = False
        self.loses_replies = False
        self.commands: list[Any] = []

    def forget(self) -> None:
        self.blocks, self.oldest, self.wanted = {}, {}, set()

    def perform(self, command: Any) -> Any:
        if self.is_away:
            raise CacheUnavailable("away")
        self.commands.append(command)
        result = self._performed(command)
        if self.loses_replies:
            raise CacheUnavailable("no answer in time")
        return result

    def _performed(self, command: Any) -> Any:
        match command:
            case Wanted(places):
                return tuple(place.stream in self.wanted for place in places)
            case Publish(issues):
                return tuple(map(self._publish, issues))
            case Read(places):
                return tuple(map(self.read, places))
            case other:
                raise AssertionError(other)

    def _publish(self, issue: Any) -> bool:
        held = self.blocks.setdefault(issue.place.stream, {})
        for number in range(issue.dropped, issue.oldest):
            held.pop(number, None)
        held.update(enumerate(issue.blocks, issue.place.number))
        self.oldest[issue.place.stream] = issue.oldest
        return len(held) == issue.place.number + len(issue.blocks) - issue.oldest

    def read(self, place: Place) -> Heard | None:
        if place.number == 0:
            self.wanted.add(place.stream)
        if place.stream not in self.blocks:
            return None
        if place.number < self.oldest[place.stream]:
            return Heard((), is_lost=True)
        told = []
        for number in range(place.number, place.number + MOST_READ):
            if number not in self.blocks[place.stream]:
                break
            told.append(self.blocks[place.stream][number])
        return Heard(tuple(told))

    def publish(self, some: Publications) -> None:
        self._look(published(some), some)

    def hear(self, some: Subscriptions) -> None:
        self._look(heard(some), some)

    def _look(self, steps: Steps[None], some: Any) -> None:
        try:
            run(steps, self.perform)
        except CacheUnavailable:
            some.failed()
