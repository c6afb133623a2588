from __future__ import annotations

from pathlib import Path

from khazad_mitm.proxy import authority


def test_an_authority_is_made_once_and_its_key_is_its_owners(tmp_path: Path) -> None:
    confdir = tmp_path / "new" / "folder"
    first = authority.ensure(confdir).read_bytes()

    assert first == authority.ensure(confdir).read_bytes()
    assert first.startswith(b"-----BEGIN CERTIFICATE-----")
    assert [0o600, 0o600] == [p.stat().st_mode & 0o777 for p in authority.secrets(confdir)]
