"""The face for Python programs: `khazad.init()` caches this process' LLM calls. Re-exports only.

Everything lives in `khazad_mitm.inprocess` and is loaded at its first use, so that importing this
package costs next to nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from khazad_mitm import __version__

if TYPE_CHECKING:
    from khazad_mitm.cache.stats import Stats
    from khazad_mitm.errors import CacheUnavailable, ConfigError, UnknownEntry
    from khazad_mitm.exchange import CacheScope, Pair
    from khazad_mitm.inprocess.instance import Khazad
    from khazad_mitm.inprocess.singleton import (
        entries,
        explain,
        flush,
        forget,
        get_stats,
        init,
        is_active,
        stop,
        wrong,
    )

__all__ = [
    "CacheScope",
    "CacheUnavailable",
    "ConfigError",
    "Khazad",
    "Pair",
    "Stats",
    "UnknownEntry",
    "__version__",
    "entries",
    "explain",
    "flush",
    "forget",
    "get_stats",
    "init",
    "is_active",
    "stop",
    "wrong",
]

_HOMES = {
    "CacheScope": "khazad_mitm.exchange",
    "CacheUnavailable": "khazad_mitm.errors",
    "ConfigError": "khazad_mitm.errors",
    "Khazad": "khazad_mitm.inprocess.instance",
    "Pair": "khazad_mitm.exchange",
    "Stats": "khazad_mitm.cache.stats",
    "UnknownEntry": "khazad_mitm.errors",
    "entries": "khazad_mitm.inprocess.singleton",
    "explain": "khazad_mitm.inprocess.singleton",
    "flush": "khazad_mitm.inprocess.singleton",
    "forget": "khazad_mitm.inprocess.singleton",
    "get_stats": "khazad_mitm.inprocess.singleton",
    "init": "khazad_mitm.inprocess.singleton",
    "is_active": "khazad_mitm.inprocess.singleton",
    "stop": "khazad_mitm.inprocess.singleton",
    "wrong": "khazad_mitm.inprocess.singleton",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
