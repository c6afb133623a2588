"""The functions of `import khazad`: one `Khazad` for the whole process."""

from __future__ import annotations

import functools
import logging
import os
import threading
from collections.abc import Callable
from typing import Any, ParamSpec

from khazad_mitm.cache.stats import Stats
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.inprocess.instance import Khazad

P = ParamSpec("P")

logger = logging.getLogger("khazad")

_lock = threading.Lock()
_instance: Khazad | None = None


def _as_init(make: Callable[P, Khazad]) -> Callable[P, None]:
    """`init` with the arguments of `Khazad`, whatever they are."""

    @functools.wraps(make, assigned=(), updated=())
    def init(*args: P.args, **kwargs: P.kwargs) -> None:
        """Cache this process' LLM calls from now on. A second `init` without `stop` does nothing.

        Takes the arguments of `Khazad`; raises ConfigError for a value that cannot work.
        """
        global _instance
        with _lock:
            if _instance is not None and _instance.is_active():
                logger.warning("[Khazad] Already initialized, call stop() first")
                return
            _instance = make(*args, **kwargs)

    return init


init = _as_init(Khazad)


def stop() -> None:
    """Leave the process' clients alone again. Cached data stays. May be called twice."""
    global _instance
    with _lock:
        if _instance is None or not _instance.is_active():
            logger.warning("[Khazad] Not currently active")
            return
        _instance.stop()
        _instance = None


def get_stats() -> dict[str, Any]:
    """The counters as plain values: `total_requests`, `cache_hits`, `hit_rate`, ..."""
    instance = _instance
    return (Stats() if instance is None else instance.get_stats()).to_dict()


def flush() -> None:
    """Delete every answer of the namespace, and reset the counters."""
    instance = _instance
    if instance is None:
        logger.warning("[Khazad] Not initialized, nothing to flush")
        return
    instance.flush()


def explain(id_: str, ask: str | None = None, other: str | None = None) -> dict[str, Any]:
    """Why an answer was served; see `Khazad.explain`."""
    return _initialized().explain(id_, ask, other)


def wrong(id_: str, ask: str | None = None) -> dict[str, Any]:
    """Take an answer back; see `Khazad.wrong`."""
    return _initialized().wrong(id_, ask)


def entries(
    *, tag: str | None = None, model: str | None = None, older: float | None = None
) -> list[dict[str, Any]]:
    """What is stored; see `Khazad.entries`."""
    return _initialized().entries(tag=tag, model=model, older=older)


def forget(
    *ids: str, tag: str | None = None, model: str | None = None, older: float | None = None
) -> int:
    """Forget some of what is stored; see `Khazad.forget`."""
    return _initialized().forget(*ids, tag=tag, model=model, older=older)


def _initialized() -> Khazad:
    instance = _instance
    if instance is None:
        raise CacheUnavailable("not initialized: call khazad.init() first")
    return instance


def is_active() -> bool:
    """Are this process' calls being intercepted by `init`'s cache?"""
    instance = _instance
    return instance is not None and instance.is_active()


def _forked() -> None:
    # Another thread may have held it.
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
