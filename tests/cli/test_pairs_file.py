from __future__ import annotations

import json
from pathlib import Path

import pytest

from khazad_mitm.cli.pairs_file import LabelledPair, Question, read
from khazad_mitm.errors import ConfigError

GOOD = '{"a": "One?", "b": "1?", "same": true}\n{"a": "One?", "b": "Two?", "same": false}\n'


def test_a_question_is_a_text_or_messages(tmp_path: Path) -> None:
    file = tmp_path / "pairs.jsonl"
    system, user = {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Why?"}
    file.write_text(GOOD + "\n" + json.dumps({"a": [user], "b": [system, user], "same": False}))

    assert [
        LabelledPair(Question("One?"), Question("1?"), True),
        LabelledPair(Question("One?"), Question("Two?"), False),
        LabelledPair(
            Question("Why?"), Question("Why?", json.dumps([system], sort_keys=True)), False
        ),
    ] == read(str(file))


@pytest.mark.parametrize(
    "line",
    [
        "nothing",
        "[1]",
        '{"a": "One?", "same": true}',
        '{"a": "One?", "b": " ", "same": true}',
        '{"a": "One?", "b": 1, "same": true}',
        '{"a": "One?", "b": "Two?", "same": 1}',
        '{"a": "One?", "b": [{"role": "assistant", "content": "Yes."}], "same": true}',
        '{"a": "One?", "b": [{"role": "user", "content": [{"type": "text"}]}], "same": true}',
        '{"a": "One?", "b": [], "same": true}',
    ],
)
def test_a_line_that_is_no_pair_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text(GOOD + line + "\n")
    with pytest.raises(ConfigError, match=r"pairs\.jsonl, line 3: not a labelled pair\n\nhint"):
        read(str(file))


@pytest.mark.parametrize(("line", "what"), [(0, "not the same"), (1, "the same"), (2, "the same")])
def test_both_labels_are_needed(tmp_path: Path, line: int, what: str) -> None:
    file = tmp_path / "pairs.jsonl"
    file.write_text([*GOOD.splitlines(), ""][line])
    with pytest.raises(ConfigError, match=f"there is no pair that means {what}"):
        read(str(file))


def test_a_file_that_is_not_there_is_an_error() -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.jsonl cannot be read \(No such file"):
        read("nowhere.jsonl")
