from __future__ import annotations

import sys

import pytest
from mitmproxy.proxy.mode_servers import AsyncioServerInstance

from khazad_mitm.errors import ConfigError
from khazad_mitm.proxy.listening import SharedPort, parse


def test_a_mode_without_an_address_listens_where_all_do():
    modes = parse(["regular", "socks5@1080", "upstream:http://corp:3128@::1:3128"], "::", 8080)

    assert (
        "regular@:::8080",
        "socks5@:::1080",
        "upstream:http://corp:3128@::1:3128",
    ) == modes.specs
    assert () == modes.reverse_only
    assert ("::", "::", "::1") == modes.hosts


def test_reverse_alone_is_every_provider_and_with_a_url_one():
    modes = parse(["reverse@4000", "reverse:https://api.openai.com"], "127.0.0.1", 8080)

    assert (
        "regular@127.0.0.1:4000",
        "reverse:https://api.openai.com@127.0.0.1:8080",
    ) == modes.specs
    assert ("regular@127.0.0.1:4000",) == modes.reverse_only


def test_an_address_without_a_host_is_every_address():
    assert ("", "::1") == parse(["socks5@:1080", "regular@[::1]:80"], "127.0.0.1", 8080).hosts


@pytest.mark.parametrize("mode", ["", "transparent", "regular:x", "socks5@x", "upstream", "exact"])
def test_what_is_no_mode_is_refused_with_those_that_are(mode: str):
    with pytest.raises(ConfigError, match=r"--mode: .* is none") as refused:
        parse([mode], "127.0.0.1", 8080)

    assert "hint: one of regular, socks5" in str(refused.value)


def test_two_modes_at_one_address_are_refused():
    with pytest.raises(ConfigError, match=r"is not the only one at 127\.0\.0\.1:8080"):
        parse(["regular", "socks5"], "127.0.0.1", 8080)


@pytest.mark.skipif(sys.platform != "linux", reason="workers share a port on Linux")
def test_afterwards_mitmproxy_listens_as_it_did():
    original = AsyncioServerInstance.listen
    shared = SharedPort()

    shared.install()
    assert original is not AsyncioServerInstance.listen
    shared.uninstall()

    assert original is AsyncioServerInstance.listen


def test_a_mitmproxy_that_has_changed_is_an_error_with_another_way(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(AsyncioServerInstance, "listen", lambda self, where: None)

    with pytest.raises(ConfigError, match="behind HAProxy"):
        SharedPort().install()
