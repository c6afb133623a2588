from __future__ import annotations

import json
from typing import Any

from khazad_mitm.record.matching import essence
from khazad_mitm.record.why import differences, nearest, table
from tests.record.calls import URL, chat, post


def between(recorded: dict[str, Any], asked: dict[str, Any]) -> list[str]:
    one, other = (essence(post(URL, json.dumps(body).encode())) for body in (recorded, asked))
    return [" ".join(str(change).split()) for change in differences(one, other)]


def test_fields_are_named_by_their_place() -> None:
    assert ['model "a" → "b"', "n 1 → absent", 'tools[0].name absent → "f"'] == between(
        {"model": "a", "n": 1, "tools": [{}]}, {"model": "b", "tools": [{"name": "f"}]}
    )


def test_numbers_and_truth_are_different_things() -> None:
    assert ["a 1 → true", "b 1 → 1.0"] == between({"a": 1, "b": 1}, {"a": True, "b": 1.0})


def test_the_spelling_of_a_number_is_a_difference() -> None:
    one, other = (essence(post(URL, body)) for body in (b'{"a":1.0}', b'{"a":1.00}'))

    assert ["spelling of numbers   usual → 1.00"] == [str(d) for d in differences(one, other)]


def test_long_texts_are_shown_where_they_part() -> None:
    (line,) = between({"a": "x" * 200 + "one" + "y" * 200}, {"a": "x" * 200 + "two" + "y" * 200})

    assert line == f'a "…{"x" * 12}one{"y" * 45}…" → "…{"x" * 12}two{"y" * 45}…"'


def test_where_it_goes_is_a_difference() -> None:
    one, other = essence(chat()), essence(post("https://h/v1/x?a=1", chat().body))

    assert ["host", "path"] == [change.field for change in differences(one, other)]


def test_a_table_is_aligned_and_ends() -> None:
    changes = differences(
        essence(chat(**{f"f{n}": n for n in range(12)})), essence(chat(a_long_name=1))
    )

    lines = table(changes).splitlines()
    assert "  f0   0 → absent" == lines[0]
    assert "  and 5 more" == lines[-1]


def test_without_recordings_nothing_is_near() -> None:
    assert nearest(essence(chat()), []) is None
