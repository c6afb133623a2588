from __future__ import annotations

from pathlib import Path

from tests.cli.programs import khazad

EXPECTED = [
    ("provider", "a new question"),
    ("exact", "the same again"),
    ("semantic 0.9", "in other words"),
    ("provider", "a new question"),
    ("refused figures", "looks alike, is not"),
    ("provider", "a new question, streamed"),
    ("exact", "the same again, streamed"),
    ("exact", "answered above, now streamed"),
]


def test_the_demo_shows_what_it_promises(tmp_path: Path, clients_python: Path) -> None:
    done = khazad(tmp_path, "demo", more={"KHAZAD_CLIENTS_PYTHON": str(clients_python)})
    told = [line for line in done.stdout.splitlines() if " ms " in line]

    assert 0 == done.returncode, done.stderr
    assert len(EXPECTED) == len(told)
    for (source, what), line in zip(EXPECTED, told, strict=True):
        assert source in line
        assert line.endswith(what)
