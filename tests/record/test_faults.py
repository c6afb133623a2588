from __future__ import annotations

import time
from pathlib import Path

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.fronts import Played
from khazad_mitm.messages import Headers
from khazad_mitm.record.faults import fault_in
from khazad_mitm.record.rules import read_rules
from tests.record.calls import SSE, answer, chat, play, record, replayer

ASKED = chat()
FRAMES = b"data: 1\n\ndata: 2\n\ndata: [DONE]\n\n"


def declare(folder: Path, *faults: str) -> None:
    (folder / "cassette.yaml").write_text("\n- ".join(("faults:", *faults)))


def test_an_error_comes_first_and_the_recording_after_it(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, answer("x")))
    declare(tmp_path, "{status: 429, retry_after: 2, times: 1}")
    recorder = replayer(tmp_path)

    outcome = recorder.look_up(ASKED)

    assert isinstance(outcome, Played)
    assert (429, "2") == (outcome.reply.status, outcome.reply.headers.get("retry-after"))
    assert b'"message":"a fault of the cassette: status 429"' in outcome.reply.body
    assert (200, answer("x")) == play(recorder, ASKED)


def test_a_stream_ends_after_some_frames(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, FRAMES), headers=SSE)
    declare(tmp_path, "{where: refund, cut_after: 2}", "{where: elsewhere, status: 500}")

    assert (200, b"data: 1\n\ndata: 2\n\n") == play(replayer(tmp_path), ASKED)


async def test_a_slow_answer_takes_its_time_and_stops_nobody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)

    record(tmp_path, (ASKED, answer("x")), (ASKED, answer("y")))
    declare(tmp_path, "{delay_ms: 800}")
    recorder = replayer(tmp_path)
    monkeypatch.setattr(time, "sleep", slept.append)
    monkeypatch.setattr("khazad_mitm.record.recorder.asyncio.sleep", sleep)

    play(recorder, ASKED)
    await recorder.look_up_async(ASKED)

    assert [0.8, 0.8] == slept


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ("{times: 1}", "2: faults: a fault has one of status, delay_ms, timing, cut_after, reset"),
        ("{timing: true}", "2: faults: timing: True is no int"),
        ("{reset: 1}", "2: faults: reset: 1 is no bool"),
        ("{status: 200}", "2: faults: status: 200 is no error"),
        ("{status: soon}", "2: faults: status: 'soon' is no int"),
        ("{delay_ms: -1}", "2: faults: delay_ms: -1 is no int"),
        ("{stat: 500}", "2: faults: 'stat' is none of where, status"),
    ],
)
def test_what_is_no_fault_is_said_with_its_line(tmp_path: Path, fault: str, message: str) -> None:
    declare(tmp_path, fault)

    with pytest.raises(ConfigError, match=message):
        read_rules(tmp_path)


def test_a_reset_before_anything_uses_up_no_recording(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, answer("x")))
    declare(tmp_path, "{reset: true, times: 1}")
    recorder = replayer(tmp_path)

    outcome = recorder.look_up(ASKED)

    assert isinstance(outcome, Played)
    assert 0 == outcome.reply.resets_after
    assert (200, answer("x")) == play(recorder, ASKED)


@pytest.mark.parametrize("text", ["status: 429, times: 1", "{status: 429, times: 1}"])
def test_a_rule_of_the_command_line_is_one_of_a_cassette(tmp_path: Path, text: str) -> None:
    record(tmp_path, (ASKED, answer("x")))
    recorder = replayer(tmp_path, faults=[fault_in(text)])

    assert [429, 200] == [play(recorder, ASKED)[0] for _ in range(2)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "a fault has one of status"),
        ("status", "status: None is no int"),
        ("status=429", "'status=429' is none of where"),
        ("status: [", "did not find expected node content"),
    ],
)
def test_what_is_no_rule_is_refused_with_an_example(text: str, why: str) -> None:
    with pytest.raises(ConfigError, match=f"(?s)^--fault: .*{why}.*hint: for example"):
        fault_in(text)


def test_the_headers_of_a_fault_are_those_of_its_provider(tmp_path: Path) -> None:
    record(tmp_path, (ASKED, b"{}"), headers=Headers())
    declare(tmp_path, "{status: 503}")

    outcome = replayer(tmp_path).look_up(ASKED)

    assert isinstance(outcome, Played)
    assert "x-should-retry" not in outcome.reply.headers
