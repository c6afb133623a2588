"""Every client of the process is reached while a cache is active, and free afterwards."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from khazad_mitm.cache.front import Cache
from khazad_mitm.inprocess import patch
from tests.inprocess.conftest import Always, importorskip
from tests.inprocess.upstream import PATH, PATIENCE_S, Upstream, question


def ask_twice(post: Callable[..., Any], upstream: Upstream, cache: Cache) -> None:
    """Fails unless the second answer came from the cache."""
    post(upstream.url + PATH, json=question())
    assert cache.drain(PATIENCE_S)
    assert "khazad; hit" in post(upstream.url + PATH, json=question()).headers["cache-status"]
    assert 1 == len(upstream.calls)


def test_the_functions_of_the_library_are_reached(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    ask_twice(library.post, upstream, active)


def test_a_client_built_before_is_reached(library: Any, upstream: Upstream, cache: Cache) -> None:
    with library.Client() as client:
        patch.install(Always(cache))
        try:
            ask_twice(client.post, upstream, cache)
        finally:
            patch.uninstall(Always(cache))


def test_a_client_with_mounts_is_reached(library: Any, upstream: Upstream, active: Cache) -> None:
    with library.Client(mounts={"http://127.0.0.1": library.HTTPTransport()}) as client:
        ask_twice(client.post, upstream, active)


def test_a_client_with_a_transport_of_its_own_is_reached(
    library: Any, upstream: Upstream, active: Cache
) -> None:
    with library.Client(transport=library.HTTPTransport(retries=2)) as client:
        ask_twice(client.post, upstream, active)


def test_a_client_behind_a_proxy_from_the_environment_is_reached(
    library: Any, upstream: Upstream, active: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", upstream.url)
    monkeypatch.delenv("NO_PROXY", raising=False)
    with library.Client() as client:
        client.post("http://llm.test" + PATH, json=question())
        assert active.drain(PATIENCE_S)
        client.post("http://llm.test" + PATH, json=question())

    assert ["llm.test"] == [call["host"] for call in upstream.calls]


def test_a_subclass_that_picks_its_own_transport_is_reached(
    library: Any, upstream: Upstream, cache: Cache
) -> None:
    class Picky(library.Client):  # type: ignore[misc]
        def _transport_for_url(self, url: Any) -> Any:
            return self._transport

    own = Picky.__dict__["_transport_for_url"]
    patch.install(Always(cache))
    try:
        with Picky() as client:
            ask_twice(client.post, upstream, cache)
    finally:
        patch.uninstall(Always(cache))
    assert own is Picky.__dict__["_transport_for_url"]


def test_a_subclass_that_asks_its_base_is_looked_up_once(
    library: Any, upstream: Upstream, cache: Cache
) -> None:
    class Polite(library.Client):  # type: ignore[misc]
        def _transport_for_url(self, url: Any) -> Any:
            return super()._transport_for_url(url)

    patch.install(Always(cache))
    try:
        with Polite() as client:
            client.post(upstream.url + PATH, json=question())
    finally:
        patch.uninstall(Always(cache))
    assert 1 == cache.stats().total_requests


def test_clients_are_free_once_the_cache_is_gone(
    library: Any, upstream: Upstream, cache: Cache
) -> None:
    before = (library.Client._transport_for_url, library.AsyncClient._transport_for_url)
    patch.install(Always(cache))
    with library.Client() as client:
        client.post(upstream.url + PATH, json=question())
        patch.uninstall(Always(cache))
        response = client.post(upstream.url + PATH, json=question())

    assert "cache-status" not in response.headers
    assert before == (library.Client._transport_for_url, library.AsyncClient._transport_for_url)


def test_a_patch_laid_over_ours_survives_it(
    library: Any, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    patch.install(Always(cache))
    below = library.Client._transport_for_url
    try:
        with monkeypatch.context() as over:
            theirs = lambda client, url: below(client, url)  # noqa: E731
            over.setattr(library.Client, "_transport_for_url", theirs)
            patch.uninstall(Always(cache))
            assert theirs is library.Client._transport_for_url
            with library.Client() as client:
                assert client._transport is client._transport_for_url(library.URL("http://x/"))
    finally:
        patch.uninstall(Always(cache))


def test_of_two_caches_the_newer_is_asked_and_then_the_older_again(
    library: Any, upstream: Upstream, cache: Cache
) -> None:
    class Newer(Cache):
        def __init__(self) -> None:
            self.asked = 0

        def look_up(self, request: Any, *, follows: bool = False) -> None:
            self.asked += 1

    newer = Newer()
    patch.install(Always(cache))
    patch.install(Always(newer))
    try:
        library.post(upstream.url + PATH, json=question())
        patch.uninstall(Always(newer))
        library.post(upstream.url + PATH, json=question())
    finally:
        patch.uninstall(Always(newer))
        patch.uninstall(Always(cache))

    assert 1 == newer.asked
    assert 1 == cache.stats().total_requests


def test_an_awaiting_client_built_before_is_reached(
    library: Any, upstream: Upstream, cache: Cache
) -> None:
    async def ask() -> list[str]:
        async with library.AsyncClient() as client:
            patch.install(Always(cache))
            said = []
            for _ in range(2):
                response = await client.post(upstream.url + PATH, json=question())
                said.append(response.headers["cache-status"])
                assert cache.drain(PATIENCE_S)
            return said

    try:
        assert "khazad; hit" in asyncio.run(ask())[1]
    finally:
        patch.uninstall(Always(cache))
    assert 1 == len(upstream.calls)


def run(program: str) -> str:
    """What a fresh interpreter prints for this program."""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert 0 == done.returncode, done.stderr
    return done.stdout.strip()


BEGIN = """
import sys
from khazad_mitm.inprocess import patch
cache = object()
patch.install(cache)
"""


def test_a_library_imported_later_is_reached(library: Any) -> None:
    name = library.__name__
    program = f"""
