from __future__ import annotations

import json
from pathlib import Path

from scripts.clients_page import page
from tests.end_to_end.matrix import CLIENTS

COMMITTED = Path(__file__).resolve().parents[1] / "docs" / "clients.md"
STEPS = {"tls": True, "plain": True, "stream": True, "again": True}
FOUND = {"language": "Node", "name": "fetch", "version": "20.1", **STEPS}


def rows(text: str) -> list[list[str]]:
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines[2:]]


def test_what_was_found_is_told_and_what_was_not_tried() -> None:
    told = {(row[0], row[1]): row for row in rows(page([json.dumps(FOUND)]))}

    assert ["20.1", "yes", "yes", "yes", "yes"] == told["Node", "fetch"][2:7]
    assert "not tried" == told["Go", "net/http"][2]


def test_a_client_that_fails_is_not_hidden() -> None:
    told = rows(page([json.dumps({**FOUND, "again": False})]))

    assert ["yes", "yes", "yes", "**no**"] in [row[3:7] for row in told]


def test_the_page_lists_every_client_and_each_has_passed() -> None:
    told = rows(COMMITTED.read_text())

    assert [[c.language, c.package or c.name] for c in CLIENTS] == [row[:2] for row in told]
    assert "**no**" not in COMMITTED.read_text()
