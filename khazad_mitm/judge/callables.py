"""A function of the user's: `khazad.init(verifier=my_function)`, or `verifier=module:function`.

It takes a `Pair` and says True where the two questions mean the same; it may be `async`. It is
called on threads of ours, several at a time, and what it asks through httpx is not looked up. An
`async` one has one event loop for all calls, so that a client it holds on to keeps its connections.
"""

from __future__ import annotations

import asyncio
import inspect
import threading
import weakref
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, TypeAlias

from khazad_mitm.embed.callables import name_of
from khazad_mitm.errors import CacheUnavailable
from khazad_mitm.own_calls import guarded

if TYPE_CHECKING:
    from khazad_mitm.exchange import Pair

PairToBool: TypeAlias = "Callable[[Pair], bool | Awaitable[bool]]"

PATIENCE_S = 30.0
"""After which an `async` function is cancelled; whoever asked has gone on long before."""


class CallableVerifier:
    """A user's function as a verifier."""

    threads = 8

    def __init__(self, function: PairToBool) -> None:
        """Its name names aliases: one that has changed inside goes on with those of the old one."""
        self.name = name_of(function)
        self._function = function
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def approves(self, pair: Pair) -> bool:
        with guarded():
            said: Any = self._function(pair)
            if inspect.isawaitable(said):
                said = self._awaited(said)
        # A score is true whatever it is, and a forgotten `return` is None: neither is an opinion.
        # numpy has truth values of its own.
        if isinstance(said, bool) or str(getattr(said, "dtype", "")) == "bool":
            return bool(said)
        raise CacheUnavailable(f"the verifier gave {type(said).__name__}, not True or False")

    def _awaited(self, promise: Awaitable[Any]) -> Any:
        async def patiently() -> Any:
            return await asyncio.wait_for(promise, PATIENCE_S)

        # The task is made in a copy of this thread's context, and so is guarded too.
        return asyncio.run_coroutine_threadsafe(patiently(), self._running_loop()).result()

    def _running_loop(self) -> asyncio.AbstractEventLoop:
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(
                    target=_run, args=(self._loop,), name="khazad-verifier-loop", daemon=True
                ).start()
                weakref.finalize(self, self._loop.call_soon_threadsafe, self._loop.stop)
            return self._loop


def _run(loop: asyncio.AbstractEventLoop) -> None:
    loop.run_forever()
    loop.close()
