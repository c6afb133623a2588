from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import Pair
from khazad_mitm.judge.choose import choose

PAIR = Pair("one", "other", 0.93)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "khazad_checks.py").write_text(
        "def same(pair):\n    return pair.similarity > 0.9\n"
        "class Checks:\n    @staticmethod\n    def same(pair):\n        return False\n"
        "limit = 3\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "khazad_checks", raising=False)
    return tmp_path


def test_a_function_is_named_by_its_module_in_the_folder_where_one_starts(project: Path) -> None:
    assert choose("khazad_checks:same").approves(PAIR)
    assert not choose("khazad_checks:Checks.same").approves(PAIR)
    assert "khazad_checks.same" == choose("khazad_checks:same").name


def test_a_function_itself_will_do() -> None:
    assert choose(lambda pair: True).approves(PAIR)


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ("nothing", "names nothing"),
        (":same", "names nothing"),
        ("khazad_checks:", "names nothing"),
        ("khazad_no_such:same", "cannot be imported: ModuleNotFoundError"),
        ("khazad_checks:other", "cannot be imported: AttributeError"),
        ("khazad_checks:limit", "is not a function"),
    ],
)
def test_what_cannot_be_had_is_refused_with_a_hint(project: Path, named: str, message: str) -> None:
    with pytest.raises(ConfigError, match=f"verifier: '{named}' {message}") as error:
        choose(named)

    assert "hint: module:function" in str(error.value)


def test_a_module_that_fails_is_refused(project: Path) -> None:
    (project / "khazad_broken.py").write_text("1 / 0\n")
    with pytest.raises(ConfigError, match="ZeroDivisionError: division by zero"):
        choose("khazad_broken:same")


@pytest.mark.skipif(
    find_spec("sentence_transformers") is not None, reason="sentence-transformers is installed"
)
def test_a_cross_encoder_without_its_library_names_the_extra() -> None:
    with pytest.raises(ConfigError, match=r'pip install "khazad-mitm\[huggingface\]"'):
        choose("cross-encoder:some/model")
