from __future__ import annotations

import json
from pathlib import Path

import pytest

from khazad_mitm import calibration_file
from khazad_mitm.errors import ConfigError


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def test_nothing_is_known_before_anything_is_saved() -> None:
    assert {} == calibration_file.thresholds("m", ())


def test_a_threshold_belongs_to_a_model_a_profile_and_the_guards_it_was_found_with() -> None:
    calibration_file.save("m", "balanced", 0.84, ["order", "figures"], {"max_wrong": 0.01})
    calibration_file.save("m", "faq", 0.80, ["figures", "order"], {})
    calibration_file.save("n", "faq", 0.70, [], {})

    assert {"balanced": 0.84, "faq": 0.80} == calibration_file.thresholds(
        "m", frozenset({"figures", "order"})
    )
    assert {} == calibration_file.thresholds("m", ())
    assert {"faq": 0.70} == calibration_file.thresholds("n", ())


def test_saving_again_replaces() -> None:
    for threshold in (0.84, 0.86):
        file = calibration_file.save("m", "balanced", threshold, [], {})

    assert {"balanced": 0.86} == calibration_file.thresholds("m", ())
    assert [file] == list(file.parent.iterdir())


def test_a_relative_folder_does_not_count(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    assert tmp_path / "home/.config/khazad-mitm/calibration.json" == calibration_file.path()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"m": 1}',
        json.dumps({"m": {"faq": 0.8}}),
        json.dumps({"m": {"faq": {"threshold": 2, "guards_off": []}}}),
        json.dumps({"m": {"faq": {"threshold": 0.8}}}),
    ],
)
def test_a_file_that_is_not_ours_is_refused(config: Path, text: str) -> None:
    file = config / "khazad-mitm" / "calibration.json"
    file.parent.mkdir()
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"calibration\.json is not what .*\n\nhint: remove it"):
        calibration_file.thresholds("m", ())


def test_a_folder_that_cannot_be_written_is_an_error(config: Path) -> None:
    (config / "khazad-mitm").write_text("a file")
    with pytest.raises(ConfigError, match=r"--save: .*calibration\.json cannot be written"):
        calibration_file.save("m", "faq", 0.8, [], {})
