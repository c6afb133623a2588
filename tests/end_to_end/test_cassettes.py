"""A cassette behind real proxies: recorded once, played without an upstream, nothing dialled."""

from __future__ import annotations

import http.client
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.end_to_end import proxies
from tests.end_to_end.conftest import Start
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Answer, Call, Upstream, chat_answer, question, stream_answer

WORDS = ("Par", "is", ".")
ASKED = question("What is the capital of France?")
STREAMED = question("What is the capital of France?", stream=True)
LIMITED = question("Too much")
SSE = ("data: ", "[DONE]")

Opened = Callable[[str], Proxy]


def answers(call: Call) -> Answer:
    if b"Too much" in call.body:
        headers = (("Content-Type", "application/json"), ("Retry-After", "3"))
        return chat_answer("No.", status=529, headers=headers)
    if b'"stream": true' in call.body:
        return stream_answer(WORDS)
    if call.target == "/v1/files":
        return Answer(frames=(b'{"id": "file-1"}',))
    return chat_answer("Paris.")


@pytest.fixture(params=["mitmdump", "engine"])
def opened(request: pytest.FixtureRequest, start: Start, tmp_path: Path) -> Opened:
    """A proxy of either kind with the cassette, in a mode."""

    def opened(mode: str) -> Proxy:
        settings = {"cassette": str(tmp_path / "cassette"), "record": mode}
        return start(getattr(proxies, request.param), settings=settings).wait()

    return opened


def everything(proxy: Proxy) -> list[tuple[int, str, bytes]]:
    with proxy.client() as client:
        asked = [
            client.ask(ASKED),
            client.ask(STREAMED),
            client.ask(LIMITED),
            client.ask(
                b"--b\r\n\r\nhello\r\n--b--", "/v1/files", Content_Type="multipart/form-data"
            ),
            client.ask(ASKED),
        ]
    assert "3" == asked[2].headers["retry-after"]
    return [(one.status, one.headers["content-type"], one.body) for one in asked]


def test_what_was_recorded_is_played_and_nobody_is_dialled(
    opened: Opened, upstream: Upstream
) -> None:
    upstream.answer = answers
    recording = opened("once")
    live = everything(recording)
    recording.stop()
    calls, handshakes = len(upstream.calls), len(upstream.names)

    playing = opened("none")

    assert live == everything(playing)
    with playing.client() as client:
        missed = client.ask(question("What is the capital of Spain?"))
    assert 400 == missed.status
    assert b"no recording matches POST api.openai.com/v1/chat/completions" in missed.body
    with playing.client("example.com") as client, pytest.raises(OSError, match="502"):
        client.ask(ASKED)
    with playing.client("example.com", 80) as client:
        assert 502 == client.send_plain("GET", "/").status
    assert (calls, handshakes) == (len(upstream.calls), len(upstream.names))


def test_new_episodes_go_on_where_the_recordings_end(opened: Opened, upstream: Upstream) -> None:
    recording = opened("new_episodes")
    with recording.client() as client:
        client.ask(ASKED)
    recording.stop()
    upstream.calls.clear()

    going_on = opened("new_episodes")
    with going_on.client() as client:
        known, new = client.ask(ASKED), client.ask(question("And now?"))

    assert 'khazad; hit; detail="recorded"' == known.cache_status
    assert 'khazad; fwd=miss; detail="recording"' == new.cache_status
    assert 1 == len(upstream.calls)


def test_a_broken_file_keeps_the_proxy_from_starting(
    start: Start, upstream: Upstream, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("request:\n  method: [\n")
    settings = {"cassette": str(tmp_path), "record": "none"}

    proxy = start(proxies.mitmdump, settings=settings)

    assert 0 != proxy.ended()
    assert any(f"{tmp_path / 'broken.yaml'}:3: " in line for line in proxy.log)


def test_an_answer_that_is_cut_is_not_recorded(
    opened: Opened, upstream: Upstream, tmp_path: Path
) -> None:
    upstream.answer = lambda call: stream_answer(WORDS, ending="cut")
    recording = opened("once")

    with recording.client() as client, pytest.raises((http.client.HTTPException, OSError)):
        client.ask(STREAMED)
    recording.stop()

    assert not (tmp_path / "cassette").exists()
    assert any("NOT RECORDED" in line for line in recording.log)
