from __future__ import annotations

from collections.abc import Iterator
from string import ascii_lowercase, digits
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http
from mitmproxy.proxy.layers.http import HTTPMode, HttpRequestHeadersHook, HttpRequestHook, _http1

from khazad_mitm.proxy.origin_form import OriginForm
from tests.proxy.layers import Played

labels = st.text(ascii_lowercase + digits, min_size=1, max_size=12)
hosts = st.lists(labels, min_size=1, max_size=3).map(".".join)
authorities = hosts | st.builds("{}:{}".format, hosts, st.integers(1, 65_535))
paths = st.text(ascii_lowercase + digits + "/%.:@?=&", max_size=20).map(lambda text: f"/{text}")


@pytest.fixture(scope="module")
def marked() -> Iterator[OriginForm]:
    made = OriginForm()
    made.install()
    yield made
    made.uninstall()


def asked(target: str, host: str, played: Played | None = None) -> http.Request:
    """The request that an addon sees."""
    played = played or Played()
    said = played.receive(f"POST {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    (hook,) = [command for command in said if isinstance(command, HttpRequestHeadersHook)]
    request: http.Request = hook.flow.request
    return request


def answered(command: Any) -> None:
    if isinstance(command, HttpRequestHook):
        command.flow.response = http.Response.make(200)


@given(paths, authorities)
def test_a_request_that_names_a_path_only_is_to_the_proxy(
    marked: OriginForm, path: str, host: str
) -> None:
    assert asked(path, host) in marked


@given(paths, authorities, authorities)
def test_a_request_that_names_a_host_is_not_whatever_its_host_header_says(
    marked: OriginForm, path: str, host: str, header: str
) -> None:
    assert asked(f"http://{host}{path}", header) not in marked


def test_each_request_of_a_connection_is_told_by_itself(marked: OriginForm) -> None:
    played = Played(hook=answered)
    first = asked("/openai/v1/models", "proxy", played)
    second = asked("http://example.com/", "example.com", played)

    assert [True, False] == [request in marked for request in (first, second)]


def test_a_path_inside_a_tunnel_is_to_the_host_it_leads_to(marked: OriginForm) -> None:
    tunnel = Played(HTTPMode.transparent, inside=Played().layer)
    tunnel.layer.context.server.address = ("api.openai.com", 443)

    assert asked("/v1/models", "api.openai.com", tunnel) not in marked


def test_a_path_is_to_the_proxy_before_another_proxy_too(marked: OriginForm) -> None:
    played = Played(HTTPMode.upstream, proxy_mode="upstream:http://other:3128")

    assert asked("/openai/v1/models", "proxy", played) in marked


def test_a_request_made_by_an_addon_is_none(marked: OriginForm) -> None:
    assert http.Request.make("POST", "http://proxy/openai/v1/models") not in marked


def test_afterwards_mitmproxy_is_as_it_was() -> None:
    original = _http1.Http1Server.read_headers
    made = OriginForm()

    made.install()
    assert original is not _http1.Http1Server.read_headers
    made.uninstall()

    assert original is _http1.Http1Server.read_headers


def test_where_mitmproxy_has_changed_nothing_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    original = _http1.Http1Server.read_headers
    changed = lambda self, event, more=None: original(self, event)  # noqa: E731
    monkeypatch.setattr(_http1.Http1Server, "read_headers", changed)
    made = OriginForm()
    made.install()

    assert changed is _http1.Http1Server.read_headers
    assert asked("/openai/v1/models", "proxy") not in made
