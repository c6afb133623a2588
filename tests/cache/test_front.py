from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.commands import Alias, Put
from khazad_mitm.cache.fingerprint import Chain
from khazad_mitm.cache.lookup import NOT_ACCEPTED
from khazad_mitm.cache.policy import MAX_INLINE_BYTES
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.exchange import Framing, Hit, Miss, Unsatisfied
from khazad_mitm.messages import Headers, Request

from .desk import ANSWER, Desk
from .script import asked


@pytest.fixture
def desk() -> Iterator[Desk]:
    made = Desk()
    yield made
    made.cache.close()


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_miss_that_was_answered_is_a_hit_the_next_time(desk: Desk, awaiting: bool) -> None:
    desk.answer(desk.ask(asked("hello"), awaiting=awaiting))
    hit = desk.ask(asked("hello"), awaiting=awaiting)

    assert isinstance(hit, Hit)
    assert ANSWER == desk.cache.reply(hit).body


def test_what_the_upstream_took_is_what_a_hit_saves(desk: Desk) -> None:
    miss = desk.ask(asked("hello"))
    assert isinstance(miss, Miss)
    desk.answer(replace(miss, asked_at=miss.asked_at - 60))
    desk.ask(asked("hello"))

    assert 60 <= desk.cache.stats().saved_seconds < 90


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_paraphrase_is_served_by_meaning_and_from_then_on_exactly(
    desk: Desk, awaiting: bool
) -> None:
    desk.answer(desk.ask(asked("tea or coffee")))
    first = desk.ask(asked("coffee or tea"), awaiting=awaiting)
    second = desk.ask(asked("coffee or tea"), awaiting=awaiting)

    assert isinstance(first, Hit)
    assert isinstance(second, Hit)
    assert ("semantic", "exact") == (first.tier, second.tier)


@pytest.mark.parametrize("awaiting", [False, True])
def test_the_follow_up_of_a_paraphrase_is_found_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, awaiting: bool
) -> None:
    desk.answer(desk.ask(asked("tea or coffee")))
    desk.answer(desk.ask(asked("tea or coffee", "tea", "why is that")))
    slow_to_learn(desk, monkeypatch)
    desk.ask(asked("coffee or tea"), awaiting=awaiting)

    assert isinstance(
        desk.ask(asked("coffee or tea", "tea", "why is that"), awaiting=awaiting), Hit
    )
    assert isinstance(
        desk.ask(asked("coffee or tea", "rum", "why is that"), awaiting=awaiting), Miss
    )


@pytest.mark.parametrize("awaiting", [False, True])
def test_other_words_for_what_was_just_answered_are_found_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, awaiting: bool
) -> None:
    # Of a key's first question there is no vector until it has been answered.
    capture = desk.cache.capture(_missed(desk.ask(asked("tea or coffee"))))
    perform, is_asked = desk.store.perform, threading.Event()

    def slowly(command: Any, within_s: float | None = None) -> Any:
        if isinstance(command, Put) and command.vector is not None:
            threading.Timer(0.05, is_asked.set).start()
            is_asked.wait(5)
        return perform(command)

    monkeypatch.setattr(desk.store, "perform", slowly)
    capture.feed(ANSWER)
    capture.finish(200, Headers([("Content-Type", "application/json")]))
    hit = desk.ask(asked("coffee or tea"), awaiting=awaiting)

    assert isinstance(hit, Hit)
    assert "semantic" == hit.tier


def _missed(outcome: Any) -> Miss:
    assert isinstance(outcome, Miss)
    return outcome


