from __future__ import annotations

from pathlib import Path

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.messages import Response
from khazad_mitm.record.exchanges import Exchange, heard, put, take_over
from khazad_mitm.record.files import read
from tests.record.calls import JSON, SSE, answer, chat, play, replayer

FRAMES = b"data: 1\n\ndata: 2\n\ndata: [DONE]\n\n"


def said(text: str) -> Exchange:
    return Exchange(chat(), Response(200, JSON, answer(text)), made_at=0.0)


def test_what_is_taken_over_comes_behind_what_is_there(tmp_path: Path) -> None:
    take_over([said("a")], tmp_path)

    report = take_over([said("b")], tmp_path)

    assert [tmp_path / report.written[0].name] == list(report.written)
    recorder = replayer(tmp_path)
    assert [answer("a"), answer("b")] == [play(recorder, chat())[1] for _ in range(2)]


def test_a_recording_is_as_old_as_its_call(tmp_path: Path) -> None:
    (path,) = take_over([said("a")], tmp_path).written

    assert "1970-01-01" == read(path).label.recorded


def test_marks_tell_when_each_frame_came(tmp_path: Path) -> None:
    marks = ((9, 100), (18, 200), (len(FRAMES), 300))
    stream = Exchange(chat(stream=True), Response(200, SSE, FRAMES, marks))

    (path,) = take_over([stream], tmp_path).written

    assert [100, 200, 300] == [frame.at_ms for frame in read(path).answer.frames]


def test_marks_never_lose_a_byte() -> None:
    for marks in ((), ((4, 1),), ((4, 1), (90, 2)), ((90, 1), (91, 2))):
        assert FRAMES == heard(Response(200, SSE, FRAMES, marks)).body


def test_one_call_is_written_once_and_replaces_nothing_unasked(tmp_path: Path) -> None:
    put(said("a"), tmp_path, replaces=False)

    assert 1 == put(said("a"), tmp_path, replaces=False).unchanged
    with pytest.raises(ConfigError, match="has another answer to this request\n\nhint: --replace"):
        put(said("b"), tmp_path, replaces=False)
    assert (200, answer("a")) == play(replayer(tmp_path), chat())

    assert 1 == put(said("b"), tmp_path, replaces=True).recorded
    assert 1 == len(list(tmp_path.iterdir()))
    assert (200, answer("b")) == play(replayer(tmp_path), chat())
