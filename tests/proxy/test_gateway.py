from __future__ import annotations

import json

import pytest
from mitmproxy.http import HTTPFlow
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.test import tflow, tutils

from khazad_mitm.proxy.gateway import Gateway

GATEWAY = "regular@127.0.0.1:8081"


def asked(host: str, path: str, *, port: int = 8080, mode: str = "regular") -> HTTPFlow:
    """For a client that has reached us at 127.0.0.1:8080."""
    flow = tflow.tflow(req=tutils.treq(host=host, port=port, path=path.encode()))
    flow.live = True
    flow.request.headers["host"] = host
    flow.client_conn.sockname = ("127.0.0.1", 8080)
    flow.client_conn.proxy_mode = ProxyMode.parse(mode)
    Gateway(lambda name: name == "api.openai.com", reverse_only=[GATEWAY]).requestheaders(flow)
    return flow


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "llm.LOCALHOST"])
def test_what_is_asked_of_ourselves_goes_to_its_provider(host: str):
    request = asked(host, "/openai/v1/models?limit=1").request

    assert "https://api.openai.com/v1/models?limit=1" == request.url
    assert "api.openai.com" == request.headers["host"]


@pytest.mark.parametrize(("host", "port"), [("127.0.0.1", 9000), ("example.com", 8080)])
def test_what_is_asked_of_others_is_left_alone(host: str, port: int):
    flow = asked(host, "/openai/v1/models", port=port)

    assert (None, host, "/openai/v1/models") == (
        flow.response,
        flow.request.host,
        flow.request.path,
    )


@pytest.mark.parametrize("mode", ["regular", GATEWAY])
def test_a_provider_that_nobody_knows_is_a_404_with_those_that_are(mode: str):
    response = asked("127.0.0.1", "/nobody/v1/models", mode=mode).response

    assert response is not None
    assert 404 == response.status_code
    assert "/openai/" in json.loads(response.content or b"")["providers"]


def test_a_gateway_takes_a_name_of_an_llm_host_for_that_host():
    flow = asked("api.openai.com", "/v1/models", mode=GATEWAY)

    assert (None, "https://api.openai.com/v1/models") == (flow.response, flow.request.url)


def test_the_magic_host_is_no_provider():
    flow = asked("khazad.internal", "/stats", port=80, mode=GATEWAY)

    assert (None, "khazad.internal") == (flow.response, flow.request.host)


def test_a_gateway_makes_no_tunnels():
    flow = tflow.tflow(req=tutils.treq(method=b"CONNECT"))
    flow.client_conn.proxy_mode = ProxyMode.parse(GATEWAY)
    Gateway(lambda _: True, reverse_only=[GATEWAY]).http_connect(flow)

    assert flow.response is not None
    assert 403 == flow.response.status_code
