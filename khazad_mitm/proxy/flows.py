"""Flows to requests, replies to responses. Knows the two vocabularies and decides nothing."""

from __future__ import annotations

import ipaddress
import re
import time
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from mitmproxy import http
from mitmproxy.net.http import status_codes

from khazad_mitm.cache.policy import CONTROL_HEADERS
from khazad_mitm.messages import Headers, Request

if TYPE_CHECKING:
    from mitmproxy.connection import Client

    from khazad_mitm.exchange import Reply

# Belong to one connection and are forbidden in HTTP/2 (RFC 9113 §8.2.2). The length is set anew.
_OF_THE_CONNECTION = frozenset(
    b"connection keep-alive proxy-connection transfer-encoding upgrade content-length".split()
)

_FOLD = re.compile(rb"[ \t]*\r?\n[ \t]*")


def to_headers(fields: http.Headers) -> Headers:
    """mitmproxy's header fields, in order and with repeats."""
    return Headers(
        (name.decode("latin-1"), value.decode("latin-1")) for name, value in fields.fields
    )


def to_request(flow: http.HTTPFlow) -> Request:
    """The request of a flow, addressed to where mitmproxy will dial, whatever `Host` says."""
    request, client = flow.request, flow.client_conn
    headers = to_headers(request.headers)
    # HTTP/2 has it beside the header fields.
    if request.authority:
        headers = headers.plus(("host", request.authority))
    user = flow.metadata.get("proxyauth")
    return Request(
        request.method,
        request.scheme,
        request.host.lower() if request.host.isascii() else request.host,
        request.port,
        request.path,
        headers,
        request.raw_content or b"",
        sni=client.sni or "",
        is_local=is_local(client),
        # A name and a password, where mitmproxy's `proxyauth` has asked for them.
        proxy_user=str(user[0]) if user else "",
    )


def is_local(client: Client) -> bool:
    """Did this client reach us at a loopback address?"""
    return is_loopback(client.sockname[0]) if client.sockname else False


def is_loopback(address: str) -> bool:
    """Is this an address of the machine for itself? A name is none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback


def to_response(reply: Reply) -> http.Response:
    """A response that HTTP/1 and HTTP/2 clients can be given.

    Names are lower case: HTTP/2 knows no other, and mitmproxy warns at each one it must mend.
    """
    body = reply.body
    fields = [
        (name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers
    ]
    kept = [field for field in fields if field[0] not in _OF_THE_CONNECTION]
    kept.append((b"content-length", b"%d" % len(body)))
    now = time.time()
    return http.Response(
        b"HTTP/1.1",
        reply.status,
        status_codes.RESPONSES.get(reply.status, "").encode(),
        http.Headers(kept),
        body,
        None,
        now,
        now,
    )


def to_head(reply: Reply, *, is_chunked: bool) -> http.Response:
    """The head of a response whose body comes piece by piece; HTTP/2 marks its end itself."""
    response = to_response(reply)
    del response.headers["content-length"]
    if is_chunked:
        response.headers["transfer-encoding"] = "chunked"
    return response


def replace_body(request: http.Request, body: bytes) -> None:
    """Send another body, not encoded and of known length."""
    for name in ("content-encoding", "transfer-encoding"):
        request.headers.pop(name, None)
    request.content = body


def unfold(request: http.Request) -> None:
    """Put every header on one line (RFC 9112 §5.2): mitmproxy passes folded ones on as they came,
    and an upstream that reads line by line would see a header in the middle of another."""
    fields = request.headers.fields
    if any(b"\n" in value for _, value in fields):
        request.headers.fields = tuple((name, _FOLD.sub(b" ", value)) for name, value in fields)


def strip_controls(request: http.Request) -> None:
    """Take our control headers out of a request that goes upstream.

    A SigV4 signature breaks when a header it covers is removed: then they stay.
    """
    for name in CONTROL_HEADERS:
        if name in request.headers and name not in _signed_headers(request):
            del request.headers[name]


def _signed_headers(request: http.Request) -> frozenset[str]:
    """Names covered by an AWS SigV4 signature, in the header or in a presigned URL."""
    names = ""
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("AWS4-"):
        names = authorization.partition("SignedHeaders=")[2].partition(",")[0]
    elif "X-Amz-SignedHeaders" in request.path:
        query = parse_qs(request.path.partition("?")[2])
        names = query.get("X-Amz-SignedHeaders", [""])[0]
    return frozenset(name.strip().lower() for name in names.split(";"))
