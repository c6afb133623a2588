from __future__ import annotations

from dataclasses import replace

from khazad_mitm.cache.capture import Capture
from khazad_mitm.messages import Headers, Response


class Kept:
    def __init__(self, limit: int = 100, ends_with_message: bool = False) -> None:
        self.responses: list[Response] = []
        self.reasons: list[str] = []
        self.capture = Capture(self.responses.append, self.reasons.append, limit, ends_with_message)


def test_what_passed_by_is_kept_whole() -> None:
    kept = Kept()
    kept.capture.feed(b"a")
    kept.capture.feed(b"b")
    kept.capture.finish(200, Headers())

    (whole,) = kept.responses
    assert (Response(200, Headers(), b"ab"), []) == (replace(whole, marks=()), kept.reasons)
    assert [1, 2] == [count for count, _ in whole.marks]


def test_an_aborted_answer_is_dropped() -> None:
    kept = Kept()
    kept.capture.feed(b"a")
    kept.capture.abort()
    kept.capture.finish(200, Headers())

    assert ([], ["cut"]) == (kept.responses, kept.reasons)


def test_above_the_limit_all_is_let_go_and_said_once() -> None:
    kept = Kept(limit=3)
    for _ in range(5):
        kept.capture.feed(b"ab")
    kept.capture.finish(200, Headers())

    assert ([], ["too-big"]) == (kept.responses, kept.reasons)


def test_an_end_after_the_end_does_nothing() -> None:
    kept = Kept()
    kept.capture.finish(200, Headers())
    kept.capture.abort()
    kept.capture.finish(200, Headers())

    assert (1, []) == (len(kept.responses), kept.reasons)


def test_what_a_caller_has_read_before_he_stopped_may_be_whole() -> None:
    kept = Kept()
    kept.capture.feed(b"a")
    kept.capture.close(200, Headers())

    assert [b"a"] == [response.body for response in kept.responses]
    assert [] == kept.reasons


def test_it_is_cut_where_only_the_end_of_the_message_tells() -> None:
    kept = Kept(ends_with_message=True)
    kept.capture.feed(b"a")
    kept.capture.close(200, Headers())

    assert ([], ["cut"]) == (kept.responses, kept.reasons)
