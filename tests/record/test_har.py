from __future__ import annotations

import json
from pathlib import Path

from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.exchanges import take_over
from khazad_mitm.record.foreign import read
from khazad_mitm.record.har import har_of
from tests.record.calls import answer, chat, names
from tests.record.kinds import of_every_kind, same


def test_what_is_exported_comes_back(tmp_path: Path) -> None:
    cassette = of_every_kind(tmp_path / "one")
    har = tmp_path / "log.har"
    har.write_text(json.dumps(har_of(found.interaction for found in cassette.recordings)))

    take_over(read(har), tmp_path / "two")

    assert names(tmp_path / "one") == names(tmp_path / "two")
    assert same(cassette, Cassette.open(tmp_path / "two"))


def test_day_and_time_are_taken_over(tmp_path: Path) -> None:
    entry = {
        "startedDateTime": "2026-01-02T03:04:05.678Z",
        "time": 412.5,
        "request": {
            "method": "POST",
            "url": "https://api.openai.com/v1/chat/completions",
            "headers": [{"name": ":authority", "value": "x"}],
            "postData": {"text": chat().body.decode()},
        },
        "response": {
            "status": 200,
            "headers": [{"name": "content-type", "value": "application/json"}],
            "content": {"text": answer("x").decode()},
        },
    }
    har = tmp_path / "log.har"
    har.write_text(json.dumps({"log": {"entries": [entry]}}))

    take_over(read(har), tmp_path / "ours")

    (found,) = Cassette.open(tmp_path / "ours").recordings
    assert "2026-01-02" == found.interaction.label.recorded
    assert [412] == [frame.at_ms for frame in found.interaction.answer.frames]