loaded_early = {name!r} in sys.modules
import {name}
print(loaded_early, hasattr({name}.Client._transport_for_url, "__wrapped__"))
patch.uninstall(cache)
print(hasattr({name}.Client._transport_for_url, "__wrapped__"))
"""
    assert ["False True", "False"] == run(BEGIN + program).splitlines()


def test_a_library_first_imported_after_the_end_is_left_alone(library: Any) -> None:
    name = library.__name__
    program = f"""
patch.uninstall(cache)
import {name}
print(hasattr({name}.Client._transport_for_url, "__wrapped__"), sys.meta_path.count(patch._watcher))
"""
    assert "False 0" == run(BEGIN + program)


def test_httpx2_under_the_name_of_httpx_is_patched_once() -> None:
    importorskip("httpx2")
    program = """
import httpx2
httpx2.alias_httpx()
import httpx
once = httpx.Client._transport_for_url.__wrapped__
print(httpx is httpx2, hasattr(once, "__wrapped__"))
"""
    assert "True False" == run(BEGIN + program)


def test_without_any_library_there_is_nothing_to_do_and_it_is_said() -> None:
    program = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
sys.modules |= dict.fromkeys(["httpx", "httpx2", "requests", "botocore"])
from khazad_mitm.inprocess import patch
cache = object()
patch.install(cache)
patch.uninstall(cache)
"""
    expected = (
        "[Khazad] None of httpx, httpx2, requests, botocore is installed: nothing to intercept"
    )
    assert expected == run(program)


def test_a_library_that_has_changed_is_still_imported_and_it_is_said() -> None:
    program = """
import logging, types
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(levelname)s %(message)s")
module = types.ModuleType("httpx")
module.__version__ = "9.0"
patch._patch(module)
"""
    said = run(BEGIN + program).splitlines()[0]

    assert said.startswith("WARNING [Khazad] httpx 9.0 not intercepted: AttributeError at ")