def slow_to_learn(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the store keep an alias no sooner than the next question has been asked."""
    perform, is_asked = desk.store.perform, threading.Event()

    def slowly(command: Any, within_s: float | None = None) -> Any:
        if isinstance(command, Alias):
            threading.Timer(0.05, is_asked.set).start()
            is_asked.wait(5)
        return perform(command)

    monkeypatch.setattr(desk.store, "perform", slowly)


def test_the_same_framing_gets_the_original_frames(desk: Desk) -> None:
    desk.answer(desk.ask(asked("hello")))
    hit = desk.ask(asked("hello"))
    assert isinstance(hit, Hit)
    reply = desk.cache.reply(hit)

    assert (ANSWER[:2], ANSWER[2:]) == reply.frames
    assert "application/json" == reply.headers.get("content-type")


def test_another_framing_is_written_by_the_provider(desk: Desk) -> None:
    desk.answer(desk.ask(asked("hello")))
    hit = desk.ask(asked("hello", framing=Framing("sse")))
    assert isinstance(hit, Hit)
    reply = desk.cache.reply(hit)

    assert (b"data: ", ANSWER) == reply.frames
    assert ["text/event-stream"] == reply.headers.get_all("content-type")


def test_a_reply_says_what_it_is(desk: Desk) -> None:
    desk.answer(desk.ask(asked("hello")))
    hit = desk.ask(asked("hello"))
    assert isinstance(hit, Hit)
    headers = desk.cache.reply(hit).headers

    assert "0" == headers.get("age")
    assert hit.entry.id == headers.get("x-khazad-entry")
    assert "khazad; hit; ttl=" in headers.joined("cache-status")


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        ({"status": 500}, "status 500"),
        ({"body": b""}, "empty"),
        ({"body": b"half"}, "cut"),
        ({"headers": Headers([("Content-Encoding", "odd")])}, "undecodable"),
        ({"body": b" " * (10 * 1024 * 1024 + 1)}, "too-big"),
    ],
)
def test_what_may_not_be_kept_is_not_and_is_counted_and_logged(
    desk: Desk, caplog: pytest.LogCaptureFixture, told: dict[str, Any], reason: str
) -> None:
    caplog.set_level("INFO", "khazad")
    desk.answer(desk.ask(asked("hello")), **told)

    assert isinstance(desk.ask(asked("hello")), Miss)
    assert {reason: 1} == desk.cache.stats().unkept
    assert f"[Khazad] NOT STORED - {reason} - echo m" in caplog.messages


def test_only_if_cached_is_answered_with_504(desk: Desk) -> None:
    outcome = desk.ask(asked("hello", headers={"Cache-Control": "only-if-cached"}))
    assert isinstance(outcome, Unsatisfied)
    reply = desk.cache.reply(outcome)

    assert 504 == reply.status
    assert "error" in json.loads(reply.body)


@pytest.mark.parametrize(
    "request_",
    [
        Request.to("https://api.example.com/v1", method="GET"),
        Request.to("https://elsewhere.example.com/v1"),
        Request.to("https://api.example.com/v1", b" " * (16 * 1024 * 1024 + 1)),
    ],
    ids=["get", "host", "huge"],
)
def test_what_is_not_ours_is_not_even_read(desk: Desk, request_: Request) -> None:
    desk.parsed = asked("hello")

    assert desk.cache.look_up(request_) is None
    assert 0 == desk.cache.stats().total_requests


def test_a_request_that_is_too_big_to_read_is_named_in_one_debug_line(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "khazad")
    desk.cache.look_up(Request.to("https://api.example.com/v1", b" " * (16 * 1024 * 1024 + 1)))

    assert ["[Khazad] PASSED BY - too-big - api.example.com"] == caplog.messages


def test_mode_off_looks_at_nothing() -> None:
    desk = Desk(mode="off")

    assert desk.ask(asked("hello")) is None
    desk.cache.close()


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_store_that_fails_is_a_miss_that_says_so(
    desk: Desk, awaiting: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise CacheUnavailable("gone")

    monkeypatch.setattr(desk.store, "perform", fail)
    request = asked("hello")

    outcome = desk.ask(request, awaiting=awaiting)

    assert isinstance(outcome, Miss)
    assert 'khazad; fwd=miss; detail="store unavailable"' == desk.cache.cache_status(outcome)
    assert 1 == desk.cache.stats().errors


@pytest.mark.parametrize("awaiting", [False, True])
def test_a_mistake_of_ours_lets_the_call_through(
    desk: Desk, awaiting: bool, caplog: pytest.LogCaptureFixture
) -> None:
    assert desk.ask(replace(asked("hello"), turns_field=5), awaiting=awaiting) is None  # type: ignore[arg-type]
    (said,) = caplog.messages
    assert said.startswith("[Khazad] a lookup failed, the call goes through: KeyError at ")


@pytest.mark.parametrize("coding", ["", "gzip"])
def test_what_may_be_long_is_read_and_digested_off_the_event_loop(
    desk: Desk, coding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[str] = []
    real = Chain.of

    def of(*args: Any) -> Chain:
        threads.append(threading.current_thread().name)
        return real(*args)

    monkeypatch.setattr(Chain, "of", of)
    short, long = asked("hello"), asked("hello", "x" * MAX_INLINE_BYTES, "hello")
    if coding:
        long = asked("hello again", headers={"Content-Encoding": coding})
    for parsed in (short, long):
        assert isinstance(desk.ask(parsed, awaiting=True), Miss)

    here, elsewhere = threads
    assert threading.current_thread().name == here
    assert elsewhere.startswith("khazad-jobs")


def test_flush_forgets_answers_and_counts(desk: Desk) -> None:
    desk.answer(desk.ask(asked("hello")))

    assert 1 == desk.cache.flush()
    assert 0 == desk.cache.stats().total_requests
    outcome = desk.ask(asked("hello"))
    assert isinstance(outcome, Miss)
    # Nor is the key believed in any more.
    assert NOT_ACCEPTED == outcome.reason


def test_log_lines_begin_with_the_words_people_grep_for(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.answer(desk.ask(asked("of him whose credential is accepted")))
    caplog.set_level("INFO", "khazad")
    caplog.clear()
    desk.answer(desk.ask(asked("hello", temperature=1)))
    desk.ask(asked("hello", temperature=1))
    desk.ask(asked("hello", headers={"Cache-Control": "no-store"}))
    starts: Callable[[int], str] = lambda n: caplog.messages[n][:35]  # noqa: E731

    assert "[Khazad] CACHE MISS - Forwarding to API - echo m" == caplog.messages[0]
    assert starts(1).startswith("[Khazad] CACHE HIT - Similarity: 1.")
    assert "[Khazad] BYPASS - no-store echo m" == caplog.messages[2]


def test_a_store_that_is_away_is_said_once(
    desk: Desk, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise CacheUnavailable("gone")

    caplog.set_level("INFO", "khazad")
    monkeypatch.setattr(desk.store, "perform", fail)
    for question in ("one", "two", "three"):
        desk.ask(asked(question))

    assert ["[Khazad] store unavailable, passing calls through: gone"] == caplog.messages


def test_no_log_line_above_debug_holds_a_prompt(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "khazad")
    desk.answer(desk.ask(asked("my secret plan")))
    desk.ask(asked("my secret plan"))

    assert "secret" not in caplog.text
