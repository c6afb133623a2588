from __future__ import annotations

from pathlib import Path

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.record.foreign import has_flows, read


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.har", "{", "a.har: Expecting property name"),
        ("a.yaml", "a: [", r"a.yaml:2: did not find"),
        ("a.yaml", "a: 1", "neither a HAR file, nor flows of mitmproxy, nor"),
        ("a.har", '{"log": {"entries": [{}]}}', r"cannot be read \(KeyError\('request'\)\)"),
        ("a.yaml", "interactions: [{request: {}}]", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(ConfigError, match=message):
        read(path)


def test_flows_are_known_by_how_they_begin(tmp_path: Path) -> None:
    (tmp_path / "flows").write_bytes(b"1234:9:websocket;0:~}")
    (tmp_path / "log.har").write_text("{}")

    assert has_flows(tmp_path / "flows")
    assert not has_flows(tmp_path / "log.har")
    with pytest.raises(ConfigError, match="No such file"):
        has_flows(tmp_path / "nowhere")
