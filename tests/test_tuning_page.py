"""docs/tuning.md is true of the guards, and what it shows can be typed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from khazad_mitm.cache.moment import REASONS
from khazad_mitm.cli import pairs_file
from khazad_mitm.route_file import SETTINGS, read
from scripts import tuning_page

PAGE = tuning_page.PAGE.read_text()


def test_the_table_of_guards_is_the_one_that_is_printed() -> None:
    assert tuning_page.page() == PAGE, "run `make docs`"
    assert set(REASONS) == tuning_page.REASONS.keys()


def test_the_rules_that_are_shown_can_be_read(tmp_path: Path) -> None:
    shown = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "routes.yaml"
    file.write_text("".join(shown))

    assert 3 == len(read("routes", str(file)))


@pytest.mark.parametrize("name", SETTINGS)
def test_what_a_rule_may_set_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_the_pairs_that_are_shown_can_be_read(tmp_path: Path) -> None:
    shown = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(shown))

    assert [True, False] == [pair.is_same for pair in pairs_file.read(str(file))]
    assert all(json.loads(line) for line in shown[0].splitlines())
