from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.messages import Request
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.rebase import Kin, replaced, tokens
from khazad_mitm.record.recorder import Recorder, RecordMode
from khazad_mitm.record.report import Report
from tests.record.calls import answer, chat, play, record


def asked(text: str, system: str = "Be brief.", **more: Any) -> Request:
    turns = [{"role": "system", "content": system}, {"role": "user", "content": text}]
    return chat(messages=turns, **more)


def tool(description: str) -> dict[str, Any]:
    return {"type": "function", "function": {"name": "f", "description": description}}


def rebasing(folder: Path) -> tuple[Recorder, Kin]:
    cassette = Cassette.open(folder)
    kin = Kin(cassette)
    return Recorder(cassette, RecordMode.NONE, stand_in=kin), kin


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        (asked("hi"), asked("hi", "Be kind."), "messages[0].content"),
        (asked("hi"), chat("hi"), "messages[0].role"),
        (chat("hi", tools=[tool("x")]), chat("hi", tools=[tool("y")]), "tools[0].function"),
        (chat("hi"), chat("hi", tools=[tool("y")]), "tools"),
    ],
    ids=["system prompt", "no system prompt", "tools", "first tools"],
)
def test_what_differs_in_system_prompt_or_tools_stands_in_and_is_noted(
    tmp_path: Path, old: Request, new: Request, field: str
) -> None:
    record(tmp_path, (old, answer("old")))
    recorder, kin = rebasing(tmp_path)

    assert (200, answer("old")) == play(recorder, new)
    (one,) = kin.affected
    assert one.changes[0].field.startswith(field)
    assert () == recorder.report().unrecorded


@pytest.mark.parametrize("new", [asked("ho", "Be kind."), asked("hi", "Be kind.", temperature=1)])
def test_what_differs_in_more_is_a_miss(tmp_path: Path, new: Request) -> None:
    record(tmp_path, (asked("hi"), answer("old")))
    recorder, kin = rebasing(tmp_path)

    assert 400 == play(recorder, new)[0]
    assert [] == kin.affected


def test_each_stands_in_once_in_order_and_the_nearest_prompt_first(tmp_path: Path) -> None:
    clerk, cook = "You are a clerk.", "You are a cook."
    said = ((asked("hi", clerk), "1"), (asked("hi", cook), "2"), (asked("hi", cook), "3"))
    record(tmp_path, *((request, answer(text)) for request, text in said))
    recorder, kin = rebasing(tmp_path)

    again = asked("hi", "You are a cook!")

    assert [answer("2"), answer("3")] == [play(recorder, again)[1] for _ in range(2)]
    assert (200, answer("1")) == play(recorder, asked("hi", clerk))
    assert 400 == play(recorder, again)[0]
    assert 2 == len(kin.affected)


def test_tokens_are_those_of_the_recording_and_of_what_has_grown(tmp_path: Path) -> None:
    record(tmp_path, (asked("hi"), answer("old")))
    recorder, kin = rebasing(tmp_path)

    play(recorder, asked("hi", "Be brief." + "!" * 40))

    assert ("gpt-4o", 1 + 40 // 4, 2) == tokens(kin.affected[0])


def test_what_has_a_new_twin_is_replaced_and_all_after_a_whole_run(tmp_path: Path) -> None:
    turns = [{"role": "assistant", "content": "old"}, {"role": "user", "content": "go on"}]

    def both(system: str) -> list[Request]:
        first = [{"role": "system", "content": system}, {"role": "user", "content": "hi"}]
        return [chat(messages=first), chat(messages=[*first, *turns])]

    record(tmp_path, *((request, answer("old")) for request in both("one")))
    recorder, kin = rebasing(tmp_path)
    for request in both("two"):
        play(recorder, request)
    # The second turn now goes another way, and is not asked for.
    live = record(tmp_path, (both("two")[0], answer("new"))).report()

    first, second = (one.recording.path for one in kin.affected)
    now = Cassette.open(tmp_path)
    assert [first] == replaced(kin.affected, live, now, is_whole=False)
    assert [first, second] == replaced(kin.affected, live, now, is_whole=True)
    asked_for = Report(written=live.written, unused=(second,))
    assert [second] == replaced(kin.affected, asked_for, now, is_whole=True)
