"""The play's parts: a certificate authority, an upstream, and a proxy before it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from tests.end_to_end import certificates, proxies
from tests.end_to_end.proxies import SETTINGS, Proxy
from tests.end_to_end.upstream import Upstream
from tests.servers import redis_server

__all__ = ["redis_server"]

Start = Callable[..., Proxy]

KINDS = ["mitmdump", "engine"]
"""Functions of `proxies`."""


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


class Standing:
    """Proxies that stand until the end, one for each kind and settings; each test forgets all."""

    def __init__(self, make_folder: Callable[[str], Path], upstream: Upstream) -> None:
        self._make_folder = make_folder
        self._upstream = upstream
        self._proxies: dict[tuple[str, tuple[tuple[str, str], ...]], Proxy] = {}

    def __call__(self, kind: str, settings: Mapping[str, str] = SETTINGS) -> Proxy:
        """One that listens and remembers nothing."""
        key = (kind, tuple(sorted(settings.items())))
        if key not in self._proxies:
            make = getattr(proxies, kind)
            self._proxies[key] = make(self._make_folder(kind), self._upstream, settings=settings)
        proxy = self._proxies[key].wait()
        assert 200 == proxy.page("/flush", "POST")[0]
        return proxy

    def stop(self) -> None:
        for proxy in self._proxies.values():
            proxy.stop()


@pytest.fixture(scope="session")
def all_standing(
    tmp_path_factory: pytest.TempPathFactory, standing_upstream: Upstream
) -> Iterator[Standing]:
    standing = Standing(tmp_path_factory.mktemp, standing_upstream)
    yield standing
    standing.stop()


@pytest.fixture
def standing(all_standing: Standing, upstream: Upstream) -> Standing:
    """For a test that leaves behind nothing which `/flush` does not take away."""
    return all_standing


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def proxy(standing: Standing, kind: str) -> Proxy:
    """A proxy that listens and remembers nothing, of either kind."""
    return standing(kind)


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
