"""Two small drivers that run a story: one blocks, one awaits.

Everything that waits, waits here, under a deadline and behind a breaker. A part that does not
answer becomes `CacheUnavailable`, raised into the story at the command that asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, TimeoutError
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from khazad_mitm.cache.acceptance import Acceptances
from khazad_mitm.cache.breaker import Breaker
from khazad_mitm.cache.commands import (
    GROWING,
    Command,
    Embed,
    Get,
    IsAccepted,
    Join,
    Judge,
    JudgeAnswers,
    Nearest,
    Pause,
    Resolve,
    Steps,
    StoreCommand,
)
from khazad_mitm.cache.flights import Flights
from khazad_mitm.cache.keeper import Keeper
from khazad_mitm.cache.landings import Landings
from khazad_mitm.errors import CacheUnavailable, WriteDenied

if TYPE_CHECKING:
    from khazad_mitm.exchange import Pair, Vector

T = TypeVar("T")

PATIENT_S = 30.0
"""Deadline of what nobody waits for; loading the model takes 0.3 s, on a busy machine several."""

MOST_PROBES = 8
"""On their way at once; there are three or four breakers."""


def _keeping_breaker() -> Breaker:
    return Breaker(
        "store", away="takes no more answers", back="takes answers again, %d commands passed by"
    )


def _probes() -> Keeper:
    return Keeper(MOST_PROBES, "khazad-probe")


class Store(Protocol):
    """Obeys store commands, blocking; raises CacheUnavailable after its own deadline."""

    def perform(self, command: StoreCommand) -> Any: ...


class AwaitableStore(Protocol):
    """The same, awaiting."""

    async def perform(self, command: StoreCommand) -> Any: ...


class Embedder(Protocol):
    """Text to vector; blocking and thread-safe."""

    @property
    def model(self) -> str:
        """Id of the model; names the vector sets."""
        ...

    @property
    def is_loaded(self) -> bool:
        """False while the model is still being read: nobody waits for that."""
        ...

    def load(self) -> None:
        """Read the model; the first call that needs it would do it otherwise."""
        ...

    def embed_if_fits(self, text: str) -> Vector | None:
        """float32[dim] of unit length; None where the text exceeds the model's window."""
        ...


class Verifier(Protocol):
    """Says whether two questions mean the same; blocking and thread-safe."""

    @property
    def name(self) -> str:
        """Names the aliases that it lets come to be."""
        ...

    def approves(self, pair: Pair) -> bool: ...


@dataclass(frozen=True, slots=True)
class Bench:
    """Where a verifier sits: its threads, how long callers wait for it, when it is left alone."""

    verifier: Verifier
    executor: Executor
    deadline_s: float
    breaker: Breaker = field(default_factory=lambda: Breaker("verifier"))


@dataclass(frozen=True, slots=True)
class Parts:
    """Whom the commands go to."""

    store: Store
    awaitable_store: AwaitableStore
    store_breaker: Breaker
    embedder: Embedder
    embed_breaker: Breaker
    embed_executor: Executor
    """Of our own: asyncio's default one shares its threads with DNS."""
    embed_deadline_s: float
    bench: Bench | None = None
    """None: there is no verifier."""
    flights: Flights = field(default_factory=Flights)
    landings: Landings = field(default_factory=Landings)
    acceptances: Acceptances = field(default_factory=Acceptances)
    keeping_breaker: Breaker = field(default_factory=_keeping_breaker)
    """Open while the store answers and takes nothing: full, read-only, its disk full."""
    probes: Keeper = field(default_factory=_probes)
    """Tries what did not answer again, while nobody waits."""
    judge: Callable[[Pair], bool] | None = None
    """The user's, of whether two answers say the same; blocking. None: there is none."""


def run(steps: Steps[T], obey: Callable[[Command], Any]) -> T:
    """Run a story to its end, blocking."""
    try:
        command = next(steps)
        while True:
            try:
                result = obey(command)
            except CacheUnavailable as error:
                command = steps.throw(error)
            else:
                command = steps.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a generator's return value is untyped
    finally:
        # Where it was left in the middle, others may be waiting for its end.
        steps.close()


async def run_async(steps: Steps[T], obey: Callable[[Command], Awaitable[Any]]) -> T:
    """Run a story to its end, awaiting."""
    try:
        command = next(steps)
        while True:
            try:
                result = await obey(command)
            except CacheUnavailable as error:
                command = steps.throw(error)
            else:
                command = steps.send(result)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # a generator's return value is untyped
    finally:
        # Where it was left in the middle, others may be waiting for its end.
        steps.close()


def obey(parts: Parts, command: Command) -> Any:
    """Have one command done, blocking."""
    if isinstance(command, Join):
        return parts.flights.wait(command.flight, command.stream)
    if isinstance(command, Pause):
        return time.sleep(command.seconds)
    if known := parts.acceptances.known(command):
        return known.result
    if isinstance(command, JudgeAnswers):
        return _judged(parts, command.pair)
    for key in _awaited(command):
        parts.landings.wait(key)
    guarded = _Guarded(parts, command)
    guarded.admit()
    return _obeyed(guarded)


