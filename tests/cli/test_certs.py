from __future__ import annotations

import stat
from pathlib import Path

import pytest

from khazad_mitm.cli import certs
from khazad_mitm.errors import ConfigError
from tests.cli.programs import khazad
from tests.end_to_end.certificates import Authority


def test_it_writes_what_programs_need_and_says_where(tmp_path: Path) -> None:
    done = khazad(tmp_path, "certs", "--out", str(tmp_path / "out"))
    told = {line[:18].strip(): line[18:].partition(" (")[0] for line in done.stdout.splitlines()}

    assert 0 == done.returncode, done.stderr
    assert {"authority", "bundle", "java trust store", "node preload"} == set(told)
    assert all(Path(path).is_file() for path in told.values())
    assert Path(told["authority"]).read_text().strip() in Path(told["bundle"]).read_text()


def test_the_key_is_its_owners_and_is_not_shown(tmp_path: Path) -> None:
    khazad(tmp_path, "certs")
    folder = tmp_path / ".mitmproxy"
    for name in ("mitmproxy-ca.pem", "mitmproxy-ca.p12"):
        (folder / name).chmod(0o644)
    done = khazad(tmp_path, "certs")
    readable = [
        path.name
        for path in folder.rglob("*")
        if path.is_file()
        and stat.S_IMODE(path.stat().st_mode) & 0o077
        and (b"PRIVATE KEY" in path.read_bytes() or path.name == "mitmproxy-ca.p12")
    ]

    assert [] == readable
    assert "PRIVATE" not in done.stdout + done.stderr


def test_the_authority_stays_what_it_is(tmp_path: Path) -> None:
    khazad(tmp_path, "certs")
    before = (tmp_path / ".mitmproxy/mitmproxy-ca.pem").read_bytes()
    khazad(tmp_path, "certs")

    assert before == (tmp_path / ".mitmproxy/mitmproxy-ca.pem").read_bytes()


def test_the_systems_store_is_added_to_and_taken_from(tmp_path: Path, authority: Authority) -> None:
    told = tmp_path / "told"
    where = certs.Anchor(tmp_path, ("/bin/sh", "-c", f"echo refreshed >> {told}"))
    installed = tmp_path / certs.INSTALLED_NAME

    assert 0 == certs.install(where, authority.ca)
    assert authority.ca.read_bytes() == installed.read_bytes()
    assert 0 == certs.remove(where)
    assert not installed.exists()
    assert "refreshed\nrefreshed\n" == told.read_text()
    assert 0 == certs.remove(where)


def test_a_store_that_cannot_be_written_to_is_an_error_with_a_hint(authority: Authority) -> None:
    with pytest.raises(ConfigError, match="hint: it takes root"):
        certs.install(certs.Anchor(Path("/no/such/folder"), ("true",)), authority.ca)


def test_a_system_of_an_unknown_kind_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(certs, "ANCHORS", ())

    with pytest.raises(ConfigError, match="no way is known"):
        certs.anchor()
