"""Faults and paces of a cassette, through both kinds of proxy, with a real client."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from khazad_mitm.messages import Headers, Request, Response
from khazad_mitm.record.exchanges import Exchange, take_over
from tests.end_to_end import http2, proxies
from tests.end_to_end.clients import CHAT, HEADERS
from tests.end_to_end.conftest import Start
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import WAIT_S, question, stream_frames

ASKED = question("What is the capital of France?", stream=True)
FRAMES = stream_frames(("Par", "is", "."))
WHOLE = b"".join(FRAMES)
PAUSE_MS = 600

Playing = Callable[..., Proxy]


@pytest.fixture(params=["mitmdump", "engine"])
def playing(request: pytest.FixtureRequest, start: Start, tmp_path: Path) -> Playing:
    """A proxy of either kind that plays a stream with a pause before its end, with faults."""
    json = Headers([("content-type", "application/json")])
    urls = [f"{scheme}://api.openai.com{CHAT}" for scheme in ("https", "http")]
    marks = ((len(WHOLE) - len(FRAMES[-1]), 0), (len(WHOLE), PAUSE_MS))
    said = Response(200, Headers([("content-type", "text/event-stream")]), WHOLE, marks)
    folder = tmp_path / "cassette"
    take_over([Exchange(Request.to(url, ASKED, json), said) for url in urls], folder)

    def playing(*faults: str, **settings: str) -> Proxy:
        if faults:
            (folder / "cassette.yaml").write_text("\n- ".join(("faults:", *faults)))
        wanted = {"cassette": str(folder), "record": "none", **settings}
        return start(getattr(proxies, request.param), settings=wanted).wait()

    return playing


def took_s(proxy: Proxy) -> float:
    """From the question to the end: what the proxy waits is in it, however slow the machine."""
    with proxy.client() as client:
        began = time.monotonic()
        assert WHOLE == client.ask(ASKED).body
        return time.monotonic() - began


def test_a_recording_is_played_as_it_came(playing: Playing) -> None:
    assert PAUSE_MS / 1000 <= took_s(playing(replay_pace="recorded"))


def test_times_are_multiplied(playing: Playing) -> None:
    assert 2 * PAUSE_MS / 1000 <= took_s(playing("{timing: 2}"))


def plainly(proxy: Proxy) -> tuple[bytes, type[Exception] | None]:
    """What comes over a bare socket, and how it ends: TLS would hide that."""
    head = f"POST http://api.openai.com{CHAT} HTTP/1.1\r\nHost: api.openai.com\r\n"
    head += f"Content-Type: application/json\r\nContent-Length: {len(ASKED)}\r\n\r\n"
    came = b""
    with socket.create_connection(("127.0.0.1", proxy.port), WAIT_S) as client:
        client.sendall(head.encode() + ASKED)
        try:
            while not came.endswith(FRAMES[-1]):
                data = client.recv(65_536)
                if not data:
                    return came, None
                came += data
        except OSError as error:
            return came, type(error)
    return came, None


def test_a_connection_is_reset_before_anything_and_then_all_is_well(playing: Playing) -> None:
    proxy = playing("{reset: true, times: 1}")

    assert (b"", ConnectionResetError) == plainly(proxy)
    came, end = plainly(proxy)
    assert end is None
    assert came.endswith(WHOLE)


def test_a_connection_is_reset_after_some_frames(playing: Playing) -> None:
    proxy = playing("{reset: true, cut_after: 2}")
    sent = b"".join(FRAMES[:2])

    came, end = plainly(proxy)
    assert came.endswith(b"\r\n\r\n" + sent)
    assert ConnectionResetError is end
    with proxy.client() as client:
        response = client.open(ASKED)
        assert sent == response.read(len(sent))
        with pytest.raises((http.client.IncompleteRead, OSError)):
            response.read()
    proxy.stop()
    assert "Traceback" not in "\n".join(proxy.log)


def test_http2_ends_with_its_connection(playing: Playing) -> None:
    proxy = playing("{reset: true, cut_after: 2}")

    with proxy.client().tls("h2") as tunnel:
        client = http2.Client(tunnel, "api.openai.com")
        with pytest.raises((StopIteration, OSError)):
            client.whole(client.ask("POST", CHAT, ASKED, HEADERS))


def test_a_cut_stream_ends_as_if_that_were_all(playing: Playing) -> None:
    proxy = playing("{cut_after: 2}")

    with proxy.client() as client:
        assert b"".join(FRAMES[:2]) == client.ask(ASKED).body
