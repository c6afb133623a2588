"""What a running proxy has stored becomes recordings, which replay without an upstream."""

from __future__ import annotations

from pathlib import Path

import pytest

from khazad_mitm.cli import main
from khazad_mitm.record.files import read
from tests.end_to_end import proxies
from tests.end_to_end.conftest import Start
from tests.end_to_end.proxies import SETTINGS
from tests.end_to_end.upstream import Answer, Call, Upstream, chat_answer, question, stream_answer
from tests.servers import RedisServer

ASKED = question("What is the capital of France?")
STREAMED = question("What is the capital of France?", stream=True)


def answers(call: Call) -> Answer:
    if b'"stream": true' in call.body:
        return stream_answer(("Par", "is", "."))
    return chat_answer("Paris.")


@pytest.mark.parametrize("kind", [proxies.mitmdump, proxies.engine])
def test_a_stored_answer_is_promoted_and_replayed(
    kind: Start,
    start: Start,
    upstream: Upstream,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.answer = answers
    folder = tmp_path / "cassette"
    proxy = start(kind, settings=SETTINGS).wait()
    at = f"--proxy=http://127.0.0.1:{proxy.port}"
    live, ids = [], []
    with proxy.client() as client:
        for number, asked in enumerate((STREAMED, ASKED), 1):
            live.append(client.ask(asked, X_Secret="hush").body)
            proxy.wait_until(stored=1, total_requests=2 * number - 1)
            ids.append(client.ask(asked, X_Secret="hush").headers["x-khazad-entry"])

    # One entry answers both; each recording answers one.
    assert 1 == len(set(ids))
    for id_, framing in zip(ids, ("stream", "json"), strict=True):
        promote = ["cassette", "promote", at, id_[:12], str(folder), "--framing", framing]
        assert 0 == main(promote)
    written = capsys.readouterr().out.splitlines()
    assert 0 == main(["cassette", "promote", ids[0], at, str(folder)])
    assert "on file as it is" in capsys.readouterr().err
    assert 2 == main(["cassette", "promote", "f" * 32, str(folder), at])
    proxy.stop()

    assert 2 == len(written) == len(list(folder.iterdir()))
    texts = [Path(path).read_text() for path in written]
    assert not any("sk-test" in text or "hush" in text for text in texts)
    assert ["stream:" in text for text in texts] == [True, False]
    playing = start(kind, settings={"cassette": str(folder), "record": "none"}).wait()
    calls = len(upstream.calls)
    with playing.client() as client:
        played = [client.ask(asked) for asked in (STREAMED, ASKED)]
    assert live == [one.body for one in played]
    assert ["text/event-stream", "application/json"] == [
        one.headers["content-type"] for one in played
    ]
    assert calls == len(upstream.calls)


def test_an_answer_is_promoted_from_the_store_when_the_proxy_has_gone(
    start: Start,
    upstream: Upstream,
    redis_server: RedisServer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    upstream.answer = answers
    settings = {**SETTINGS, "redis_url": redis_server.url, "namespace": "promoting"}
    proxy = start(proxies.engine, settings=settings).wait()
    with proxy.client() as client:
        live = client.ask(ASKED).body
        proxy.wait_until(stored=1)
        id_ = client.ask(ASKED).headers["x-khazad-entry"]
    proxy.stop()
    store = ["--redis-url", redis_server.url, "--namespace", "promoting", "--mode", "exact"]
    nobody = f"--proxy=http://127.0.0.1:{proxy.port}"

    # A proxy that was named must answer.
    assert 2 == main(["cassette", "promote", id_, str(tmp_path / "c"), nobody, *store])
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("KHAZAD_PROXY", nobody.partition("=")[2])
        assert 0 == main(["cassette", "promote", id_, str(tmp_path / "c"), *store])

    path = capsys.readouterr().out.strip()
    assert live == read(Path(path)).answer.body
