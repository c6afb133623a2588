from __future__ import annotations

import asyncio
import socket

import pytest

from tests.loopback import NetworkRefused, refused

# TEST-NET-1 (RFC 5737): nobody answers there, should the guard fail.
ELSEWHERE = ("192.0.2.1", 9)


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_a_connection_to_another_machine_is_refused_and_remembered(method):
    with socket.socket() as client, pytest.raises(NetworkRefused):
        getattr(client, method)(ELSEWHERE)

    assert [ELSEWHERE] == refused
    refused.clear()


def test_a_name_is_refused_before_it_is_looked_up():
    with pytest.raises(NetworkRefused):
        socket.create_connection(("khazad.invalid", 443))

    assert ["khazad.invalid"] == refused
    refused.clear()


async def test_asyncio_cannot_leave_the_machine_either():
    with pytest.raises(NetworkRefused):
        await asyncio.open_connection(*ELSEWHERE)

    refused.clear()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_loopback_is_reached(host):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((host, port)) as client:
            assert port == client.getpeername()[1]


def test_a_unix_socket_is_reached(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)

        assert path == client.getpeername()
