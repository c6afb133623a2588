"""Replays that come as the original came, or at so many tokens a second."""

from __future__ import annotations

import threading
import time

import pytest

from tests.end_to_end import http2, proxies
from tests.end_to_end.clients import CHAT, HEADERS
from tests.end_to_end.conftest import Start
from tests.end_to_end.proxies import SETTINGS
from tests.end_to_end.upstream import Upstream, question, stream_answer, stream_frames

STREAMED = question("What is the capital of France?", stream=True)
WORDS = ("Par", "is", ".")
FRAMES = stream_frames(WORDS)
WHOLE = b"".join(FRAMES)

# Long enough that no machine is so slow, short enough for a test: seconds before the last frame.
PAUSE_S = 1.5


@pytest.mark.parametrize("kind", [proxies.mitmdump, proxies.engine])
def test_a_replay_takes_the_time_the_original_took(
    kind: Start, start: Start, upstream: Upstream
) -> None:
    drip = threading.Semaphore(len(FRAMES) - 2)
    upstream.answer = lambda call: stream_answer(WORDS, drip=drip)
    proxy = start(kind, settings={**SETTINGS, "replay_pace": "recorded"}).wait()

    with proxy.client() as client:
        response = client.open(STREAMED)
        response.read(len(WHOLE) - len(FRAMES[-1]))
        threading.Timer(PAUSE_S, drip.release).start()
        response.read()
        proxy.wait_until(stored=1)
        with client.open(STREAMED) as replay:
            first = replay.read(len(WHOLE) - len(FRAMES[-1]))
            came = time.monotonic()
            rest = replay.read()
            waited = time.monotonic() - came

    assert WHOLE == first + rest
    assert PAUSE_S / 2 < waited
    assert 1 == len(upstream.calls)


@pytest.mark.parametrize("kind", [proxies.mitmdump, proxies.engine])
def test_frames_come_one_by_one_and_other_streams_do_not_wait(
    kind: Start, start: Start, upstream: Upstream
) -> None:
    upstream.answer = lambda call: stream_answer(WORDS)
    proxy = start(kind, settings={**SETTINGS, "replay_pace": "2 tokens/s"}).wait()

    with proxy.client().tls("h2") as tunnel:
        client = http2.Client(tunnel, "api.openai.com")
        client.whole(client.ask("POST", CHAT, STREAMED, HEADERS))
        proxy.wait_until(stored=1)
        paced = client.ask("POST", CHAT, STREAMED, HEADERS)
        early = client.until(paced, lambda heard: heard.body)
        assert not early.is_over
        other = client.whole(client.ask("POST", CHAT, question("Another?", stream=True), HEADERS))
        assert not early.is_over
        whole = client.whole(paced)

    assert WHOLE == other.body == whole.body
    assert "; hit" in whole.headers["cache-status"]


def test_a_client_that_leaves_in_the_middle_leaves_nothing_behind(
    start: Start, upstream: Upstream
) -> None:
    upstream.answer = lambda call: stream_answer(WORDS)
    proxy = start(proxies.engine, settings={**SETTINGS, "replay_pace": "2"}).wait()

    with proxy.client() as client:
        client.ask(STREAMED)
        proxy.wait_until(stored=1)
        replay = client.open(STREAMED)
        assert replay.read(1)
        replay.close()
    with proxy.client() as client:
        assert WHOLE == client.ask(STREAMED).body
    proxy.stop()

    assert "Traceback" not in "\n".join(proxy.log)
