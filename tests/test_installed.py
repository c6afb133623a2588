from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest

from khazad_mitm.installed import complaint, rivals, stranger

CHECKOUT = Path(__file__).resolve().parents[1]


def install(folder: Path, name: str, version: str, *files: str, record: str = "RECORD") -> Path:
    """A distribution as pip leaves it behind; its files are empty."""
    about = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    about.mkdir(parents=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n")
    lines = files if record == "top_level.txt" else [f"{file},sha256=x,1" for file in files]
    (about / record).write_text("\n".join(lines) + "\n")
    for file in files if record == "RECORD" else ():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text("")
    return folder


def found(folder: Path) -> list[str]:
    return rivals(distributions(path=[str(folder)]))


def test_another_distribution_with_our_import_name_is_a_rival(tmp_path: Path) -> None:
    install(tmp_path, "khazad-mitm", "0.1.0", "khazad/__init__.py", "khazad_mitm/__init__.py")
    install(tmp_path, "numpy", "2.0", "numpy/__init__.py", "numpy/khazad/__init__.py")
    install(tmp_path, "khazad", "0.1.3", "khazad/_models.py", "khazad/__init__.py")

    assert ["khazad 0.1.3"] == found(tmp_path)


def test_one_without_a_record_is_known_by_its_own_word(tmp_path: Path) -> None:
    install(tmp_path, "Khazad-fork", "2", "khazad", record="top_level.txt")

    assert ["Khazad-fork 2"] == found(tmp_path)


@pytest.mark.parametrize("name", ["khazad-mitm", "khazad_mitm", "Khazad.MITM"])
def test_we_are_no_rival_of_our_own(tmp_path: Path, name: str) -> None:
    install(tmp_path, name, "9", "khazad/__init__.py")

    assert [] == found(tmp_path)


def test_the_complaint_says_how_to_mend_it() -> None:
    assert "" == complaint([])
    assert complaint(["khazad 0.1.3"]).endswith(
        "hint: pip uninstall -y khazad && pip install --force-reinstall --no-deps khazad-mitm"
    )


def test_here_the_import_is_ours() -> None:
    assert [] == rivals()
    assert "" == stranger()


def run(program: str, *path: Path) -> subprocess.CompletedProcess[str]:
    places = os.pathsep.join(map(str, path))
    return subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": places},
        cwd=sys.prefix,  # the first place of all, with `-c`
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )


def test_a_package_that_overlays_ours_is_a_stranger(tmp_path: Path) -> None:
    install(tmp_path, "khazad", "0.1.3", "khazad/__init__.py")
    done = run("from khazad_mitm.installed import stranger; print(stranger())", tmp_path, CHECKOUT)

    assert str(tmp_path / "khazad" / "__init__.py") == done.stdout.strip()


def test_init_says_that_another_distribution_has_our_import_name(tmp_path: Path) -> None:
    install(tmp_path, "khazad", "0.1.3", "khazad/__init__.py")
    program = "import khazad; khazad.init(redis_url='memory', mode='exact'); khazad.stop()"
    done = run(program, CHECKOUT, tmp_path)

    assert "with the same import name `khazad`: khazad 0.1.3;" in done.stderr
    assert "hint: pip uninstall -y khazad &&" in done.stderr
