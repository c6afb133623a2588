from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mitmproxy import http

from khazad_mitm.exchange import Reply
from khazad_mitm.messages import Headers
from khazad_mitm.proxy.flows import (
    is_loopback,
    strip_controls,
    to_headers,
    to_request,
    to_response,
    unfold,
)
from tests.proxy.fakes import asked

SIGNED = "AWS4-HMAC-SHA256 Credential=AK/x, SignedHeaders=host;x-khazad-tag, Signature=0"


def test_a_request_is_addressed_to_where_it_is_dialled_whatever_host_says():
    flow = asked(
        host="API.OpenAI.com",
        port=8443,
        scheme=b"https",
        path=b"/v1/x?key=1",
        headers=http.Headers([(b"Host", b"elsewhere.example")]),
    )

    request = to_request(flow)

    assert ("https", "api.openai.com", 8443) == (request.scheme, request.host, request.port)
    assert "/v1/x?key=1" == request.target
    assert "elsewhere.example" == request.headers.get("host")


def test_a_compressed_request_body_stays_compressed():
    flow = asked(content=b"\x1f\x8b...", headers=http.Headers([(b"Content-Encoding", b"gzip")]))

    assert b"\x1f\x8b..." == to_request(flow).body


def test_a_request_without_a_body_has_an_empty_one():
    assert b"" == to_request(asked(content=None)).body


def test_headers_keep_order_repeats_and_odd_bytes():
    fields = http.Headers([(b"B", b"\xe9"), (b"a", b"1"), (b"a", b"2")])

    assert [("B", "\xe9"), ("a", "1"), ("a", "2")] == list(to_headers(fields))


@given(
    st.lists(st.tuples(st.text("abcXYZ-", min_size=1), st.text(st.characters(max_codepoint=255))))
)
def test_headers_survive_the_way_there_and_back(items: list[tuple[str, str]]):
    response = to_response(Reply(200, Headers(items), ()))
    expected = [(name.lower(), value) for name, value in items]

    assert [*expected, ("content-length", "0")] == list(to_headers(response.headers))


def test_a_reply_fits_http2():
    headers = Headers(
        [
            ("Content-Type", "text/plain"),
            ("Connection", "close"),
            ("Transfer-Encoding", "chunked"),
            ("Content-Length", "7"),
        ]
    )

    response = to_response(Reply(200, headers, (b"on", b"e")))

    assert [("content-type", "text/plain"), ("content-length", "3")] == list(
        to_headers(response.headers)
    )
    assert (b"one", "OK") == (response.raw_content, response.reason)


def test_an_unknown_status_has_no_reason():
    assert "" == to_response(Reply(299, Headers(), ())).reason


@pytest.mark.parametrize(
    ("headers", "path"),
    [({"authorization": SIGNED}, b"/"), ({}, b"/?X-Amz-SignedHeaders=host%3Bx-khazad-tag")],
)
def test_a_signed_control_header_stays(headers: dict[str, str], path: bytes):
    flow = asked(path=path)
    flow.request.headers.update({**headers, "x-khazad-tag": "a", "x-khazad-threshold": "1"})

    strip_controls(flow.request)

    assert "a" == flow.request.headers["x-khazad-tag"]
    assert "x-khazad-threshold" not in flow.request.headers


def test_a_request_says_where_it_came_in_and_who_has_authenticated():
    flow = asked()
    flow.client_conn.sockname = ("192.0.2.1", 8080)
    flow.client_conn.sni = "api.openai.com"
    flow.metadata["proxyauth"] = ("me", "secret")
    request = to_request(flow)

    assert (False, "me", "api.openai.com") == (request.is_local, request.proxy_user, request.sni)
    flow.client_conn.sockname = ("127.0.0.1", 8080)
    assert to_request(flow).is_local


@pytest.mark.parametrize(
    ("address", "is_ours"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("10.0.0.1", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_loopback_is_an_address_and_no_name(address: str, is_ours: bool):
    assert is_ours is is_loopback(address)


def test_a_folded_header_becomes_one_line():
    folded = [(b"x-a", b"b\r\n Transfer-Encoding: chunked"), (b"x-b", b"c")]
    request = asked(headers=http.Headers(folded)).request
    unfold(request)

    assert ((b"x-a", b"b Transfer-Encoding: chunked"), (b"x-b", b"c")) == request.headers.fields
