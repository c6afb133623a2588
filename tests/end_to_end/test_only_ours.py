"""What clients do in tunnels that are none of our business works as if there were no proxy."""

from __future__ import annotations

import socket
import ssl

import pytest
import trustme

from tests.end_to_end import http2
from tests.end_to_end.conftest import Standing
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.raw import head, listening, read_to_end
from tests.end_to_end.upstream import Upstream, question

ASKED = question("What is the capital of France?")
STRANGERS = ["localhost", "127.0.0.1"]
"""By name, and by an address, where only a ClientHello could say more."""


@pytest.fixture(scope="module")
def pinned() -> trustme.CA:
    """Trusted by the pinned clients alone, and neither by the system nor by the proxy."""
    return trustme.CA()


def server_context(pinned: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pinned.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    return context


def client_context(pinned: trustme.CA) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pinned.configure_trust(context)
    return context


@pytest.mark.parametrize("host", STRANGERS)
def test_a_client_that_trusts_one_authority_only_meets_it(
    host: str, proxy: Proxy, pinned: trustme.CA
) -> None:
    def serve(connection: socket.socket) -> None:
        with server_context(pinned).wrap_socket(connection, server_side=True) as tls:
            tls.sendall(tls.recv(100).upper())

    with (
        listening(serve) as port,
        proxy.client(host, port).raw_tunnel() as tunnel,
        client_context(pinned).wrap_socket(tunnel, server_hostname=host) as tls,
    ):
        tls.sendall(b"hello")
        assert b"HELLO" == tls.recv(100)


@pytest.mark.parametrize("host", STRANGERS)
def test_a_server_sees_the_certificate_of_its_client(
    host: str, proxy: Proxy, pinned: trustme.CA
) -> None:
    def serve(connection: socket.socket) -> None:
        context = server_context(pinned)
        pinned.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
        with context.wrap_socket(connection, server_side=True) as tls:
            subject = dict(field for (field,) in tls.getpeercert()["subject"])  # type: ignore[index]
            tls.sendall(subject["organizationalUnitName"].encode())

    context = client_context(pinned)
    pinned.issue_cert("caller@example.com", organization_unit_name="callers").configure_cert(
        context
    )
    with (
        listening(serve) as port,
        proxy.client(host, port).raw_tunnel() as tunnel,
        context.wrap_socket(tunnel, server_hostname=host) as tls,
    ):
        assert b"callers" == tls.recv(100)


def test_http2_is_spoken_end_to_end(proxy: Proxy, upstream: Upstream) -> None:
    upstream.offer("h2")
    with proxy.client("example.com").tls("h2") as tunnel:
        assert "the upstream's own authority" in str(tunnel.getpeercert())
        client = http2.Client(tunnel, "example.com")
        heard = client.whole(client.ask("POST", "/v1/chat/completions", b"{}"))

    assert ("200", None) == (heard.headers[":status"], heard.headers.get("cache-status"))


def hello_of(context: ssl.SSLContext, name: str | None) -> bytes:
    """The first bytes of a TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with pytest.raises(ssl.SSLWantReadError):
        context.wrap_bio(incoming, outgoing, server_hostname=name).do_handshake()
    return outgoing.read()


@pytest.mark.parametrize("host", [*STRANGERS, "api.openai.com"])
def test_a_client_hello_may_come_byte_by_byte(host: str, proxy: Proxy, upstream: Upstream) -> None:
    # With post-quantum keys it no longer fits into one packet.
    client = proxy.client(host, upstream.port)
    context = client.context()
    context.check_hostname = False
    with client.raw_tunnel() as tunnel:
        tunnel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in hello_of(context, host):
            tunnel.sendall(bytes([byte]))
        assert b"\x16\x03" == tunnel.recv(2)  # the server's handshake


def with_extension(hello: bytes, kind: int, content: bytes) -> bytes:
    """A ClientHello in one record with one more extension at its end (RFC 8446, 4.1.2)."""
    record, body = hello[:3], hello[9:]
    at = 2 + 32  # version and random
    at += 1 + body[at]  # session id
    at += 2 + int.from_bytes(body[at : at + 2], "big")  # cipher suites
    at += 1 + body[at]  # compression methods
    known = body[at + 2 :]
    assert len(known) == int.from_bytes(body[at : at + 2], "big")
    more = kind.to_bytes(2, "big") + len(content).to_bytes(2, "big") + content
    extensions = known + more
    body = body[:at] + len(extensions).to_bytes(2, "big") + extensions
    message = b"\x01" + len(body).to_bytes(3, "big") + body
    return record + len(message).to_bytes(2, "big") + message


# Of an inner ClientHello that nobody can read but the server: what Chrome sends where it knows no
# key, too (draft-ietf-tls-esni, "GREASE ECH").
ECH = 0xFE0D
SEALED = bytes([0, 0, 1, 0, 1, 7, 0, 32]) + bytes(32) + bytes([0, 16]) + bytes(16)


@pytest.mark.parametrize("host", STRANGERS)
@pytest.mark.parametrize("name", ["public.example", None])
@pytest.mark.parametrize("is_sealed", [True, False], ids=["ech", "plain"])
def test_a_client_hello_arrives_as_it_was_sent(
    host: str, name: str | None, is_sealed: bool, proxy: Proxy
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    hello = hello_of(context, name)
    hello = with_extension(hello, ECH, SEALED) if is_sealed else hello
    heard = []

    def serve(connection: socket.socket) -> None:
        heard.append(connection.recv(len(hello), socket.MSG_WAITALL))
        connection.sendall(b"heard")

    with listening(serve) as port, proxy.client(host, port).raw_tunnel() as tunnel:
        tunnel.sendall(hello)
        assert b"heard" == tunnel.recv(5)

    assert [hello] == heard


def test_a_name_that_is_not_ours_before_a_sealed_one_is_let_through_to_a_host_of_ours(
    proxy: Proxy, upstream: Upstream
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hello = with_extension(hello_of(context, "public.example"), ECH, SEALED)

    with proxy.client().raw_tunnel() as tunnel:
        tunnel.sendall(hello)
        assert b"\x16\x03" == tunnel.recv(2)

    # Ours would have answered itself, and dialled nobody before a request.
    assert ["public.example"] == upstream.names


def test_without_a_name_the_address_says_whose_it_is(proxy: Proxy, upstream: Upstream) -> None:
    client = proxy.client()
    context = client.context()
    context.check_hostname = False
    with client.raw_tunnel() as tunnel, context.wrap_socket(tunnel) as tls:
        assert "mitmproxy" in str(tls.getpeercert())
        tls.sendall(head(content_length=len(ASKED), connection="close") + ASKED)
        assert b"khazad; fwd=miss" in read_to_end(tls)


def test_a_server_that_greets_may_go_on_to_tls(proxy: Proxy, pinned: trustme.CA) -> None:
    def smtp(connection: socket.socket) -> None:
        connection.sendall(b"220 ready\r\n")
        assert b"STARTTLS\r\n" == connection.recv(100)
        connection.sendall(b"220 go ahead\r\n")
        with server_context(pinned).wrap_socket(connection, server_side=True) as tls:
            tls.sendall(tls.recv(100).upper())

    with listening(smtp) as port, proxy.client("localhost", port).raw_tunnel() as tunnel:
        assert b"220 ready\r\n" == tunnel.recv(100)
        tunnel.sendall(b"STARTTLS\r\n")
        assert b"220 go ahead\r\n" == tunnel.recv(100)
        with client_context(pinned).wrap_socket(tunnel, server_hostname="localhost") as tls:
            tls.sendall(b"ehlo")
            assert b"EHLO" == tls.recv(100)


# The lean engine's tunnels; mitmproxy's own close both halves at once.


@pytest.fixture
def lean(standing: Standing) -> Proxy:
    return standing("engine")


@pytest.mark.parametrize("host", STRANGERS)
def test_a_client_may_end_its_half_and_still_be_answered(host: str, lean: Proxy) -> None:
    def counting(connection: socket.socket) -> None:
        connection.sendall(b"%d bytes" % len(read_to_end(connection)))

    with listening(counting) as port, lean.client(host, port).raw_tunnel() as tunnel:
        tunnel.sendall(b"x" * 1_000_000)
        tunnel.shutdown(socket.SHUT_WR)
        assert b"1000000 bytes" == read_to_end(tunnel)


def test_a_server_may_end_its_half_and_still_listen(lean: Proxy) -> None:
    heard = []

    def telling(connection: socket.socket) -> None:
        connection.sendall(b"told")
        connection.shutdown(socket.SHUT_WR)
        heard.append(read_to_end(connection))

    with listening(telling) as port, lean.client("localhost", port).raw_tunnel() as tunnel:
        assert b"told" == read_to_end(tunnel)
        tunnel.sendall(b"x" * 1_000_000)
        tunnel.shutdown(socket.SHUT_WR)
        assert b"" == tunnel.recv(1)

    assert [1_000_000] == [len(data) for data in heard]


def test_a_tunnel_ends_at_the_other_end_when_a_client_goes(lean: Proxy) -> None:
    ended = []

    def waiting(connection: socket.socket) -> None:
        connection.sendall(b"hello")
        ended.append(connection.recv(1))

    with listening(waiting) as port, lean.client("localhost", port).raw_tunnel() as tunnel:
        assert b"hello" == tunnel.recv(100)

    assert [b""] == ended
