from __future__ import annotations

import gzip
import http.client
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import vcr as vcrpy
import yaml

from khazad_mitm.messages import Request
from khazad_mitm.record.cassette import Cassette
from khazad_mitm.record.exchanges import take_over
from khazad_mitm.record.foreign import read
from khazad_mitm.record.vcr import vcr_of
from tests.record.calls import URL, answer, chat, names, play, replayer
from tests.record.kinds import of_every_kind, same


def written(folder: Path, body: object, **headers: list[str]) -> Path:
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
    theirs = written(tmp_path, body, **{"Content-Encoding": ["gzip"]})

    report = take_over(read(theirs), tmp_path / "ours")

    assert 2 == report.recorded
    recorder = replayer(tmp_path / "ours")
    assert [(200, said), (200, said)] == [play(recorder, chat()) for _ in range(2)]


class Provider(http.server.BaseHTTPRequestHandler):
    """Echoes, coded as providers do."""

    def do_POST(self) -> None:
        said = self.rfile.read(int(self.headers["Content-Length"]))
        data = gzip.compress(answer(said.decode()[-40:]))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: object) -> None: ...


@pytest.fixture
def provider() -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), Provider) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/chat/completions"
        server.shutdown()
        thread.join()


def ask(request: Request) -> tuple[int, str, bytes]:
    """By the standard library, which vcrpy patches."""
    parts = urlsplit(request.url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port)
    connection.request(request.method, request.target, request.body or None, dict(request.headers))
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, response.getheader("content-type") or "", body


def test_vcrpy_plays_what_we_export(tmp_path: Path) -> None:
    cassette = of_every_kind(tmp_path / "one")
    theirs = tmp_path / "theirs.yaml"
    theirs.write_text(vcr_of(found.interaction for found in cassette.recordings))
    matching = ["method", "uri", "body"]

    with vcrpy.use_cassette(str(theirs), record_mode="none", match_on=matching) as played:
        answers = [ask(found.interaction.request) for found in cassette.recordings]

    assert played.all_played
    recorded = [found.interaction.answer for found in cassette.recordings]
    assert [(one.status, one.body) for one in recorded] == [(s, body) for s, _, body in answers]


def test_what_vcrpy_records_is_taken_over(tmp_path: Path, provider: str) -> None:
    parts = urlsplit(provider)
    asked = Request("POST", "http", "127.0.0.1", parts.port or 0, parts.path, chat().headers,
                    chat().body)  # fmt: skip
    theirs = tmp_path / "theirs.yaml"
    with vcrpy.use_cassette(str(theirs), record_mode="once"):
        live = ask(asked)

    assert 1 == take_over(read(theirs), tmp_path / "ours").recorded

    assert (200, gzip.decompress(live[2])) == play(replayer(tmp_path / "ours"), asked)
    assert "sk-test" not in "".join(path.read_text() for path in (tmp_path / "ours").iterdir())


def test_what_is_exported_comes_back(tmp_path: Path) -> None:
    cassette = of_every_kind(tmp_path / "one")
    theirs = tmp_path / "theirs.yaml"
    theirs.write_text(vcr_of(found.interaction for found in cassette.recordings))

    take_over(read(theirs), tmp_path / "two")

    assert names(tmp_path / "one") == names(tmp_path / "two")
    assert same(cassette, Cassette.open(tmp_path / "two"))
