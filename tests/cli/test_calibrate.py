"""With the bundled model, in a process of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .programs import khazad

THINGS = "card phone order parcel invoice account ticket laptop".split()


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Questions in other words, questions about other things, and some that are left out."""
    rows = [(f"Where is my {thing}?", f"where is my {thing}", True) for thing in THINGS]
    rows += [
        (f"Where is my {one}?", f"How do I bake bread with {other} {number}?", False)
        for one in THINGS
        for other in THINGS
        for number in ("white", "brown")
    ]
    rows += [
        ("Where is order 1?", "Where is order 2?", False),
        ("What is the weather in Rome?", "How is the weather in Rome?", True),
        ("word " * 300, "word " * 301, False),
    ]
    file = tmp_path_factory.mktemp("pairs") / "pairs.jsonl"
    lines = [json.dumps({"a": a, "b": b, "same": same}) for a, b, same in rows]
    file.write_text("\n".join(lines))
    return file


def config(folder: Path) -> dict[str, str]:
    return {"XDG_CONFIG_HOME": str(folder)}


def test_a_threshold_is_proposed_and_kept(tmp_path: Path, pairs: Path) -> None:
    ran = khazad(
        tmp_path, "calibrate", str(pairs), "--max-wrong", "0.05", "--json", "--save",
        "--profile", "faq", more=config(tmp_path),
    )  # fmt: skip
    said = json.loads(ran.stdout)
    file = tmp_path / "khazad-mitm" / "calibration.json"
    kept = json.loads(file.read_text())[said["embedding_model"]]

    assert 0 == ran.returncode
    assert {"figures", "moment", "window"} <= said["refused"].keys()
    assert (8, 9, 0) == tuple(said["proposed"][n] for n in ("hits", "same", "false_hits"))
    assert said["proposed"]["threshold"] == kept["faq"]["threshold"] < 0.9
    assert f"kept in {file} for profile faq" in ran.stderr


def test_the_table_goes_to_stdout_and_talk_to_stderr(tmp_path: Path, pairs: Path) -> None:
    ran = khazad(tmp_path, "calibrate", str(pairs), "--max-wrong", "0.05", more=config(tmp_path))

    assert 51 == len(ran.stdout.splitlines())
    assert ran.stdout.startswith("threshold  recall")
    assert "set it with --threshold" in ran.stderr
    assert not (tmp_path / "khazad-mitm" / "calibration.json").exists()


def test_too_few_pairs_are_told_and_nothing_is_kept(tmp_path: Path, pairs: Path) -> None:
    ran = khazad(tmp_path, "calibrate", str(pairs), "--save", "--json", more=config(tmp_path))

    assert 1 == ran.returncode
    assert None is json.loads(ran.stdout)["proposed"]
    assert "it takes 299 pairs that differ, and 130 were given" in ran.stderr
    assert not (tmp_path / "khazad-mitm" / "calibration.json").exists()


def test_a_share_out_of_bounds_is_refused(tmp_path: Path, pairs: Path) -> None:
    ran = khazad(tmp_path, "calibrate", str(pairs), "--max-wrong", "1.5")

    assert 2 == ran.returncode
    assert "'1.5' is not a share" in ran.stderr
