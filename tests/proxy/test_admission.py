from __future__ import annotations

import socket
from typing import Any

import pytest
from mitmproxy import connection
from mitmproxy.proxy.mode_specs import ProxyMode
from mitmproxy.proxy.server_hooks import ServerConnectionHookData

from khazad_mitm.errors import ConfigError
from khazad_mitm.proxy.admission import Admission, check, is_private
from khazad_mitm.proxy.engine import Engine
from khazad_mitm.settings import Settings

HERE, ELSEWHERE = "127.0.0.1", "192.0.2.7"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "::1", "localhost", "::ffff:127.0.0.1"])
def test_loopback_needs_nobody_to_guard_it(host: str) -> None:
    check(host, has_authentication=False, is_open=False)


@pytest.mark.parametrize("host", ["", "0.0.0.0", "::", "192.168.1.1", "proxy.example.com"])
def test_any_other_address_wants_authentication_or_an_open_door(host: str) -> None:
    with pytest.raises(ConfigError, match="--open"):
        check(host, has_authentication=False, is_open=False)
    check(host, has_authentication=True, is_open=False)
    check(host, has_authentication=False, is_open=True)


OUTSIDE = {"modes": ["regular", "socks5@0.0.0.0:1080"]}


@pytest.mark.parametrize(
    "arguments",
    [
        OUTSIDE,
        {"listen_host": "0.0.0.0"},
        {**OUTSIDE, "given_options": ["proxyauth="]},
        {**OUTSIDE, "extra_options": {"proxyauth": "a:b"}, "given_options": ["proxyauth="]},
        {"modes": ["reverse@0.0.0.0:8081"]},
    ],
)
def test_every_port_of_an_engine_is_guarded(arguments: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="--open"):
        Engine(Settings(), **arguments)


@pytest.mark.parametrize(
    "guard",
    [
        {"extra_options": {"proxyauth": "a:b"}},
        {"given_options": ["proxyauth=a:b"]},
        {"is_open": True},
    ],
)
def test_one_guard_will_do_for_all_of_them(guard: dict[str, Any]) -> None:
    Engine(Settings(), **OUTSIDE, **guard)


@pytest.mark.parametrize("given", ["mode=regular@0.0.0.0:1", "listen_host=0.0.0.0"])
def test_no_option_of_mitmproxys_opens_a_port_behind_the_guard(given: str) -> None:
    with pytest.raises(ConfigError, match="--listen"):
        Engine(Settings(), given_options=[given])


@pytest.mark.parametrize(
    "address",
    """10.0.0.1 172.16.0.1 192.168.0.1 127.0.0.1 127.9.9.9 169.254.169.254 100.64.0.1 0.0.0.0
    224.0.0.1 255.255.255.255 ::1 :: fe80::1 fe80::1%lo fc00::1 fd00:ec2::254 ff02::1
    ::ffff:10.0.0.1 ::ffff:169.254.169.254 64:ff9b::a00:1 64:ff9b::7f00:1 2002:7f00:1::""".split(),
)
def test_what_lies_behind_the_proxy_is_private(address: str) -> None:
    assert is_private(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1", "64:ff9b::808:808", "172.32.0.1"])
def test_the_internet_is_not(address: str) -> None:
    assert not is_private(address)


def dialling(host: str, at: str = ELSEWHERE, mode: str = "regular") -> ServerConnectionHookData:
    client = connection.Client(
        peername=(at, 5), sockname=(at, 8080), proxy_mode=ProxyMode.parse(mode), state=0
    )  # type: ignore[arg-type]
    server = connection.Server(address=(host, 443))
    return ServerConnectionHookData(client=client, server=server)


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Names and their addresses, in place of a name server."""
    known: dict[str, list[str]] = {}

    def look_up(host: Any, port: Any, *_: Any, **__: Any) -> Any:
        if host not in known:
            raise socket.gaierror("unknown")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return known


async def test_who_comes_from_elsewhere_is_taken_to_the_address_that_was_looked_at(
    names: dict[str, list[str]],
) -> None:
    names["api.openai.com"] = ["8.8.8.8"]
    data = dialling("api.openai.com")
    await Admission().server_connect(data)

    assert (("8.8.8.8", 443), None) == (data.server.address, data.server.error)
    assert "api.openai.com" == data.server.sni


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "169.254.169.254"], []])
async def test_a_name_that_leads_inside_is_refused(
    names: dict[str, list[str]], addresses: list[str]
) -> None:
    names["rebound.example.com"] = addresses
    data = dialling("rebound.example.com")
    await Admission().server_connect(data)

    assert "private network" in (data.server.error or "")


async def test_an_unknown_name_is_an_error_and_no_way_round(names: dict[str, list[str]]) -> None:
    data = dialling("unknown.example.com")
    await Admission().server_connect(data)

    assert "no address" in (data.server.error or "")


async def test_a_host_that_the_operator_has_named_may_lie_inside(
    names: dict[str, list[str]],
) -> None:
    data = dialling("vllm.internal.example.com")
    await Admission(("*.internal.example.com",)).server_connect(data)

    assert data.server.error is None


async def test_a_provider_that_the_operator_has_named_may_lie_inside_and_not_its_neighbour(
    names: dict[str, list[str]],
) -> None:
    names["gpu"] = ["10.0.0.1"]
    named, beside = dialling("gpu"), dialling("gpu")
    await Admission(addresses=[("gpu", 443)]).server_connect(named)
    await Admission(addresses=[("gpu", 22)]).server_connect(beside)

    assert named.server.error is None
    assert "private network" in (beside.server.error or "")


@pytest.mark.parametrize(
    ("at", "mode"), [(HERE, "regular"), (ELSEWHERE, "reverse:http://10.0.0.1")]
)
async def test_who_is_at_home_or_was_sent_there_is_not_stopped(
    names: dict[str, list[str]], at: str, mode: str
) -> None:
    data = dialling("intranet", at, mode)
    await Admission().server_connect(data)

    assert (("intranet", 443), None) == (data.server.address, data.server.error)
