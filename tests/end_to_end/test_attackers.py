"""Callers who want what another one's key has paid for, and servers that want to answer for others.

Real proxies of both kinds, and an upstream on loopback that says in its answer who was asked how.
"""

from __future__ import annotations

import base64
import json
import socket
from collections.abc import Callable
from typing import Any

import pytest

from tests.end_to_end.clients import CHAT, Received
from tests.end_to_end.conftest import Standing
from tests.end_to_end.proxies import SETTINGS, Proxy
from tests.end_to_end.upstream import WAIT_S, Answer, Call, Upstream, chat_answer, question

SECRET = question("What is in our contract?")
PAID = {"Content-Type": "application/json", "Authorization": "Bearer sk-paid"}


def only(*keys: str) -> Callable[[Call], Answer]:
    """An upstream that accepts these credentials, and says whom it answers."""

    def answer(call: Call) -> Answer:
        shown = call.headers.get("authorization", "")
        if shown.removeprefix("Bearer ") not in keys:
            return chat_answer("refused", status=401)
        return chat_answer(f"for {shown} at {call.headers.get('host', '')}")

    return answer


def plain(proxy: Proxy, body: bytes = SECRET, *, port: int, **headers: str) -> Received:
    """By plain HTTP, in absolute form."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    with proxy.client("127.0.0.1", port) as client:
        return client.send_plain("POST", CHAT, body, {"Content-Type": "application/json", **more})


def is_hit(received: Received) -> bool:
    return received.cache_status.startswith("khazad; hit")


@pytest.fixture
def paid(proxy: Proxy, upstream: Upstream) -> Received:
    """Somebody has asked, and paid for the answer."""
    upstream.answer = only("sk-paid", "sk-other")
    first = plain(proxy, port=upstream.port, Authorization="Bearer sk-paid")
    proxy.wait_until(stored=1)
    assert is_hit(plain(proxy, port=upstream.port, Authorization="Bearer sk-paid"))
    return first


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer "},
        {"Authorization": "Bearer sk-wrong"},
        {"Authorization": "Bearer sk-other"},
        {"Authorization": "Bearer SK-PAID"},
        {"Authorization": "Bearer sk-paid "+ "x"},
        {"X_Api_Key": "sk-paid"},
        {"Authorization": "Bearer sk-other", "X_Khazad_Tag": "a"},
        {"Authorization": "Bearer sk-other", "Cache_Control": "only-if-cached"},
        {"X_Khazad_Threshold": "0.0"},
        {"Proxy_Authorization": "Bearer sk-paid"},
    ],
    ids=str,
)  # fmt: skip
def test_nobody_reads_what_another_key_has_paid_for(
    proxy: Proxy, upstream: Upstream, paid: Received, headers: dict[str, str]
) -> None:
    received = plain(proxy, port=upstream.port, **headers)

    assert not is_hit(received)
    assert paid.body != received.body


def test_the_id_of_an_entry_opens_nothing(proxy: Proxy, upstream: Upstream, paid: Received) -> None:
    hit = plain(proxy, port=upstream.port, Authorization="Bearer sk-paid")
    id_ = hit.headers["x-khazad-entry"]

    received = plain(
        proxy, port=upstream.port, Authorization="Bearer sk-other", X_Khazad_Entry=id_,
        X_Khazad_Tag=id_, If_None_Match=id_, Cookie=f"khazad={id_}",
    )  # fmt: skip
    assert not is_hit(received)
    for page in (f"/entries/{id_}", f"/stats?id={id_}", "/list", f"/explain/{id_}"):
        assert "contract" not in json.dumps(proxy.page(page)[1])


def test_a_key_that_the_upstream_has_refused_reads_nothing_more(
    proxy: Proxy, upstream: Upstream, paid: Received
) -> None:
    upstream.answer = only()
    other = question("Is my key still good?")
    assert 401 == plain(proxy, other, port=upstream.port, Authorization="Bearer sk-paid").status
    proxy.unkept("status 401")

    again = plain(proxy, port=upstream.port, Authorization="Bearer sk-paid")
    assert 401 == again.status


def test_without_a_credential_a_server_that_wants_none_is_cached(
    proxy: Proxy, upstream: Upstream
) -> None:
    body = json.dumps({"model": "llama3", "prompt": "Hi", "stream": False}).encode()
    whole = {"model": "llama3", "response": "Ho", "done": True, "done_reason": "stop"}
    upstream.answer = lambda call: Answer(frames=(json.dumps(whole).encode(),))

    with proxy.client("127.0.0.1", upstream.port) as client:
        nothing = {"Content-Type": "application/json"}
        client.send_plain("POST", "/api/generate", body, nothing)
        proxy.wait_until(stored=1)
        assert is_hit(client.send_plain("POST", "/api/generate", body, nothing))


# -- tokens with somebody's claims


def token(signature: str, **claims: Any) -> str:
    parts = [json.dumps(part).encode() for part in ({"alg": "RS256"}, {"sub": "me", **claims})]
    return ".".join([*(base64.urlsafe_b64encode(p).decode().rstrip("=") for p in parts), signature])


def test_a_token_made_up_of_anothers_claims_gets_no_hit(proxy: Proxy, upstream: Upstream) -> None:
    old, new, forged = token("good", exp=1), token("fine", exp=2), token("forged", exp=3)
    upstream.answer = only(old, new)

    def ask(which: str, body: bytes = SECRET) -> Received:
        return plain(proxy, body, port=upstream.port, Authorization=f"Bearer {which}")

    ask(old)
    proxy.wait_until(stored=1)

    assert 401 == ask(forged).status
    assert 401 == ask(forged).status
    # Renewed: accepted once for something else, and then answered as before.
    assert not is_hit(ask(new, question("Something else?")))
    proxy.wait_until(stored=2)
    assert is_hit(ask(new))


# -- the same, where all share


@pytest.fixture
def shared(standing: Standing) -> Proxy:
    return standing("engine", {**SETTINGS, "tenant": "shared"})


def test_what_another_server_accepts_opens_nothing(shared: Proxy, upstream: Upstream) -> None:
    def answer(call: Call) -> Answer:
        is_mine = call.headers["host"].startswith("localhost")
        return chat_answer("mine") if is_mine else only("sk-paid")(call)

    upstream.answer = answer
    plain(shared, port=upstream.port, Authorization="Bearer sk-paid")
    shared.wait_until(stored=1)
    with shared.client("localhost", upstream.port) as client:
        client.send_plain("POST", CHAT, SECRET, PAID | {"Authorization": "Bearer junk"})
    shared.wait_until(stored=2)

    assert 401 == plain(shared, port=upstream.port, Authorization="Bearer junk").status
    assert 401 == plain(shared, port=upstream.port).status


def test_a_site_at_the_same_address_poisons_no_other(shared: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: chat_answer(f"by {call.headers['host']}")
    for host in ("evil.example.com", "127.0.0.1"):
        raw(shared, upstream, "Authorization: Bearer sk-paid", host=host)
    shared.wait_until(stored=2)

    answered = [
        raw(shared, upstream, "Authorization: Bearer sk-paid", host=host)
        for host in ("evil.example.com", "127.0.0.1")
    ]
    assert b"by evil.example.com" in answered[0]
    assert b"by 127.0.0.1" in answered[1]
    assert all(b"khazad; hit" in answer for answer in answered)


# -- ports, paths, schemes, names


def test_every_other_place_is_another_one(proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: chat_answer("Hello.")
    places = [
        ("127.0.0.1", CHAT), ("127.0.0.2", CHAT), ("localhost", CHAT), ("localhost.", CHAT),
        ("127.0.0.1", "/v1//chat/completions"), ("127.0.0.1", "/v1/%63hat/completions"),
        ("127.0.0.1", "/x/../v1/chat/completions"), ("127.0.0.1", "/V1/chat/completions"),
        ("127.0.0.1", CHAT + "?a=1"), ("127.0.0.1", CHAT + "?key=a"), ("127.0.0.1", CHAT + ";a"),
    ]  # fmt: skip
    for host, path in places:
        with proxy.client(host, upstream.port) as client:
            received = client.send_plain("POST", path, SECRET, PAID)
            assert not is_hit(received), (host, path)
        proxy.wait_until()


def test_the_case_of_a_name_is_no_other_place(proxy: Proxy, upstream: Upstream) -> None:
    upstream.answer = lambda call: chat_answer("Hello.")
    received = []
    for host in ("localhost", "LOCALHOST"):
        with proxy.client(host, upstream.port) as client:
            received.append(client.send_plain("POST", CHAT, SECRET, PAID))
        proxy.wait_until(stored=1)

    assert [False, True] == list(map(is_hit, received))


def test_plain_http_and_tls_share_nothing(proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client() as client:
        client.ask(SECRET)
        proxy.wait_until(stored=1)
        for host in ("api.openai.com", "API.OpenAI.com"):
            assert is_hit(client.ask(SECRET, Host=host))
        assert not is_hit(client.ask(SECRET, Host="evil.example.com"))
    with proxy.client("api.openai.com", 80) as client:
        assert not is_hit(client.send_plain("POST", CHAT, SECRET, PAID))


def test_a_name_given_to_tls_alone_parts_too(proxy: Proxy, upstream: Upstream) -> None:
    def ask(sni: str) -> bytes:
        client = proxy.client()
        head = f"POST {CHAT} HTTP/1.1\r\nHost: api.openai.com\r\nAuthorization: Bearer sk-paid\r\n"
        head += f"Content-Length: {len(SECRET)}\r\nConnection: close\r\n\r\n"
        tunnel = client.raw_tunnel()
        with client.context().wrap_socket(tunnel, server_hostname=sni) as connection:
            connection.sendall(head.encode() + SECRET)
            return b"".join(iter(lambda: connection.recv(65536), b""))

    ask("api.openai.com")
    proxy.wait_until(stored=1)

    assert b"khazad; hit" in ask("api.openai.com")
    assert b"khazad; hit" not in ask("api.anthropic.com")


def test_the_authority_of_http2_is_a_name_too(proxy: Proxy, upstream: Upstream) -> None:
    first = proxy.client().ask_h2(SECRET)
    proxy.wait_until(stored=1)
    second = proxy.client().ask_h2(SECRET)
    evil = proxy.client().ask_h2(SECRET, authority="evil.example.com")

    assert [False, True, False] == [is_hit(first), is_hit(second), is_hit(evil)]


# -- requests that two readers read differently


def raw(
    proxy: Proxy, upstream: Upstream, *lines: str, host: str = "h", body: bytes = SECRET
) -> bytes:
    """Whatever comes back for a request written by hand; a length unless it says its own."""
    url = f"http://127.0.0.1:{upstream.port}{CHAT}"
    framed = any(line.lower().startswith(("content-length", "transfer-")) for line in lines)
    length = () if framed else (f"Content-Length: {len(body)}",)
    head = [f"POST {url} HTTP/1.1", f"Host: {host}", *lines, *length, "Connection: close", "", ""]
    with socket.create_connection(("127.0.0.1", proxy.port), timeout=WAIT_S) as connection:
        connection.sendall("\r\n".join(head).encode("latin-1") + body)
        received = b""
        while data := connection.recv(65536):
            received += data
    return received


HIDDEN = b"0\r\n\r\nPOST /v1/chat/completions HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize(
    "lines",
    [
        (f"Content-Length: {len(HIDDEN)}", "Transfer-Encoding: chunked"),
        ("Transfer-Encoding: chunked", "Content-Length: 4"),
        ("Content-Length: 4", f"Content-Length: {len(HIDDEN)}"),
        (f"Content-Length: {len(HIDDEN)}, {len(HIDDEN)}",),
        ("Content-Length: +4",),
        ("Content-Length: 0x4",),
        ("Content-Length : 4",),
        ("Transfer-Encoding: xchunked",),
        ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
        ("Transfer-Encoding: \x0bchunked",),
        ("X-A: b\r\n Transfer-Encoding: chunked", f"Content-Length: {len(HIDDEN)}"),
        ("X-A: b\nTransfer-Encoding: chunked", f"Content-Length: {len(HIDDEN)}"),
    ],
    ids=repr,
)
def test_no_request_is_smuggled_past_us(
    proxy: Proxy, upstream: Upstream, lines: tuple[str, ...]
) -> None:
    raw(proxy, upstream, *lines, body=HIDDEN)

    # One that both read as one, or none at all: never the hidden one.
    assert [] == [call for call in upstream.calls if call.headers.get("content-length") == "0"]
    assert 1 >= len(upstream.calls)
    assert 0 == proxy.page("/stats")[1]["stored"]


@pytest.mark.parametrize(
    "header", ["X-Khazad-Tag: a", "x-khazad-threshold: 1", "X-KHAZAD-ENTRY: b"]
)
@pytest.mark.parametrize("control", ["Accept: */*", "Cache-Control: no-store"])
def test_headers_of_ours_reach_no_upstream(
    proxy: Proxy, upstream: Upstream, header: str, control: str
) -> None:
    raw(proxy, upstream, header, control)
    raw(proxy, upstream, header, control, body=b"not one of ours")

    assert 2 == len(upstream.calls)
    assert [] == [n for call in upstream.calls for n in call.headers if n.startswith("x-khazad")]
