from __future__ import annotations

from threading import Event

from khazad_mitm.cache import acceptance
from khazad_mitm.cache.acceptance import BELIEVED_S, Acceptances, Known
from khazad_mitm.cache.commands import Accept, Get, IsAccepted, Refuse
from khazad_mitm.cache.keeper import Keeper
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Hit, Miss
from khazad_mitm.messages import Headers
from tests.servers import until

from .desk import Desk
from .script import asked

ASKED = IsAccepted("c")


class At:
    """What is remembered, on a clock of its own."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.known = Acceptances(lambda: self.now)


def test_a_yes_of_the_store_is_believed_for_a_while() -> None:
    at = At()
    assert at.known.known(ASKED) is None
    at.known.learn(ASKED, True)

    assert Known(True) == at.known.known(ASKED)
    at.now += BELIEVED_S
    assert at.known.known(ASKED) is None


def test_a_no_of_the_store_is_asked_again() -> None:
    at = At()
    at.known.learn(ASKED, False)

    assert at.known.known(ASKED) is None


def test_an_acceptance_is_never_believed_beyond_its_own_time() -> None:
    at = At()
    assert at.known.known(Accept("c", 1)) is None
    assert Known(True) == at.known.known(ASKED)
    at.now += 1

    assert at.known.known(ASKED) is None


def test_what_is_to_be_forgotten_is_asked_again_but_a_refusal_stays() -> None:
    at = At()
    at.known.known(Accept("c", 3600))
    at.known.refuse("refused")
    at.known.forget()

    assert at.known.known(ASKED) is None
    assert Known(False) == at.known.known(IsAccepted("refused"))
    assert ("refused",) == at.known.untold()


def test_a_refusal_counts_at_once_and_before_the_store_knows() -> None:
    at = At()
    at.known.known(Accept("c", 3600))

    assert at.known.known(Refuse("c")) is None
    assert Known(False) == at.known.known(ASKED)


def test_a_refusal_that_the_store_never_heard_counts_until_the_upstream_accepts() -> None:
    at = At()
    at.known.known(Refuse("c"))  # and the store is away
    at.now += 10 * BELIEVED_S
    assert Known(False) == at.known.known(ASKED)
    at.known.known(Accept("c", 3600, at.now))

    assert Known(True) == at.known.known(ASKED)


def test_a_yes_that_the_store_said_before_a_refusal_is_not_believed_after_it() -> None:
    at = At()
    at.known.known(Refuse("c"))
    at.known.learn(Refuse("c"), None)
    at.known.learn(ASKED, True)
    at.known.learn(Refuse("c"), None)
    assert at.known.known(ASKED) is None
    at.now += BELIEVED_S
    at.known.learn(ASKED, True)

    assert Known(True) == at.known.known(ASKED)


def test_a_long_answer_to_an_older_question_does_not_undo_a_refusal() -> None:
    at = At()
    asked_at, at.now = at.now, at.now + 1
    at.known.known(Refuse("c"))

    assert Known(None) == at.known.known(Accept("c", 3600, asked_at))
    assert at.known.known(Accept("c", 3600, at.now)) is None


def test_a_refusal_that_the_store_has_not_heard_of_is_kept_until_it_has() -> None:
    at = At()
    at.known.known(Refuse("c"))
    at.now += 10 * BELIEVED_S
    assert Known(False) == at.known.known(ASKED)
    assert ("c",) == at.known.untold()

    at.known.learn(Refuse("c"), None)
    assert () == at.known.untold()
    assert at.known.known(ASKED) is None


def test_a_newer_acceptance_ends_a_refusal_that_was_never_told() -> None:
    at = At()
    at.known.refuse("c")
    at.now += 1
    at.known.known(Accept("c", 3600, at.now))

    assert Known(True) == at.known.known(ASKED)
    assert () == at.known.untold()


def test_other_commands_are_the_stores() -> None:
    assert At().known.known(Get("c")) is None


def test_memory_is_bounded(monkeypatch) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr(acceptance, "MOST", 3)
    at = At()
    for number in range(10):
        at.known.learn(IsAccepted(str(number)), True)

    assert 3 >= sum(at.known.known(IsAccepted(str(number))) is not None for number in range(10))


def test_a_refusal_is_heard_although_too_many_answers_wait() -> None:
    desk, go, started = Desk(), Event(), Event()
    try:
        desk.answer(desk.ask(asked("tea")))
        assert isinstance(desk.ask(asked("tea")), Hit)
        keeper = desk.cache._archive._reader = Keeper(limit=1)
        keeper.hand(lambda: (started.set(), go.wait(10), None)[-1])
        started.wait(10)
        keeper.hand(lambda: None)
        refused = desk.ask(asked("coffee"))
        assert isinstance(refused, Miss)
        desk.cache.capture(refused).finish(401, Headers([]))

        assert not isinstance(desk.ask(asked("tea")), Hit)
        assert any(desk.store.perform(IsAccepted(proof)) for proof in refused.proofs)
        go.set()
        assert keeper.drain(10)
        # With the next answer, whatever it is, the store hears of it.
        desk.answer(desk.ask(asked("milk")), status=500)
        assert not all(desk.store.perform(IsAccepted(proof)) for proof in refused.proofs)
    finally:
        go.set()
        desk.cache.close()


def test_a_refusal_reaches_a_store_that_was_away_when_it_came() -> None:
    desk = Desk()
    try:
        desk.answer(desk.ask(asked("tea")))
        refused = desk.ask(asked("coffee"))
        perform = desk.store.perform

        def away(*_: object) -> None:
            raise CacheUnavailable("away")

        desk.store.perform = away  # type: ignore[method-assign, assignment]
        desk.answer(refused, status=401)
        desk.store.perform = perform  # type: ignore[method-assign]
        assert isinstance(refused, Miss)
        assert all(desk.store.perform(IsAccepted(proof)) for proof in refused.proofs)
        until(desk.cache._parts.store_breaker.wants_probe)
        desk.cache._parts.store_breaker.succeeded()

        assert not isinstance(desk.ask(asked("tea")), Hit)
        desk.answer(desk.ask(asked("milk")), status=500)
        assert not all(desk.store.perform(IsAccepted(proof)) for proof in refused.proofs)
    finally:
        desk.cache.close()
