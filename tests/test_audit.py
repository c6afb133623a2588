from __future__ import annotations

from typing import Any

from scripts.audit import installed, verdict

NAMES = ["h11==0.14.0", "numpy==2.0.0"]
SAFE = {"name": "numpy", "version": "2.0.0", "vulns": []}
HOLE = {"id": "PYSEC-1", "fix_versions": ["0.16.0"]}


def judged(*packages: dict[str, Any]) -> tuple[list[str], bool]:
    return verdict({"dependencies": list(packages)}, NAMES)


def test_a_known_vulnerability_is_named_with_what_mends_it() -> None:
    told, is_well = judged(SAFE, {"name": "h11", "version": "0.14.0", "vulns": [HOLE]})

    assert not is_well
    assert "h11 0.14.0: PYSEC-1, mended by 0.16.0" == told[0]


def test_a_package_nobody_could_ask_about_is_not_called_safe() -> None:
    told, is_well = judged(SAFE, {"name": "h11", "skip_reason": "not found"})

    assert not is_well
    assert told[-1].startswith("not audited")


def test_all_is_well_where_all_was_asked_and_nothing_is_known() -> None:
    told, is_well = judged(SAFE, {"name": "h11", "version": "0.14.0", "vulns": []})

    assert is_well
    assert ["2 of 2 packages compared, 0 known vulnerabilities"] == told


def test_what_is_installed_is_listed_without_us() -> None:
    assert any(name.startswith("pytest==") for name in installed())
    assert not any(name.startswith("khazad-mitm==") for name in installed())
