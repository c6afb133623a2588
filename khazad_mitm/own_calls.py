"""Which calls are not to be intercepted, because they happen on our own behalf.

An embedder may speak HTTP through the very library we have patched, and a transport may hand its
request to another client. Neither must be looked up (again): the first would never end, the
second would count one question twice and wait for itself.

`embed` says so of its calls, `inprocess` asks.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_guarded: ContextVar[bool] = ContextVar("khazad_guarded", default=False)


@contextmanager
def guarded() -> Iterator[None]:
    """Calls made inside pass untouched.

    Follows the context: tasks started inside inherit it, threads only where the work is handed
    over in a copy of the context.
    """
    token = _guarded.set(True)
    try:
        yield
    finally:
        _guarded.reset(token)


def is_guarded() -> bool:
    return _guarded.get()
