"""Libraries in which one method sends a request and gives back its response."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import urlsplit

from khazad_mitm.inprocess.ahead import Place, Way
from khazad_mitm.inprocess.translation import Translation
from khazad_mitm.inprocess.transport import SyncTransport
from khazad_mitm.own_calls import is_guarded

if TYPE_CHECKING:
    from khazad_mitm.fronts import Front


class SenderLibrary(Translation, Protocol):
    """The words of what one sender sends."""

    def proxy_url(self, url: str, options: dict[str, Any]) -> str | None:
        """The proxy by which it sends there, given the keyword arguments of `send`."""
        ...


def sender(
    original: Callable[..., Any],
    *,
    library_of: Callable[[Any], SenderLibrary],
    cache_of: Callable[[Way], Front | None],
) -> Callable[..., Any]:
    """`send(self, request, ...)` with the cache asked before. `library_of` is given the `self`."""

    @functools.wraps(original)
    def send(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        library = library_of(self)

        def way() -> tuple[Place | None, str, str]:
            url = urlsplit(request.url)
            place = Place.of(library.proxy_url(request.url, options) or "")
            return place, url.scheme, url.hostname or ""

        cache = None if is_guarded() else cache_of(way)
        if cache is None:
            return original(self, request, *args, **options)
        onward = _Onward(lambda asked: original(self, asked, *args, **options))
        return SyncTransport(library, cache, onward).handle_request(request)

    return send


class _Onward:
    """The rest of the way, as a transport."""

    def __init__(self, send: Callable[[Any], Any]) -> None:
        self.handle_request = send

    def close(self) -> None:
        """Whoever called `send` closes what he has opened."""
