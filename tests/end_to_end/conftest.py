"""The play's parts: a certificate authority, an upstream, and a proxy before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.end_to_end import certificates, proxies
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Upstream
from tests.servers import redis_server

__all__ = ["redis_server"]

Start = Callable[..., Proxy]


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> certificates.Authority:
    return certificates.make(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(scope="session")
def standing_upstream(authority: certificates.Authority) -> Iterator[Upstream]:
    upstream = Upstream(authority)
    yield upstream
    upstream.close()


@pytest.fixture
def upstream(standing_upstream: Upstream) -> Upstream:
    """The fake provider, as new."""
    standing_upstream.reset()
    return standing_upstream


@pytest.fixture(scope="session", params=["mitmdump", "engine"])
def standing_proxy(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    standing_upstream: Upstream,
) -> Iterator[Proxy]:
    make = getattr(proxies, request.param)
    proxy = make(tmp_path_factory.mktemp(request.param), standing_upstream)
    yield proxy
    proxy.stop()


@pytest.fixture
def proxy(standing_proxy: Proxy, upstream: Upstream) -> Proxy:
    """A proxy that listens and remembers nothing, of either kind."""
    standing_proxy.wait()
    standing_proxy.page("/flush", "POST")
    return standing_proxy


@pytest.fixture
def start(tmp_path: Path, upstream: Upstream) -> Iterator[Start]:
    """Start a proxy of one's own by a function of `proxies`; it ends with the test."""
    started: list[Proxy] = []

    def start(make: Start, *arguments: str, **options: object) -> Proxy:
        started.append(make(tmp_path, upstream, *arguments, **options))
        return started[-1]

    yield start
    for proxy in started:
        proxy.stop()
