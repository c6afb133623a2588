"""Libraries in which one method sends a request and gives back its response."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from khazad_mitm.inprocess.translation import Translation
from khazad_mitm.inprocess.transport import SyncTransport
from khazad_mitm.own_calls import is_guarded

if TYPE_CHECKING:
    from khazad_mitm.cache.front import Cache


def sender(
    original: Callable[..., Any],
    *,
    library_of: Callable[[Any], Translation],
    cache_of: Callable[[], Cache | None],
) -> Callable[..., Any]:
    """`send(self, request, ...)` with the cache asked before. `library_of` is given the `self`."""

    @functools.wraps(original)
    def send(self: Any, request: Any, *args: Any, **options: Any) -> Any:
        cache = None if is_guarded() else cache_of()
        if cache is None:
            return original(self, request, *args, **options)
        onward = _Onward(lambda asked: original(self, asked, *args, **options))
        return SyncTransport(library_of(self), cache, onward).handle_request(request)

    return send


class _Onward:
    """The rest of the way, as a transport."""

    def __init__(self, send: Callable[[Any], Any]) -> None:
        self.handle_request = send

    def close(self) -> None:
        """Whoever called `send` closes what he has opened."""
