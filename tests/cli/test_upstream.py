from __future__ import annotations

import pytest

from khazad_mitm.cli.upstream import BEHIND, of, options


def test_a_proxy_that_was_there_is_found_the_one_for_https_first() -> None:
    assert "http://b:2" == of({"http_proxy": "http://a:1", "https_proxy": "http://b:2"})
    assert "http://b:2" == of({"HTTPS_PROXY": "b:2"})
    assert of({}) == ""


def test_inside_another_run_it_is_what_that_one_found() -> None:
    ours = {"HTTPS_PROXY": "http://127.0.0.1:9", "KHAZAD_PROXY": "http://127.0.0.1:9"}

    assert of(ours) == ""
    assert "http://corp:1" == of({**ours, BEHIND: "http://corp:1"})


@pytest.mark.parametrize(
    ("url", "mode"),
    [
        ("http://corp:3128", "upstream:http://corp:3128"),
        ("https://corp", "upstream:https://corp:443"),
        ("http://[fe80::1]:1", "upstream:http://[fe80::1]:1"),
    ],
)
def test_it_is_named_in_mitmproxys_words(url: str, mode: str) -> None:
    assert {"mode": [mode]} == options(url)


def test_its_credentials_are_handed_on() -> None:
    assert "me:p@ss" == options("http://me:p%40ss@corp:1")["upstream_auth"]


@pytest.mark.parametrize("url", ["", "socks5://corp:1080", "http://"])
def test_what_mitmproxy_cannot_go_through_is_not_named(url: str) -> None:
    assert options(url) == {}
