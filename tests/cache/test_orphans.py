from __future__ import annotations

from queue import SimpleQueue

from khazad_mitm.cache.capture import Capture
from khazad_mitm.cache.live import Live
from khazad_mitm.cache.orphans import Orphans
from khazad_mitm.exchange import Miss
from khazad_mitm.messages import Headers

from .desk import Desk
from .script import asked


def test_a_capture_that_vanishes_is_a_cut() -> None:
    dropped: SimpleQueue[str] = SimpleQueue()
    orphans, lives = Orphans(), list[Live]()
    capture = Capture(print, dropped.put, goes_live=lives.append, vanished=orphans.take)
    capture.begin(200, Headers())
    capture.feed(b"half")
    del capture

    assert "cut" == dropped.get(timeout=5)
    assert (True, False) == (lives[0].is_over, lives[0].is_whole)
    orphans.close()


def test_one_that_has_ended_is_nobodys() -> None:
    taken: list[object] = []
    for end in (Capture.abort, lambda capture: capture.finish(200, Headers())):
        capture = Capture(print, print, vanished=lambda *orphan: taken.append(orphan))
        end(capture)
        del capture

    assert [] == taken


def test_who_waits_for_an_answer_that_vanished_asks_himself() -> None:
    desk = Desk(mode="exact")
    leader = desk.ask(asked("hello"))
    assert isinstance(leader, Miss)
    waiting = desk.flights.join(leader.flight)
    desk.cache.capture(leader)  # and nobody holds it

    assert "Turn.LEAD" == str(waiting.result(5))
    desk.cache.close()
    desk.executor.shutdown()
