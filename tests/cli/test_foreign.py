from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.programs import CHECKOUT, environ, khazad
from tests.record.calls import names
from tests.record.kinds import of_every_kind


@pytest.mark.parametrize("format_", ["har", "mitm", "vcr"])
def test_export_writes_what_import_takes_over(tmp_path: Path, format_: str) -> None:
    of_every_kind(tmp_path / "one")
    export = [sys.executable, "-m", "khazad_mitm.cli", "cassette", "export", "--format", format_]

    exported = subprocess.run(
        [*export, str(tmp_path / "one")],
        env=environ(tmp_path),
        cwd=CHECKOUT,
        capture_output=True,
        check=True,
    )
    file = tmp_path / {"har": "log.har", "mitm": "flows", "vcr": "theirs.yaml"}[format_]
    file.write_bytes(exported.stdout)
    taken = khazad(tmp_path, "cassette", "import", file.name, "two")

    assert 0 == taken.returncode, taken.stderr
    assert "6 recordings written to two\n" == taken.stderr
    assert names(tmp_path / "one") == names(tmp_path / "two")


def test_without_mitmproxy_flows_are_refused_with_the_extra(tmp_path: Path) -> None:
    (tmp_path / "flows").write_bytes(b"1234:9:websocket;0:~}")
    (tmp_path / "mitmproxy.py").write_text(
        "raise ModuleNotFoundError('no mitmproxy', name='mitmproxy')"
    )
    path = f"{tmp_path}:{CHECKOUT}"

    done = khazad(tmp_path, "cassette", "import", "flows", "two", more={"PYTHONPATH": path})

    assert 2 == done.returncode
    assert 'reading flows of mitmproxy needs an extra: pip install "khazad-mitm[proxy]"' in (
        done.stderr
    )
