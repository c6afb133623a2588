from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from khazad_mitm.cli import main
from tests.record.calls import SSE, answer, chat, record

FRAMES = b'data: {"a":1}\n\ndata: [DONE]\n\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    record(tmp_path, (chat("one"), answer("x")))
    record(tmp_path / "below", (chat("two"), FRAMES), headers=SSE)
    return tmp_path


def path_of(folder: Path, word: str) -> str:
    return str(next(folder.rglob(f"*{word}*.yaml")))


def test_ls_lists_the_recordings_and_those_below(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 0 == main(["cassette", "ls", str(folder), "--json"])

    rows = json.loads(capsys.readouterr().out)
    assert [path_of(folder, "one"), path_of(folder, "two")] == [row["file"] for row in rows]
    assert [("gpt-4o", 200, 1), ("gpt-4o", 200, 2)] == [
        (row["model"], row["status"], row["frames"]) for row in rows
    ]


def test_show_prints_question_and_answer(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["cassette", "show", path_of(folder, "two")])

    said = capsys.readouterr().out
    assert "POST api.openai.com/v1/chat/completions   openai-chat gpt-4o" in said
    assert '"content": "two"' in said
    assert "data: [DONE]" in said


def test_diff_names_the_fields(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = path_of(folder, "one"), path_of(folder, "two")

    assert 1 == main(["cassette", "diff", one, two])
    assert 'messages[0].content   "one" → "two"\n' == capsys.readouterr().out
    assert 0 == main(["cassette", "diff", one, one])


def test_check_finds_nothing_in_what_we_write(folder: Path) -> None:
    assert 0 == main(["cassette", "check", str(folder)])


def test_check_names_what_is_wrong(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (Path(path_of(folder, word)) for word in ("one", "two"))
    one.write_text(one.read_text().replace("content: one", "content: AKIA" + "ABCD" * 4))
    two.write_text(two.read_text().replace("method: POST", "method: ["))
    (folder / "stray.bin").write_bytes(b"x")

    assert 1 == main(["cassette", "check", str(folder)])

    lines = capsys.readouterr().out.splitlines()
    assert f"{one}: request.body.json.messages[0].content: a key" in lines
    assert any(line.startswith(f"{one}: unreachable") for line in lines)
    assert any(re.match(rf"{re.escape(str(two))}:\d+: ", line) for line in lines)
    assert f"{folder / 'stray.bin'}: no recording names it" in lines


def test_age_lists_what_is_old(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = Path(path_of(folder, "one"))
    text = one.read_text()
    start = text.index("recorded: '") + len("recorded: '")
    one.write_text(text[:start] + "2001-01-01" + text[start + 10 :])

    assert 0 == main(["cassette", "age", str(folder), "--days", "30", "--json"])

    assert [str(one)] == [row["file"] for row in json.loads(capsys.readouterr().out)]


def test_stats_counts(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == main(["cassette", "stats", str(folder), "--json"])

    said = json.loads(capsys.readouterr().out)
    assert (2, 2, 1, 0) == tuple(said[n] for n in ("recordings", "cassettes", "streams", "errors"))
    assert {"openai-chat": 2} == said["by provider"]


@pytest.mark.parametrize("verb", ["ls", "check", "age", "stats"])
def test_a_directory_that_is_not_there_is_said(
    verb: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert 2 == main(["cassette", verb, str(tmp_path / "nowhere")])
    assert "nowhere is no directory" in capsys.readouterr().err
