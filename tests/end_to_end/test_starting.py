"""Starting and steering: options, the magic host, other ways of loading the addon."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.end_to_end import proxies
from tests.end_to_end.conftest import Start
from tests.end_to_end.proxies import ADDON, SETTINGS, Proxy
from tests.end_to_end.upstream import Upstream, question

ASKED = question("What is the capital of France?")


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        (
            {"treshold": "0.9"},
            "khazad_treshold: no such option\n\nhint: did you mean khazad_threshold?",
        ),
        ({"threshold": "1.2"}, "khazad_threshold: 1.2 is not a cosine similarity"),
        ({"max_entries": "many"}, "khazad_max_entries: 'many' is not a whole number"),
    ],
)
def test_a_wrong_option_ends_mitmdump_with_a_message(
    settings: dict[str, str], complaint: str, start: Start
) -> None:
    proxy = start(proxies.mitmdump, settings={**SETTINGS, **settings})

    assert 1 == proxy.ended()
    assert complaint in "\n".join(proxy.log)


def test_an_option_given_twice_ends_mitmdump(start: Start) -> None:
    proxy = start(proxies.mitmdump, "--set", "khazad_mode=off")

    assert 1 == proxy.ended()
    assert "Received multiple values for khazad_mode" in "\n".join(proxy.log)


def test_the_addon_loads_from_a_package_folder(
    start: Start, upstream: Upstream, tmp_path: Path
) -> None:
    folder = tmp_path / "site-packages" / "khazad_mitm"
    shutil.copytree(ADDON.parent, folder, ignore=shutil.ignore_patterns("__pycache__"))
    proxy = start(proxies.mitmdump, addon=folder / "addon.py").wait()

    with proxy.client() as client:
        client.ask(ASKED)
        proxy.wait_until(stored=1)
        client.ask(ASKED)

    assert 1 == len(upstream.calls)


def test_the_magic_host_tells_the_statistics_and_forgets(proxy: Proxy, upstream: Upstream) -> None:
    with proxy.client() as client:
        client.ask(ASKED)
        proxy.wait_until(stored=1)
        flushed = proxy.page("/flush", "POST")
        client.ask(ASKED)

    assert 200 == flushed[0]
    assert 1 == proxy.page("/stats")[1]["cache_misses"]
    assert 2 == len(upstream.calls)


def test_a_web_page_cannot_flush(proxy: Proxy) -> None:
    with proxy.client("khazad.internal", 80) as client:
        refused = client.send_plain("POST", "/flush", headers={"Origin": "http://evil.example"})

    assert 403 == refused.status


def test_the_magic_host_is_there_inside_a_tunnel(proxy: Proxy) -> None:
    with proxy.client("khazad.internal", 80).raw_tunnel() as tunnel:
        tunnel.sendall(b"GET /health HTTP/1.1\r\nHost: khazad.internal\r\n\r\n")
        assert tunnel.recv(100).startswith(b"HTTP/1.1 200")


def test_an_unknown_page_of_the_magic_host_lists_the_known_ones(proxy: Proxy) -> None:
    status, page = proxy.page("/")

    assert 404 == status
    known = ["GET /live", "GET /ready", "GET /health", "GET /stats", "POST /flush"]
    assert known == page["pages"][:5]


@pytest.mark.parametrize("kind", [proxies.mitmdump, proxies.engine])
def test_a_proxy_that_is_told_to_end_does_so_quietly(kind: Start, start: Start) -> None:
    proxy = start(kind).wait()
    with proxy.client() as client:
        client.ask(ASKED)
    proxy.stop()

    assert "Traceback" not in "\n".join(proxy.log)
