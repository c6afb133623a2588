from __future__ import annotations

import pytest
from mitmproxy import http, tls
from mitmproxy.addons.proxyserver import Proxyserver
from mitmproxy.proxy.context import Context
from mitmproxy.test import taddons, tflow, tutils

from khazad_mitm.proxy.lazy import LastWord, Lazy


def waits(host: str) -> bool:
    return host == "api.openai.com"


def connect(host: str, port: int = 443) -> http.HTTPFlow:
    return tflow.tflow(req=tutils.treq(method=b"CONNECT", host=host, port=port))


@pytest.mark.parametrize(
    ("host", "port", "strategy", "is_answered"),
    [
        ("api.openai.com", 443, "eager", True),
        ("api.openai.com", 8443, "eager", True),
        ("api.openai.com", 22, "eager", False),
        ("example.com", 443, "eager", False),
        ("api.openai.com", 443, "lazy", False),
    ],
)
async def test_a_connect_to_one_of_ours_is_answered_without_dialling(
    host: str, port: int, strategy: str, is_answered: bool
):
    flow = connect(host, port)

    with taddons.context(Proxyserver()) as context:
        context.options.update(connection_strategy=strategy)
        Lazy(waits).http_connect(flow)

    assert is_answered == (flow.response is not None)


async def test_the_answer_has_no_headers_and_no_body():
    flow = connect("api.openai.com")

    with taddons.context(Proxyserver()):
        Lazy(waits).http_connect(flow)

    assert flow.response is not None
    assert (200, (), b"") == (
        flow.response.status_code,
        flow.response.headers.fields,
        flow.response.raw_content,
    )


async def test_a_connect_that_was_refused_stays_refused():
    flow = connect("api.openai.com")
    flow.response = http.Response.make(407)

    with taddons.context(Proxyserver()):
        Lazy(waits).http_connect(flow)

    assert 407 == flow.response.status_code


@pytest.mark.parametrize(
    ("got", "offered"),
    [(b"http/1.1", [b"http/1.1"]), (b"h2", [b"h2", b"http/1.1"]), (None, []), (b"other", [])],
)
def test_the_upstream_is_offered_what_the_client_has_got(got: bytes | None, offered: list[bytes]):
    client, server = tflow.tclient_conn(), tflow.tserver_conn()
    client.alpn, server.alpn_offers = got, []

    Lazy(waits).tls_start_server(tls.TlsData(server, Context(client, None)))  # type: ignore[arg-type]

    assert offered == list(server.alpn_offers)


@pytest.mark.parametrize(("host", "is_first"), [("api.openai.com", False), ("example.com", True)])
def test_the_upstreams_handshake_comes_first_only_for_others(host: str, is_first: bool):
    context = Context(tflow.tclient_conn(), None)  # type: ignore[arg-type]
    context.server.address = (host, 443)
    hello = tls.ClientHello(bytes.fromhex("0303" + "00" * 32 + "00" + "00021301" + "0100"))
    data = tls.ClientHelloData(context, hello, establish_server_tls_first=True)

    LastWord(waits, lambda flow: None, lambda flow: False).tls_clienthello(data)

    assert is_first == data.establish_server_tls_first
