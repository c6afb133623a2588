"""`scripts/find-python`, which decides what `make` builds its environments with."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "find-python"
WORKS = "#!/bin/sh\necho {version}:{path}\n"
BROKEN_SHIM = "#!/bin/sh\necho 'command not found' >&2\nexit 127\n"


@pytest.fixture
def path(tmp_path):
    """Two folders of a PATH on which the tools the script needs are all there is besides."""
    first, second, tools = (tmp_path / name for name in ("first", "second", "tools"))
    for folder in (first, second, tools):
        folder.mkdir()
    for tool in ("cut", "grep", "head", "sort", "tr"):
        (tools / tool).symlink_to(which(tool))
    return [first, second, tools]


def which(tool: str) -> Path:
    return next(p for d in os.defpath.split(":") if d and (p := Path(d) / tool).exists())


def put(folder: Path, name: str, version: str | None) -> Path:
    """An executable that answers as a Python of this version does, or as a dead shim: None."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(WORKS.format(version=version, path=file) if version else BROKEN_SHIM)
    file.chmod(0o755)
    return file


def found(path: list[Path], *args: str) -> subprocess.CompletedProcess[str]:
    root = path[0].parent
    environment = {"PATH": ":".join(map(str, path)), "PYENV_ROOT": str(root / "pyenv")}
    return subprocess.run(
        ["/bin/sh", SCRIPT, *args], env=environment, capture_output=True, text=True
    )


def test_the_newest_on_the_path_is_taken(path):
    put(path[0], "python3", "3.9")
    put(path[0], "python3.10", "3.10")
    newest = put(path[1], "python3.12", "3.12")

    assert f"{newest}\n" == found(path).stdout


def test_a_shim_that_does_not_run_hides_nothing(path):
    put(path[0], "python3.13", None)
    real = put(path[1], "python3.13", "3.13")

    assert f"{real}\n" == found(path).stdout


def test_a_python_without_an_embedded_redis_is_the_last_resort(path):
    late = put(path[0], "python3.14", "3.14")
    assert f"{late}\n" == found(path).stdout

    older = put(path[0], "python3.10", "3.10")
    assert f"{older}\n" == found(path).stdout


def test_pyenv_is_asked_where_the_path_has_nothing(path):
    put(path[0], "python3", None)
    kept = put(path[0].parent, "pyenv/versions/3.11.7/bin/python", "3.11")

    assert f"{kept}\n" == found(path).stdout


def test_all_lists_each_version_once(path):
    first = put(path[0], "python3", "3.11")
    put(path[1], "python3.11", "3.11")
    put(path[1], "python3.14", "3.14")
    kept = put(path[0].parent, "pyenv/versions/3.10.1/bin/python", "3.10")

    assert f"3.10:{kept}\n3.11:{first}\n" == found(path, "--all").stdout


def test_nothing_found_says_what_to_do(path):
    put(path[0], "python3", "3.9")

    asked = found(path)
    assert 1 == asked.returncode
    assert "hint: install one" in asked.stderr
