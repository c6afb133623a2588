from __future__ import annotations

import base64
import builtins
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.errors import ConfigError, MissingExtra
from khazad_mitm.store.seal import Seal
from khazad_mitm.store.seal_keys import seal_of

ONE, TWO = bytes(range(32)), bytes(range(100, 132))
TEXT = base64.b64encode(ONE).decode()


def ids(*keys: bytes) -> tuple[str, ...]:
    return Seal(keys, "n").key_ids


def of(environ: dict[str, str] | None = None, file: Path | None = None) -> Seal | None:
    return seal_of(None if file is None else str(file), "n", environ or {})


def written(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


def test_without_a_key_nothing_is_sealed() -> None:
    assert of() is None
    assert of({"KHAZAD_ENCRYPTION_KEY": " "}) is None


@pytest.mark.parametrize(
    "text",
    [TEXT, TEXT.rstrip("="), base64.urlsafe_b64encode(ONE).decode(), ONE.hex(), ONE.hex().upper()],
)
def test_a_key_is_base64_or_hex(text: str) -> None:
    seal = of({"KHAZAD_ENCRYPTION_KEY": text})

    assert seal is not None
    assert ids(ONE) == seal.key_ids


@pytest.mark.parametrize("between", [",", " ", ", ", "\n"])
def test_the_environment_may_hold_several(between: str) -> None:
    seal = of({"KHAZAD_ENCRYPTION_KEY": TWO.hex() + between + TEXT})

    assert seal is not None
    assert ids(TWO, ONE) == seal.key_ids


def test_a_file_holds_one_key_a_line_and_remarks(tmp_path: Path) -> None:
    text = f"# since November\n{TWO.hex()}\n\n{TEXT}  # until December\n"
    seal = of(file=written(tmp_path / "keys", text, 0o440))

    assert seal is not None
    assert ids(TWO, ONE) == seal.key_ids


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "holds no key"),
        ("# nothing yet", "holds no key"),
        ("secret", "line 1 is not 32 bytes in base64 or hex"),
        (f"{TEXT}\n{TEXT[:-5]}", "line 2 is not 32 bytes"),
        (f"{TEXT}\n{ONE.hex()}", "line 2 is a key that was given before"),
        ("0" * 64, "line 1 is not random"),
        ("x" * 64, "line 1 is not 32 bytes"),
        ("A" * 44, "line 1 is not 32 bytes"),
    ],
)
def test_what_cannot_be_a_key_is_refused_and_never_repeated(
    tmp_path: Path, text: str, complaint: str
) -> None:
    with pytest.raises(ConfigError, match=complaint) as refused:
        of(file=written(tmp_path / "keys", text))

    assert "khazad_encryption_key_file" in str(refused.value)
    assert TEXT[:-5] not in str(refused.value)
    if "secret" in text:
        assert "secret" not in str(refused.value)


def test_one_of_the_environment_is_told_by_its_place() -> None:
    with pytest.raises(ConfigError, match="KHAZAD_ENCRYPTION_KEY: key 2 is not 32 bytes"):
        of({"KHAZAD_ENCRYPTION_KEY": f"{TEXT},hunter2"})


@pytest.mark.parametrize("mode", [0o644, 0o604, 0o620, 0o660, 0o666])
def test_a_file_that_others_can_get_at_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(ConfigError, match=f"has mode {mode:04o}: others can get at it"):
        of(file=written(tmp_path / "keys", TEXT, mode))


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(os.urandom(64) + b"\xff")
    (tmp_path / "binary").chmod(0o600)
    for name, complaint in (("none", "No such file"), ("", "directory"), ("binary", "is no text")):
        with pytest.raises(ConfigError, match=complaint):
            of(file=tmp_path / name)


def test_keys_in_two_places_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="KHAZAD_ENCRYPTION_KEY is set too"):
        of({"KHAZAD_ENCRYPTION_KEY": TEXT}, written(tmp_path / "keys", TEXT))


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("cryptography"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    for name in [name for name in sys.modules if name.startswith("cryptography.hazmat.primitives")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(MissingExtra, match=r"khazad-mitm\[encryption\]"):
        of({"KHAZAD_ENCRYPTION_KEY": TEXT})
