from __future__ import annotations

from pathlib import Path

import pytest

from khazad_mitm.messages import Headers, Response
from khazad_mitm.record.cassette import Cassette, Recording
from khazad_mitm.record.exchanges import Exchange, take_over
from khazad_mitm.record.faults import Fault
from khazad_mitm.record.playing import played
from tests.record.calls import JSON, SSE, answer, chat

FRAMES = b"data: 1\n\ndata: 2\n\ndata: 3\n\n"
MARKS = ((9, 100), (18, 300), (27, 600))


def recording(folder: Path, body: bytes, headers: Headers, *marks: tuple[int, int]) -> Recording:
    take_over([Exchange(chat(), Response(200, headers, body, marks))], folder)
    return Cassette.open(folder).recordings[0]


@pytest.fixture
def stream(tmp_path: Path) -> Recording:
    return recording(tmp_path, FRAMES, SSE, *MARKS)


def test_a_stream_is_played_at_once_or_at_a_pace(stream: Recording) -> None:
    assert () == played(stream).reply.waits
    assert pytest.approx((0.1, 0.2, 0.3)) == played(stream, pace="recorded").reply.waits
    assert pytest.approx((0.5, 0.5, 0.5)) == played(stream, pace=2.0).reply.waits


def test_timing_is_a_factor_and_the_first_wait_is_before_anything(stream: Recording) -> None:
    outcome = played(stream, [Fault(timing=2.0), Fault(delay_ms=50)])

    assert pytest.approx(0.25) == outcome.delay_s
    assert pytest.approx((0.0, 0.4, 0.6)) == outcome.reply.waits


def test_timing_is_of_any_answer_and_pace_of_streams(tmp_path: Path) -> None:
    whole = recording(tmp_path, answer("x"), JSON, (10_000, 400))

    assert () == played(whole, pace="recorded").reply.waits
    slow = played(whole, [Fault(timing=0.5)])
    assert (pytest.approx(0.2), ()) == (slow.delay_s, slow.reply.waits)


def test_a_reset_comes_after_so_many_frames_of_a_whole(stream: Recording) -> None:
    at_once, later = (played(stream, [Fault(reset=True, cut_after=n)]).reply for n in (None, 2))

    assert (0, ()) == (at_once.resets_after, at_once.waits)
    assert (2, 2, FRAMES) == (later.resets_after, len(later.frames) - 1, later.body)


def test_a_cut_keeps_the_waits_of_what_is_left(stream: Recording) -> None:
    reply = played(stream, [Fault(cut_after=2)], pace="recorded").reply

    assert (2, 2, None) == (len(reply.frames), len(reply.waits), reply.resets_after)
