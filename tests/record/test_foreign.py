from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import yaml

from khazad_mitm.errors import ConfigError
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.exchanges import take_over
from khazad_mitm.record.foreign import har_of, read
from tests.record.calls import SSE, URL, answer, chat, names, play, record, replayer

FRAMES = b'data: {"a":1}\n\ndata: [DONE]\n\n'


def vcr(folder: Path, body: object, **headers: list[str]) -> Path:
    """A cassette as vcrpy writes it."""
    interaction = {
        "request": {
            "method": "POST",
            "uri": URL,
            "body": chat().body.decode(),
            "headers": {"authorization": ["Bearer sk-test"], "content-type": ["application/json"]},
        },
        "response": {
            "body": {"string": body},
            "headers": {"Content-Type": ["application/json"], **headers},
            "status": {"code": 200, "message": "OK"},
        },
    }
    path = folder / "theirs.yaml"
    path.write_text(yaml.safe_dump({"interactions": [interaction] * 2, "version": 1}))
    return path


@pytest.mark.parametrize("is_coded", [False, True])
def test_a_cassette_of_vcrpy_is_taken_over_and_played(tmp_path: Path, is_coded: bool) -> None:
    said = answer("x")
    body: object = gzip.compress(said) if is_coded else said.decode()
    theirs = vcr(tmp_path, body, **{"Content-Encoding": ["gzip"]})

    report = take_over(read(theirs), tmp_path / "ours")

    assert 2 == report.recorded
    recorder = replayer(tmp_path / "ours")
    assert [(200, said), (200, said)] == [play(recorder, chat()) for _ in range(2)]


def test_what_is_exported_as_har_comes_back(tmp_path: Path) -> None:
    record(tmp_path / "one", (chat("a"), answer("x")))
    record(tmp_path / "one", (chat("b"), FRAMES), headers=SSE)
    record(tmp_path / "one", (chat("c"), b"\x00\xff"))
    cassette = Cassette.open(tmp_path / "one")
    har = tmp_path / "log.har"
    har.write_text(json.dumps(har_of(found.interaction for found in cassette.recordings)))

    take_over(read(har), tmp_path / "two")

    assert names(tmp_path / "one") == names(tmp_path / "two")
    again = Cassette.open(tmp_path / "two")
    for mine, theirs in zip(cassette.recordings, again.recordings, strict=True):
        assert mine.digest == theirs.digest
        assert mine.interaction.answer.says_the_same_as(theirs.interaction.answer)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.har", "{", "a.har: Expecting property name"),
        ("a.yaml", "a: [", r"a.yaml:2: did not find"),
        ("a.yaml", "a: 1", "neither a HAR file nor a cassette of vcrpy"),
        ("a.har", '{"log": {"entries": [{}]}}', r"cannot be read \(KeyError\('request'\)\)"),
        ("a.yaml", "interactions: [{request: {}}]", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, name: str, text: str, message: str) -> None:
    path = tmp_path / name
    path.write_text(text)

    with pytest.raises(ConfigError, match=message):
        read(path)
