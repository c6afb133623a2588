from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.record.bodies import Beside
from khazad_mitm.record.yamls import Flow, NotYaml, dump, load
from tests.strategies import json_objects


@given(json_objects)
def test_what_is_written_is_read_as_it_was(value: dict[str, Any]) -> None:
    try:
        text = dump(value)
    except ValueError:
        return

    assert value == load(text)
    assert text == dump(value)


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "no",
        "on",
        "null",
        "~",
        "true",
        "1",
        "1.5",
        "1e3",
        "1_000",
        "0x1f",
        "2024-01-31",
        "12:30",
        "<<",
        "=",
        "",
        " lead",
        "trail ",
        "- x",
        "#c",
        "a: b",
        "\n",
        "a\nb",
        "\r\n",
        ".inf",
        "\u2028",
        "🦊\nmany\nlines",
        "'",
        '"',
        "@",
        "`",
        "%",
        "!x",
        "&x",
        "*x",
        "|",
        ">",
        "?",
        "{",
    ],
)
def test_a_text_stays_a_text(text: str) -> None:
    assert {"a": text, text: "b"} == load(dump({"a": text, text: "b"}))


def test_what_people_write_by_hand_is_no_surprise() -> None:
    written = "country: no\nday: 2024-01-31\ntime: 12:30\ncount: 3\nshare: 0.5\nnone: null\n"

    assert {
        "country": "no",
        "day": "2024-01-31",
        "time": "12:30",
        "count": 3,
        "share": 0.5,
        "none": None,
    } == load(written)


def test_several_lines_are_several_lines() -> None:
    assert "a: |-\n  one 🦊\n  two\n" == dump({"a": "one 🦊\ntwo"})


def test_a_frame_is_a_line_and_so_is_a_vector() -> None:
    assert "- {at: 1, data: x}\n" == dump([Flow(at=1, data="x")])
    assert "v: [0.5, 1]\n" == dump({"v": [0.5, 1]})


def test_a_file_beside_is_named_by_a_tag() -> None:
    beside = {"a": Beside("x.png", True, "data:image/png;base64,"), "b": Beside("x.txt", False)}

    assert beside == load(dump(beside))


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\na: 2", 2, "'a' stands here twice"),
        ("a: &x 1\nb: *x", 2, "no aliases here"),
        ("a:\n- [1,", 3, "did not find expected node content"),
        ("a: 1\nb: !python/object:os.system x", 2, "!python/object:os.system is no tag of ours"),
        ("a: 1\n b: 2", 2, "mapping values are not allowed"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a: 1e999", 1, "1e999 is too large"),
        ("b: 1\na: -" + "9" * 5_000, 2, "a number too long"),
        ("a: !beside {png: x}", 1, "!beside wants base64 or text"),
        ("? [a]\n: b", 1, "a key is a text"),
        ("a: \x00", 1, "control characters are not allowed"),
        ("[" * 5000, 1, "too deep|maximum nesting depth"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, line: int, message: str) -> None:
    with pytest.raises(NotYaml, match=message) as raised:
        load(text)

    assert line == raised.value.line


def test_half_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(ValueError, match="no YAML"):
        dump({"a": "\ud800"})
