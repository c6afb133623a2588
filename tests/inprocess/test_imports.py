from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

from khazad_mitm.inprocess.imports import ImportWatcher


@pytest.fixture
def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[ModuleType]]:
    """Modules of which the import was told; `khazad_late` and `khazad_other` can be imported."""
    for name in ("khazad_late", "khazad_other"):
        (tmp_path / f"{name}.py").write_text("ANSWER = 42\n")
    monkeypatch.syspath_prepend(tmp_path)
    told: list[ModuleType] = []
    watcher = ImportWatcher(["khazad_late"], told.append)
    watcher.install()
    yield told
    watcher.remove()
    for name in ("khazad_late", "khazad_other"):
        sys.modules.pop(name, None)


def test_the_import_of_a_watched_module_is_told_once_it_has_run(watched: list[ModuleType]) -> None:
    importlib.import_module("khazad_other")
    module = importlib.import_module("khazad_late")
    importlib.import_module("khazad_late")

    assert [module] == watched
    assert 42 == module.ANSWER


def test_looking_for_a_module_imports_nothing(watched: list[ModuleType]) -> None:
    assert find_spec("khazad_late") is not None
    assert [] == watched
    assert "khazad_late" not in sys.modules


def test_a_watched_module_keeps_the_loader_it_would_have_had(watched: list[ModuleType]) -> None:
    late = importlib.import_module("khazad_late")
    other = importlib.import_module("khazad_other")

    assert type(other.__loader__) is type(late.__loader__)


def test_a_module_that_is_not_there_is_not_there(watched: list[ModuleType]) -> None:
    watcher = ImportWatcher(["khazad_absent"], watched.append)
    watcher.install()
    try:
        with pytest.raises(ModuleNotFoundError, match="khazad_absent"):
            importlib.import_module("khazad_absent")
    finally:
        watcher.remove()
    assert [] == watched
