"""A cache in memory between real clients and a fake upstream."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest

from khazad_mitm.assembly import build
from khazad_mitm.cache.front import Cache
from khazad_mitm.inprocess import patch
from khazad_mitm.inprocess.ahead import Ahead
from khazad_mitm.settings import from_mapping
from tests.inprocess.upstream import Upstream, running

Post = Callable[..., Any]


@dataclass(frozen=True)
class Always:
    """A cache of this process that never changes."""

    cache: Cache
    ahead: Ahead | None = None

    def here(self) -> Cache:
        return self.cache


class Broken(Cache):
    """Fails at everything."""

    def __init__(self) -> None:
        pass

    def look_up(self, request: Any, *, follows: bool = False) -> Any:
        raise RuntimeError("look_up")

    async def look_up_async(self, request: Any, *, follows: bool = False) -> Any:
        raise RuntimeError("look_up_async")


@pytest.fixture(params=["httpx", "httpx2"])
def library(request: pytest.FixtureRequest) -> Any:
    return importorskip(request.param)


@pytest.fixture
def either() -> Any:
    """httpx or httpx2, where it does not matter which."""
    return importorskip("httpx2" if find_spec("httpx") is None else "httpx")


def importorskip(name: str) -> Any:
    # mitmproxy 11 holds h11 below what httpx2 needs; mitmproxy 12 and today's SDKs bring no httpx.
    return pytest.importorskip(name, reason=f"{name} is not installed beside this mitmproxy")


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with running() as server:
        yield server


@pytest.fixture
def cache() -> Iterator[Cache]:
    settings = from_mapping({"redis_url": "memory", "mode": "exact"}, environ={})
    built = build(settings)
    yield built
    built.close()


@pytest.fixture
def active(cache: Cache) -> Iterator[Cache]:
    """The cache, installed."""
    patch.install(Always(cache))
    yield cache
    patch.uninstall(Always(cache))


@pytest.fixture
def splitting() -> Iterator[Cache]:
    """A cache that answers batches item by item, installed."""
    cache = build(from_mapping({"redis_url": "memory"}, environ={}))
    patch.install(Always(cache))
    yield cache
    patch.uninstall(Always(cache))
    cache.close()


def post_blocking(library: Any, url: str, **arguments: Any) -> Any:
    with library.Client() as client:
        return client.post(url, **arguments)


def post_awaiting(library: Any, url: str, **arguments: Any) -> Any:
    async def post() -> Any:
        async with library.AsyncClient() as client:
            return await client.post(url, **arguments)

    return asyncio.run(post())


@pytest.fixture(params=[post_blocking, post_awaiting], ids=["blocking", "awaiting"])
def post(request: pytest.FixtureRequest) -> Post:
    """post(library, url, **arguments of the client's post) -> the response, read."""
    chosen: Post = request.param
    return chosen
