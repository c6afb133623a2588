from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from khazad_mitm.inprocess.ahead import Ahead, Place, find
from khazad_mitm.inprocess.library import proxy_of

OURS = {"status": "ok", "version": "1", "mode": "cache", "hosts": []}
PLACE = Place("127.0.0.1", 8080)


@contextmanager
def answering(said: bytes, status: int = 200) -> Iterator[str]:
    """A proxy on this machine that says this of `http://khazad.internal/health`."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None: ...

        def do_GET(self) -> None:
            assert "http://khazad.internal/health" == self.path
            self.send_response(status)
            self.end_headers()
            self.wfile.write(said)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", ["KHAZAD_PROXY", "HTTPS_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_proxy_of_ours_is_found_by_what_it_says_of_itself(name: str) -> None:
    with answering(json.dumps({**OURS, "hosts": ["llm.test"]}).encode()) as url:
        assert Ahead(Place.of(url), ("llm.test",)) == find({name: url})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("said", "status"),
    [
        (b"<html>who is khazad.internal?</html>", 200),
        (b'{"status": "ok"}', 200),
        (b'["hosts"]', 200),
        (json.dumps({**OURS, "mode": "off"}).encode(), 200),
        (json.dumps(OURS).encode(), 502),
    ],
)
def test_any_other_is_none_of_ours(said: bytes, status: int) -> None:
    with answering(said, status) as url:
        assert find({"KHAZAD_PROXY": url, "HTTPS_PROXY": url}) is None


def test_a_proxy_that_is_away_is_none() -> None:
    with answering(b"") as url:
        pass

    assert find({"KHAZAD_PROXY": url}) is None


def test_without_a_proxy_nobody_is_asked() -> None:
    assert find({}) is None


def test_a_proxy_elsewhere_is_asked_only_where_it_is_named(monkeypatch: Any) -> None:
    asked: list[Place] = []
    monkeypatch.setattr("khazad_mitm.inprocess.ahead._asked", lambda place, _: asked.append(place))
    find({"HTTPS_PROXY": "http://proxy.corp:3128"})
    find({"KHAZAD_PROXY": "http://llm-proxy.corp:8080"})

    assert [Place("llm-proxy.corp", 8080)] == asked


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("http://localhost:8080", PLACE),
        ("http://user:secret@127.0.0.1:8080/", PLACE),
        ("127.0.0.1:8080", PLACE),
        ("http://proxy.corp", Place("proxy.corp", 80)),
        ("http://[::1]:8080", Place("::1", 8080)),
        ("http://h:port", None),
        ("", None),
    ],
)
def test_a_place_is_read_from_a_url(url: str, place: Place | None) -> None:
    assert place == Place.of(url)


@pytest.mark.parametrize(
    ("ahead", "scheme", "host", "expected"),
    [
        (Ahead(PLACE), "https", "api.openai.com", True),
        (Ahead(PLACE), "https", "llm.corp", False),
        (Ahead(PLACE), "http", "llm.corp", True),
        (Ahead(PLACE, ("*.corp",)), "https", "llm.corp", True),
        (Ahead(PLACE, ("*.corp",)), "https", "api.openai.com", False),
    ],
)
def test_it_answers_for_the_hosts_that_it_looks_at(
    ahead: Ahead, scheme: str, host: str, expected: bool
) -> None:
    assert expected is ahead.answers_for(lambda: (PLACE, scheme, host))
    assert not ahead.answers_for(lambda: (Place("127.0.0.1", 8081), scheme, host))
    assert not ahead.answers_for(lambda: (None, scheme, host))


def test_a_library_that_cannot_tell_its_way_is_looked_up_here() -> None:
    def way() -> Any:
        raise AttributeError("_proxy_config")

    assert not Ahead(PLACE).answers_for(way)


def test_the_proxy_of_a_transport_is_seen(library: Any) -> None:
    proxied = library.HTTPTransport(proxy="http://localhost:8080")
    awaiting = library.AsyncHTTPTransport(proxy="http://user:secret@127.0.0.1:8080")

    assert PLACE == proxy_of(proxied) == proxy_of(awaiting)
    assert proxy_of(library.HTTPTransport()) is proxy_of(library.MockTransport(print)) is None
