"""A cassette in process: recorded once, played without an upstream."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import khazad
from tests import wires
from tests.inprocess.upstream import PATH, Upstream, question, running
from tests.wire.sdks.server import canned


@pytest.fixture
def upstream() -> Any:
    with running() as upstream:
        yield upstream


@pytest.fixture(autouse=True)
def at_rest() -> Any:
    yield
    if khazad.is_active():
        khazad.stop()


def cassette(folder: Path, record: str, **more: Any) -> None:
    khazad.init(cassette=str(folder), record=record, **more)


def test_what_was_recorded_is_played(library: Any, upstream: Upstream, tmp_path: Path) -> None:
    def ask() -> list[tuple[int, str, bytes]]:
        with library.Client(base_url=upstream.url) as client:
            answers = [client.post(PATH, json=question()), client.post(PATH, json=question())]
            with client.stream("POST", PATH, json=question(stream=True)) as streamed:
                streamed.read()
        whole = [*answers, streamed]
        return [(one.status_code, one.headers["content-type"], one.content) for one in whole]

    cassette(tmp_path, "once")
    live = ask()
    khazad.stop()
    upstream.calls.clear()
    cassette(tmp_path, "none")

    assert live == ask()
    assert [] == upstream.calls


def playing_with(folder: Path, fault: str) -> None:
    if khazad.is_active():
        khazad.stop()
    (folder / "cassette.yaml").write_text(f"faults:\n- {fault}\n")
    cassette(folder, "none")


STREAMED = question(stream=True)


def test_a_fault_resets_the_connection(library: Any, upstream: Upstream, tmp_path: Path) -> None:
    cassette(tmp_path, "once")
    with library.Client(base_url=upstream.url) as client:
        whole = client.post(PATH, json=STREAMED).content

        playing_with(tmp_path, "{reset: true, times: 1}")
        with pytest.raises(library.ReadError, match="reset by peer"):
            client.post(PATH, json=STREAMED)
        assert whole == client.post(PATH, json=STREAMED).content

        playing_with(tmp_path, "{reset: true, cut_after: 1}")
        with client.stream("POST", PATH, json=STREAMED) as streamed:
            frames = streamed.iter_raw()
            assert whole.startswith(next(frames))
            with pytest.raises(library.ReadError, match="reset by peer"):
                next(frames)


def test_a_fault_resets_the_connection_of_requests(upstream: Upstream, tmp_path: Path) -> None:
    requests = pytest.importorskip("requests", reason="requests is not installed here")
    url = upstream.url + PATH
    cassette(tmp_path, "once")
    whole = requests.post(url, json=STREAMED).content

    playing_with(tmp_path, "{reset: true, times: 1}")
    with pytest.raises(requests.ConnectionError, match="reset by peer"):
        requests.post(url, json=STREAMED)
    assert whole == requests.post(url, json=STREAMED).content

    playing_with(tmp_path, "{reset: true, cut_after: 1}")
    with requests.post(url, json=STREAMED, stream=True) as streamed:
        chunks = streamed.iter_content(8)
        assert whole.startswith(next(chunks))
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="reset by peer"):
            list(chunks)


def test_boto3_tries_again_after_a_reset(tmp_path: Path) -> None:
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed here")
    wire = next(
        one for one in wires.of("bedrock_converse") if one.request.path.endswith("/converse")
    )
    keys = {"aws_access_key_id": "k", "aws_secret_access_key": "s", "region_name": "us-east-1"}
    asked: Any = {"modelId": "m", "messages": [{"role": "user", "content": [{"text": "?"}]}]}
    with canned() as bedrock:
        bedrock.body, bedrock.content_type = wire.body, "application/json"
        made = boto3.session.Session(**keys).client("bedrock-runtime", endpoint_url=bedrock.url)
        with closing(made) as client:
            cassette(tmp_path, "once")
            live = client.converse(**asked)["output"]
            playing_with(tmp_path, "{reset: true, times: 1}")

            assert live == client.converse(**asked)["output"]
            assert 1 == bedrock.calls


async def test_awaiting_clients_play_too(library: Any, upstream: Upstream, tmp_path: Path) -> None:
    async def ask() -> bytes:
        async with library.AsyncClient(base_url=upstream.url) as client:
            content: bytes = (await client.post(PATH, json=question())).content
            return content

    cassette(tmp_path, "once")
    live = await ask()
    khazad.stop()
    upstream.calls.clear()
    cassette(tmp_path, "none")

    assert live == await ask()
    assert [] == upstream.calls


def test_a_status_without_a_phrase_is_played(
    library: Any, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.status = 529
    cassette(tmp_path, "once")
    library.post(upstream.url + PATH, json=question())
    khazad.stop()
    cassette(tmp_path, "none")

    assert 529 == library.post(upstream.url + PATH, json=question()).status_code
    assert 1 == len(upstream.calls)


def test_none_lets_nothing_through(library: Any, upstream: Upstream, tmp_path: Path) -> None:
    cassette(tmp_path, "once")
    library.post(upstream.url + PATH, json=question())
    khazad.stop()
    upstream.calls.clear()
    cassette(tmp_path, "none")
    library.post(upstream.url + PATH, json=question())

    again = library.post(upstream.url + PATH, json=question())
    other = library.post(upstream.url + PATH, json=question("Something else?"))

    assert (400, 400) == (again.status_code, other.status_code)
    assert "all played" in again.json()["error"]["message"]
    assert "Something else?" in other.json()["error"]["message"]
    assert [] == upstream.calls
    assert 1 == khazad.get_stats()["cache_hits"]


def test_a_body_that_is_generated_is_recorded_and_played(
    library: Any, upstream: Upstream, tmp_path: Path
) -> None:
    def upload() -> bytes:
        pieces = (piece.encode() for piece in (json.dumps(question()), " "))
        content: bytes = library.post(upstream.url + PATH, content=pieces).content
        return content

    cassette(tmp_path, "once")
    live = upload()
    khazad.stop()
    upstream.calls.clear()
    cassette(tmp_path, "none")

    assert live == upload()
    assert [] == upstream.calls


def test_a_cassette_of_nothing_cannot_be_played(tmp_path: Path) -> None:
    with pytest.raises(khazad.ConfigError, match="there is no recording in"):
        cassette(tmp_path / "nowhere", "none")
