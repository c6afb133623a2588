"""Connections that are none of our business are passed on as they are."""

from __future__ import annotations

import socket
import ssl
import threading

import pytest

from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import WAIT_S, Upstream, question

OURS = "mitmproxy"
THEIRS = "the upstream's own authority"


def issuer(certificate: dict[str, object]) -> str:
    fields = {name: value for ((name, value),) in certificate["issuer"]}  # type: ignore[attr-defined]
    return str(fields["commonName"])


def test_tls_of_an_llm_host_is_opened(proxy: Proxy) -> None:
    with proxy.client("api.anthropic.com") as client:
        assert OURS == issuer(client.certificate())


@pytest.mark.parametrize("host", ["example.com", "localhost"])
def test_tls_of_an_unknown_host_keeps_its_own_certificate(
    host: str, proxy: Proxy, upstream: Upstream
) -> None:
    # `example.com` is dialled as a bare address by the redirect, and known by its SNI alone.
    with proxy.client(host, upstream.port) as client:
        assert THEIRS == issuer(client.certificate())
        answers = [client.ask(question("Hi?")), client.ask(question("Hi?"))]

    assert ["", ""] == [answer.cache_status for answer in answers]
    assert 2 == len(upstream.calls)


def test_an_unknown_address_with_the_sni_of_an_llm_host_is_opened(
    proxy: Proxy, upstream: Upstream
) -> None:
    client = proxy.client("127.0.0.1", upstream.port)
    with client.context().wrap_socket(
        client.raw_tunnel(), server_hostname="api.openai.com"
    ) as tunnel:
        assert OURS == issuer(tunnel.getpeercert() or {})


def test_an_unknown_name_with_the_sni_of_an_llm_host_stays_closed(
    proxy: Proxy, upstream: Upstream
) -> None:
    client = proxy.client("localhost", upstream.port)
    with client.context().wrap_socket(
        client.raw_tunnel(), server_hostname="api.openai.com"
    ) as tunnel:
        assert THEIRS == issuer(tunnel.getpeercert() or {})


def test_an_address_without_sni_stays_closed(proxy: Proxy, upstream: Upstream) -> None:
    client = proxy.client("127.0.0.1", upstream.port)
    context = client.context()
    context.check_hostname = False
    with context.wrap_socket(client.raw_tunnel()) as tunnel:
        assert THEIRS == issuer(tunnel.getpeercert() or {})


def test_a_server_may_speak_first_in_a_tunnel(proxy: Proxy) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(WAIT_S)

        def greet() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.sendall(b"SSH-2.0-test\r\n")
                connection.sendall(connection.recv(100).upper())

        server = threading.Thread(target=greet)
        server.start()
        port = listener.getsockname()[1]
        with proxy.client("127.0.0.1", port).raw_tunnel() as tunnel:
            greeting = tunnel.recv(100)
            tunnel.sendall(b"hello")
            reply = tunnel.recv(100)
        server.join(WAIT_S)

    assert (b"SSH-2.0-test\r\n", b"HELLO") == (greeting, reply)


def test_plain_http_inside_a_tunnel_is_cached(proxy: Proxy, upstream: Upstream) -> None:
    body = question("Hi?")
    head = (
        "POST /v1/chat/completions HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    client = proxy.client("127.0.0.1", upstream.port)
    for _ in range(2):
        with client.raw_tunnel() as tunnel:
            tunnel.sendall(head.encode() + body)
            assert tunnel.recv(12).startswith(b"HTTP/1.1 200")
        proxy.wait_until(stored=1)

    assert 1 == len(upstream.calls)


def test_a_client_that_does_not_trust_us_costs_the_upstream_nothing(
    proxy: Proxy, upstream: Upstream
) -> None:
    client = proxy.client()
    context = ssl.create_default_context()
    with client.raw_tunnel() as tunnel, pytest.raises(ssl.SSLCertVerificationError):
        context.wrap_socket(tunnel, server_hostname="api.openai.com")

    assert "api.openai.com" not in upstream.names