def _obeyed(guarded: _Guarded) -> Any:
    parts, command = guarded.parts, guarded.command
    with guarded:
        if isinstance(command, (Embed, Judge)):
            future = _handed(parts, command)
            try:
                return future.result(guarded.deadline_s)
            finally:
                # Where it has not begun, it would only keep others waiting.
                future.cancel()
        result = parts.store.perform(command)
    parts.acceptances.learn(command, result)
    return result


async def obey_async(parts: Parts, command: Command) -> Any:
    """Have one command done, awaiting."""
    if isinstance(command, Join):
        return await parts.flights.wait_async(command.flight, command.stream)
    if isinstance(command, Pause):
        return await asyncio.sleep(command.seconds)
    if known := parts.acceptances.known(command):
        return known.result
    if isinstance(command, JudgeAnswers):
        raise CacheUnavailable("a judge is asked on a thread, where nobody waits")
    for key in _awaited(command):
        await parts.landings.wait_async(key)
    guarded = _Guarded(parts, command)
    guarded.admit()
    with guarded:
        if isinstance(command, (Embed, Judge)):
            future = asyncio.wrap_future(_handed(parts, command))
            return await asyncio.wait_for(future, guarded.deadline_s)
        result = await parts.awaitable_store.perform(command)
    parts.acceptances.learn(command, result)
    return result


def _awaited(command: Command) -> tuple[str, ...]:
    """What must not be asked for while it is on its way into the store."""
    match command:
        case Get():
            return (command.fingerprint,)
        case IsAccepted():
            return (command.credential,)
        case Resolve():
            return command.conversations
        case Nearest():
            return (command.scope,)
        case _:
            return ()


def _handed(parts: Parts, command: Embed | Judge) -> Future[Any]:
    # To an executor even from the blocking driver: a model that hangs must not take its caller
    # along.
    if isinstance(command, Embed):
        return parts.embed_executor.submit(parts.embedder.embed_if_fits, command.text)
    bench = _bench(parts)
    return bench.executor.submit(bench.verifier.approves, command.pair)


def _bench(parts: Parts) -> Bench:
    if parts.bench is None:
        raise CacheUnavailable("there is no verifier")
    return parts.bench


def _judged(parts: Parts, pair: Pair) -> bool:
    if parts.judge is None:
        raise CacheUnavailable("there is no judge")
    try:
        verdict = parts.judge(pair)
    except Exception as error:  # an edge: a function of the user's may raise anything
        raise CacheUnavailable(f"the judge failed: {type(error).__name__}: {error}") from error
    if not isinstance(verdict, bool):
        raise CacheUnavailable(f"the judge gave {type(verdict).__name__}, not True or False")
    return verdict


class _Guarded:
    """Asks the breakers before, tells them after, and makes every failure a CacheUnavailable."""

    def __init__(self, parts: Parts, command: StoreCommand | Embed | Judge) -> None:
        self.parts = parts
        self.command = command
        self._breaker = parts.store_breaker
        self._keeps = isinstance(command, GROWING)
        self._loading = False
        self.deadline_s = parts.embed_deadline_s
        if isinstance(command, Embed):
            self._breaker = parts.embed_breaker
            self._loading = not command.may_wait and not parts.embedder.is_loaded
        elif isinstance(command, Judge):
            bench = _bench(parts)
            self._breaker, self.deadline_s = bench.breaker, bench.deadline_s
        if isinstance(command, (Embed, Judge)) and command.may_wait:
            self.deadline_s = PATIENT_S

    def admit(self) -> None:
        """Raise where the part is left alone.

        Now and then the command goes to it all the same, to see whether it is back: nobody is
        made to wait for that.
        """
        if self._loading:
            raise CacheUnavailable("the model is being loaded")
        breakers = [self._breaker, self.parts.keeping_breaker][: 1 + self._keeps]
        for breaker in breakers:
            if not breaker.allows():
                if breaker.wants_probe():
                    self.parts.probes.hand(self._probe)
                raise CacheUnavailable("passing by")

    def _probe(self) -> None:
        with suppress(CacheUnavailable):
            _obeyed(self)

    def __enter__(self) -> _Guarded:
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            self._breaker.succeeded()
            if self._keeps:
                self.parts.keeping_breaker.succeeded()
        elif isinstance(error, (TimeoutError, asyncio.TimeoutError)):
            failure = CacheUnavailable(f"no answer within {self.deadline_s * 1000:.0f} ms")
            self._breaker.failed(failure)
            raise failure from error
        elif isinstance(error, WriteDenied):
            self._breaker.succeeded()
            self.parts.keeping_breaker.failed(error)
        elif isinstance(error, Exception):
            # An edge: whatever a store or a model may raise, the call goes on without it.
            self._breaker.failed(error)
            if not isinstance(error, CacheUnavailable):
                raise CacheUnavailable(f"{type(error).__name__}: {error}") from error
