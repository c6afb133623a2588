"""Two small drivers that run a story: one blocks, one awaits.

Everything that waits, waits here, under a deadline and behind a breaker. A part that does not
answer becomes `CacheUnavailable`, raised into the story at the command that asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor, Future, TimeoutError
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, TypeVar

from khazad_mitm.cache.acceptance import Acceptances
from khazad_mitm.cache.breaker import Breaker
from khazad_mitm.cache.commands import (
    Command,
    Embed,
    Get,
    IsAccepted,
    Join,
    Judge,
    JudgeAnswers,
    Nearest,
    Resolve,
    Steps,
    StoreCommand,
)
from khazad_mitm.cache.flights import Flights
from khazad_mitm.cache.landings import Landings
from khazad_mitm.errors import CacheUnavailable, outline

if TYPE_CHECKING:
    from khazad_mitm.exchange import Pair, Vector

T = TypeVar("T")
Away: TypeAlias = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Has something done elsewhere."""

PATIENT_S = 30.0
"""Deadline of what nobody waits for; loading the model takes 0.3 s, on a busy machine several."""


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


async def run_async(
    steps: Steps[T], obey: Callable[[Command], Awaitable[Any]], away: Away | None = None
) -> T:
    """Run a story to its end, awaiting. With `away` it is told there: on a thread, where it is so
    long that the event loop would stand still between two commands."""
    teller = _Teller(steps, away)
    try:
        told = await teller.tell(partial(next, steps))
        while not isinstance(told, _End):
            try:
                result = await obey(told)
            except CacheUnavailable as error:
                told = await teller.tell(partial(steps.throw, error))
            else:
                told = await teller.tell(partial(steps.send, result))
        return told.value  # type: ignore[no-any-return]  # a generator's return value is untyped
    finally:
        # Where it was left in the middle, others may be waiting for its end.
        teller.leave()


@dataclass(frozen=True, slots=True)
class _End:
    value: Any


class _Teller:
    """Takes a story a step further, here or elsewhere, where it may still go on when its caller
    has gone: then it ends after that step."""

    def __init__(self, steps: Steps[Any], away: Away | None) -> None:
        self._steps = steps
        self._away = away
        self._lock = Lock()
        self._is_left = False

    async def tell(self, step: Callable[[], Command]) -> Command | _End:
        if self._away is None:
            return _told(step)
        told: Command | _End = await self._away(partial(self._tell, step))
        return told

    def leave(self) -> None:
        self._is_left = True
        self._close()

    def _tell(self, step: Callable[[], Command]) -> Command | _End:
        with self._lock:
            told = _End(None) if self._is_left else _told(step)
        if self._is_left:
            self._close()
        return told

    def _close(self) -> None:
        # Whoever holds the lock closes it, or looks at `_is_left` once he has let go.
        if self._lock.acquire(blocking=False):
            try:
                self._steps.close()
            finally:
                self._lock.release()


def _told(step: Callable[[], Command]) -> Command | _End:
    """The next command; or the end, which no future can carry as a StopIteration."""
    try:
        return step()
    except StopIteration as end:
        return _End(end.value)


def obey(parts: Parts, command: Command) -> Any:
    """Have one command done, blocking."""
    if isinstance(command, Join):
        return parts.flights.wait(command.flight)
    if known := parts.acceptances.known(command):
        return known.result
    if isinstance(command, JudgeAnswers):
        return _judged(parts, command.pair)
    for key in _awaited(command):
        parts.landings.wait(key)
    with _Guarded(parts, command) as guarded:
        if isinstance(command, (Embed, Judge)):
            return _handed(parts, command).result(guarded.deadline_s)
        result = parts.store.perform(command)
    parts.acceptances.learn(command, result)
    return result


async def obey_async(parts: Parts, command: Command) -> Any:
    """Have one command done, awaiting."""
    if isinstance(command, Join):
        return await parts.flights.wait_async(command.flight)
    if known := parts.acceptances.known(command):
        return known.result
    if isinstance(command, JudgeAnswers):
        raise CacheUnavailable("a judge is asked on a thread, where nobody waits")
    for key in _awaited(command):
        await parts.landings.wait_async(key)
    with _Guarded(parts, command) as guarded:
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
        raise CacheUnavailable(f"the judge failed: {outline(error)}") from error
    if not isinstance(verdict, bool):
        raise CacheUnavailable(f"the judge gave {type(verdict).__name__}, not True or False")
    return verdict


class _Guarded:
    """Asks the breaker before, tells it after, and makes every failure a CacheUnavailable."""

    def __init__(self, parts: Parts, command: Command) -> None:
        self._breaker = parts.store_breaker
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

    def __enter__(self) -> _Guarded:
        if self._loading:
            raise CacheUnavailable("the model is being loaded")
        if not self._breaker.allows():
            raise CacheUnavailable("passing by")
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if error is None:
            self._breaker.succeeded()
        elif isinstance(error, (TimeoutError, asyncio.TimeoutError)):
            failure = CacheUnavailable(f"no answer within {self.deadline_s * 1000:.0f} ms")
            self._breaker.failed(failure)
            raise failure from error
        elif isinstance(error, Exception):
            # An edge: whatever a store or a model may raise, the call goes on without it.
            if isinstance(error, CacheUnavailable):
                self._breaker.failed(error)
                return
            # A model's or a user's function's: its message may quote the text.
            failure = CacheUnavailable(outline(error))
            self._breaker.failed(failure)
            raise failure from error
