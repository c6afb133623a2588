from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from mitmproxy import io
from mitmproxy.test import tflow

from khazad_mitm.errors import ConfigError
from khazad_mitm.proxy.flow_files import read, write
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.exchanges import take_over
from tests.end_to_end.proxies import MITMDUMP
from tests.record.calls import names
from tests.record.kinds import of_every_kind, same


@pytest.fixture
def cassette(tmp_path: Path) -> Cassette:
    return of_every_kind(tmp_path / "one")


@pytest.fixture
def file(tmp_path: Path, cassette: Cassette) -> Path:
    path = tmp_path / "flows.mitm"
    with path.open("wb") as sink:
        write((found.interaction for found in cassette.recordings), sink)
    return path


def test_mitmdump_reads_what_is_written(tmp_path: Path, file: Path, cassette: Cassette) -> None:
    command = [str(MITMDUMP), "--set", f"confdir={tmp_path}", "-nr", str(file)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)

    told = re.findall(r": (GET|POST) (\S+)\s+<< (?:HTTP/1.1 )?(\d+)", said.stdout)
    recorded = [found.interaction for found in cassette.recordings]
    assert told == [
        (one.request.method, one.request.url, str(one.answer.status)) for one in recorded
    ], said.stdout


def test_what_is_written_comes_back(tmp_path: Path, file: Path, cassette: Cassette) -> None:
    take_over(read(file), tmp_path / "two")

    assert names(tmp_path / "one") == names(tmp_path / "two")
    again = Cassette.open(tmp_path / "two")
    assert same(cassette, again)
    days = [
        {one.interaction.label.recorded for one in these.recordings} for these in (cassette, again)
    ]
    assert days[0] == days[1]


def test_what_did_not_end_or_is_no_call_is_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "flows.mitm"
    gone = tflow.tflow(resp=True)
    assert gone.response is not None
    gone.response.raw_content = None
    with path.open("wb") as sink:
        writer = io.FlowWriter(sink)
        for flow in (tflow.tflow(resp=True), tflow.tflow(err=True), gone, tflow.ttcpflow()):
            writer.add(flow)

    (found,) = read(path)

    assert "address" == found.request.host
    assert 2 == caplog.text.count("left out")


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    path = tmp_path / "flows.mitm"
    path.write_bytes(b"12:nonsense")

    with pytest.raises(ConfigError, match=r"flows.mitm: "):
        read(path)
    with pytest.raises(ConfigError, match="No such file"):
        read(tmp_path / "nowhere")
