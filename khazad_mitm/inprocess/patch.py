"""Puts the active cache between the clients of this process and what sends their requests.

Of httpx and httpx2 the one method is patched through which a client picks the transport of a
request: on the classes, so that clients built before, clients with mounts, proxies or transports of
their own, subclasses and `httpx.get()` are all reached; and for each request anew, so that a client
keeps nothing of us and is free the moment the last cache is gone. Of requests and botocore it is
the one method that sends (`senders`).

The patch is the process' and so is this state: a list of active caches, of which the newest is
asked. Written against httpx 0.28 and httpx2 2.16 (`_client.py`, `_transport_for_url`).
"""

from __future__ import annotations

import functools
import importlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from khazad_mitm.errors import tell
from khazad_mitm.inprocess.botocore_library import BotocoreLibrary
from khazad_mitm.inprocess.imports import ImportWatcher
from khazad_mitm.inprocess.library import HttpModule, Library, proxy_of
from khazad_mitm.inprocess.requests_library import RequestsLibrary
from khazad_mitm.inprocess.senders import sender
from khazad_mitm.inprocess.transport import Interception, Wrapping

if TYPE_CHECKING:
    from khazad_mitm.fronts import Front
    from khazad_mitm.inprocess.ahead import Ahead, Way

logger = logging.getLogger("khazad")

LIBRARIES = ("httpx", "httpx2", "requests", "botocore")
MODULES = ("httpx", "httpx2", "requests.adapters", "botocore.httpsession")
"""Where the patched classes are."""
PICKS = "_transport_for_url"
SENDS = "send"

_lock = threading.RLock()
_active: list[Source] = []
_originals: dict[tuple[type, str], tuple[Any, Any]] = {}
"""Class and method -> (its own, ours in its place)."""


class Source(Protocol):
    """Where the cache of this process is found."""

    @property
    def ahead(self) -> Ahead | None:
        """The proxy that answers for some of its calls."""
        ...

    def here(self) -> Front | None: ...


def install(source: Source) -> None:
    """From now on this cache is asked, until `uninstall` or until a newer one is installed."""
    with _lock:
        _active.append(source)
        _watcher.install()
    for name in MODULES:
        if sys.modules.get(name) is not None:
            # Waits where another thread is in the middle of importing it; not under our lock,
            # which that thread will want.
            _patch(importlib.import_module(name))
    if not any(map(find_spec, LIBRARIES)):
        logger.info("[Khazad] None of %s is installed: nothing to intercept", ", ".join(LIBRARIES))


def uninstall(source: Source) -> None:
    """Forget this cache; with the last one the clients' own methods are restored."""
    with _lock:
        if source in _active:
            _active.remove(source)
        if _active:
            return
        _watcher.remove()
        for (owner, method), (original, ours) in _originals.items():
            # Someone else may have patched over us: theirs stays, and ours below it is inert.
            if owner.__dict__.get(method) is ours:
                setattr(owner, method, original)
        _originals.clear()


def _patch(module: ModuleType) -> None:
    try:
        with _lock:
            if not _active:
                return
            match module.__name__:
                case "requests.adapters":
                    ours = partial(sender, library_of=RequestsLibrary, cache_of=_cache)
                    _replace(module.HTTPAdapter, SENDS, ours)
                case "botocore.httpsession":
                    ours = partial(sender, library_of=BotocoreLibrary, cache_of=_cache)
                    _replace(module.URLLib3Session, SENDS, ours)
                case _:
                    wrapping = Wrapping(Library(cast("HttpModule", module)))
                    _replace_picking(module.Client, wrapping.sync)
                    _replace_picking(module.AsyncClient, wrapping.asynchronous)
    except Exception:  # an edge: the application's own `import httpx` must succeed
        version = getattr(module, "__version__", "of unknown version")
        tell(logger, f"[Khazad] {module.__name__} {version} not intercepted")


def _cache(way: Way) -> Front | None:
    """Whom to ask about a call that goes this way; None: nobody."""
    active = _active[-1:]
    if not active:
        return None
    ahead = active[0].ahead
    if ahead is not None and ahead.answers_for(way):
        return None
    return active[0].here()


def _replace(owner: type, method: str, wrapped: Callable[[Any], Any]) -> None:
    # Once, though `httpx2.alias_httpx()` gives the same class two names.
    if (owner, method) not in _originals:
        original = owner.__dict__[method]
        ours = wrapped(original)
        _originals[owner, method] = (original, ours)
        setattr(owner, method, ours)


def _replace_picking(base: type, wrap: Callable[[Front, Any], Any]) -> None:
    for owner in _with_subclasses(base):
        if owner is base or PICKS in owner.__dict__:
            _replace(owner, PICKS, partial(_picking, wrap=wrap))


def _with_subclasses(base: type[Any]) -> Iterator[type[Any]]:
    yield base
    for subclass in base.__subclasses__():
        yield from _with_subclasses(subclass)


def _picking(
    original: Callable[[Any, Any], Any], *, wrap: Callable[[Front, Any], Any]
) -> Callable[[Any, Any], Any]:
    @functools.wraps(original)
    def transport_for_url(client: Any, url: Any) -> Any:
        transport = original(client, url)
        if isinstance(transport, Interception):
            return transport
        cache = _cache(lambda: (proxy_of(transport), url.scheme, url.host))
        return transport if cache is None else wrap(cache, transport)

    return transport_for_url


_watcher = ImportWatcher(MODULES, _patch)


def _forked() -> None:
    # Another thread may have held it.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
