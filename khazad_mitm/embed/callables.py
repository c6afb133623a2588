"""A function of the user's: `khazad.init(embedder=my_function)`.

It takes a list of texts and gives an array [len(texts), dim], or a promise of one (`async def`).
It is called on one thread of ours, one call at a time, and what it asks through httpx is not
looked up. Every text is taken to fit: a function that cuts long ones must raise instead.
"""

from __future__ import annotations

import asyncio
import inspect
import weakref
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from khazad_mitm.embed.batcher import PATIENCE_S, THREADS, Batcher

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector

TextsToVectors: TypeAlias = Callable[[list[str]], Any]


class CallableEmbedder:
    """A user's function as an embedder. What is wrong with its answers costs hits, never calls."""

    threads = THREADS
    is_loaded = True

    def __init__(self, function: TextsToVectors, name: str | None = None) -> None:
        """`name` names the vector sets; without one the function's own does, and then a function
        that has changed inside goes on with the vectors of the old one."""
        self.model = name or name_of(function)
        self._function = function
        self._batcher = Batcher(self._call, "khazad-embed-own")
        self._loop: asyncio.AbstractEventLoop | None = None

    def load(self) -> None: ...

    def embed_if_fits(self, text: str) -> Vector | None:
        return self._batcher.embed(text)

    def _call(self, texts: list[str]) -> Any:
        found = self._function(texts)
        return self._awaited(found) if inspect.isawaitable(found) else found

    def _awaited(self, promise: Awaitable[Any]) -> Any:
        # One loop for all calls: a client that the function holds on to has its connections there.
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            weakref.finalize(self, self._loop.close)
        return self._loop.run_until_complete(asyncio.wait_for(promise, PATIENCE_S))


def name_of(function: Callable[..., Any]) -> str:
    """Where a function of the user's was defined, by its own account."""
    named = function if hasattr(function, "__qualname__") else type(function)
    return f"{named.__module__}.{named.__qualname__}"
