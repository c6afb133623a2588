"""Puts the active cache between every client of httpx and httpx2 and its transport.

Patched is the one method through which a client picks the transport of a request: on the classes,
so that clients built before, clients with mounts, proxies or transports of their own, subclasses
and `httpx.get()` are all reached; and for each request anew, so that a client keeps nothing of us
and is free the moment the last cache is gone.

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
from importlib.util import find_spec
from types import ModuleType
from typing import TYPE_CHECKING, Any, Protocol, cast

from khazad_mitm.inprocess.imports import ImportWatcher
from khazad_mitm.inprocess.library import HttpModule, Library
from khazad_mitm.inprocess.transport import Interception, Wrapping

if TYPE_CHECKING:
    from khazad_mitm.cache.front import Cache

logger = logging.getLogger("khazad")

LIBRARIES = ("httpx", "httpx2")
METHOD = "_transport_for_url"

_lock = threading.RLock()
_active: list[Source] = []
_originals: dict[type, tuple[Any, Any]] = {}
"""Class -> (its own method, ours in its place)."""


class Source(Protocol):
    """Where the cache of this process is found."""

    def here(self) -> Cache | None: ...


def install(source: Source) -> None:
    """From now on this cache is asked, until `uninstall` or until a newer one is installed."""
    with _lock:
        _active.append(source)
        _watcher.install()
    for name in LIBRARIES:
        if sys.modules.get(name) is not None:
            # Waits where another thread is in the middle of importing it; not under our lock,
            # which that thread will want.
            _patch(importlib.import_module(name))
    if not any(map(find_spec, LIBRARIES)):
        logger.info("[Khazad] Neither httpx nor httpx2 is installed: nothing to intercept")


def uninstall(source: Source) -> None:
    """Forget this cache; with the last one the clients' own methods are restored."""
    with _lock:
        if source in _active:
            _active.remove(source)
        if _active:
            return
        _watcher.remove()
        for owner, (original, ours) in _originals.items():
            # Someone else may have patched over us: theirs stays, and ours below it is inert.
            if owner.__dict__.get(METHOD) is ours:
                setattr(owner, METHOD, original)
        _originals.clear()


def _patch(module: ModuleType) -> None:
    try:
        wrapping = Wrapping(Library(cast("HttpModule", module)))
        with _lock:
            _patch_class(module.Client, wrapping.sync)
            _patch_class(module.AsyncClient, wrapping.asynchronous)
    except Exception:
        # Runs inside the application's own `import httpx`, which must succeed.
        version = getattr(module, "__version__", "of unknown version")
        logger.warning("[Khazad] %s %s not intercepted", module.__name__, version, exc_info=True)


def _patch_class(base: type, wrap: Callable[[Cache, Any], Any]) -> None:
    if not _active:
        return
    for owner in _with_subclasses(base):
        original = owner.__dict__[METHOD] if owner is base else owner.__dict__.get(METHOD)
        # Once, though `httpx2.alias_httpx()` gives the same class two names.
        if original is not None and owner not in _originals:
            ours = _wrapped_method(original, wrap)
            _originals[owner] = (original, ours)
            setattr(owner, METHOD, ours)


def _with_subclasses(base: type[Any]) -> Iterator[type[Any]]:
    yield base
    for subclass in base.__subclasses__():
        yield from _with_subclasses(subclass)


def _wrapped_method(
    original: Callable[[Any, Any], Any], wrap: Callable[[Cache, Any], Any]
) -> Callable[[Any, Any], Any]:
    @functools.wraps(original)
    def transport_for_url(client: Any, url: Any) -> Any:
        transport = original(client, url)
        active = _active[-1:]
        if not active or isinstance(transport, Interception):
            return transport
        cache = active[0].here()
        return transport if cache is None else wrap(cache, transport)

    return transport_for_url


_watcher = ImportWatcher(LIBRARIES, _patch)


def _forked() -> None:
    # Another thread may have held it.
    global _lock
    _lock = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
