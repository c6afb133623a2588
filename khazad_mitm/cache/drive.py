"""Two small drivers that run a story: one blocks, one awaits.

Everything that waits, waits here, within the caller's patience and behind a breaker. A part that
does not answer becomes `CacheUnavailable`, raised into the story at the command that asked.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, TimeoutError
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

from khazad_mitm.cache.commands import (
    GROWING,
    Command,
    Embed,
    Get,
    GetMany,
    IsAccepted,
    Join,
    Judge,
    JudgeAnswers,
    Nearest,
    Occupied,
    Pause,
    Resolve,
    Steps,
    StoreCommand,
)
from khazad_mitm.cache.parts import Bench, Parts
from khazad_mitm.cache.patience import Patience, Waiting
from khazad_mitm.errors import CacheUnavailable, NotAsked, WriteDenied, outline

if TYPE_CHECKING:
    from khazad_mitm.cache.breaker import Breaker
    from khazad_mitm.exchange import Pair

T = TypeVar("T")
Away: TypeAlias = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Has something done elsewhere."""
Asking: TypeAlias = StoreCommand | Embed | Judge

PATIENT_S = 30.0
"""Deadline of what nobody waits for; loading the model takes 0.3 s, on a busy machine several."""


def somebody(parts: Parts) -> Waiting:
    """The patience of one caller whose request is held up by a story."""
    return Waiting(parts.store_deadline_s, parts.embed_deadline_s)


def nobody() -> Waiting:
    """A story's that nobody waits for: parts take their own time."""
    return Waiting(None, PATIENT_S)


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


def obey(parts: Parts, waiting: Waiting, command: Command) -> Any:
    """Have one command done, blocking."""
    if isinstance(command, Join):
        return parts.flights.wait(command.flight, command.stream)
    if isinstance(command, Pause):
        time.sleep(command.seconds)  # another worker asks; no event loop waits here
        return waiting.renew()
    if known := parts.acceptances.known(command):
        return known.result
    if isinstance(command, Occupied) and parts.landings.has(command.scope):
        return True
    if isinstance(command, JudgeAnswers):
        return _judged(parts, command.pair)
    for key in _awaited(command):
        with (patience := _behind(command, waiting)):
            parts.landings.wait(key, patience.spare_s)
    guarded = _Guarded(parts, command, waiting, probes=False)
    guarded.admit()
    return _obeyed(guarded)


def _obeyed(guarded: _Guarded) -> Any:
    parts, command = guarded.parts, guarded.command
    with guarded:
        if isinstance(command, (Embed, Judge)):
            future = _handed(parts, command)
            try:
                return future.result(guarded.patience.left_s)
            finally:
                # Where it has not begun, it would only keep others waiting.
                future.cancel()
        result = parts.store.perform(command, guarded.patience.left_s)
    parts.acceptances.learn(command, result)
    return result


async def obey_async(parts: Parts, waiting: Waiting, command: Command) -> Any:
    """Have one command done, awaiting."""
    if isinstance(command, Join):
        return await parts.flights.wait_async(command.flight, command.stream)
    if isinstance(command, Pause):
        await asyncio.sleep(command.seconds)
        return waiting.renew()
    if known := parts.acceptances.known(command):
        return known.result
    if isinstance(command, Occupied) and parts.landings.has(command.scope):
        return True
    if isinstance(command, JudgeAnswers):
        raise CacheUnavailable("a judge is asked on a thread, where nobody waits")
    for key in _awaited(command):
        with (patience := _behind(command, waiting)):
            await parts.landings.wait_async(key, patience.spare_s)
    guarded = _Guarded(parts, command, waiting, probes=False)
    guarded.admit()
    with guarded:
        if isinstance(command, (Embed, Judge)):
            future = asyncio.wrap_future(_handed(parts, command))
            return await asyncio.wait_for(future, guarded.patience.left_s)
        result = await parts.awaitable_store.perform(command, guarded.patience.left_s)
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


def _behind(command: Command, waiting: Waiting) -> Patience:
    """Whose time goes by behind what is on its way: what a search waits for is a vector."""
    return waiting.embedder if isinstance(command, Nearest) else waiting.store


def _handed(parts: Parts, command: Embed | Judge) -> Future[Any]:
    # To an executor even from the blocking driver: a model that hangs must not take its caller
    # along.
    if isinstance(command, Embed):
        return parts.embed_executor.submit(parts.embedder.embed_if_fits, command.text)
    bench = _bench(parts, command)
    return bench.executor.submit(bench.verifier.approves, command.pair)


def _bench(parts: Parts, command: Judge) -> Bench:
    bench = parts.benches.get(command.verifier)
    if bench is None:
        raise CacheUnavailable("there is no verifier")
    return bench


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
    """Asks the breakers before, tells them after, and makes every failure a CacheUnavailable."""

    def __init__(self, parts: Parts, command: Asking, waiting: Waiting, *, probes: bool) -> None:
        self.parts, self.command, self._is_probe = parts, command, probes
        self.patience = waiting.store
        self._breaker = parts.store_breaker
        self._keeps = isinstance(command, GROWING)
        self._loading = False
        if isinstance(command, Embed):
            self.patience, self._breaker = waiting.embedder, parts.embed_breaker
            self._loading = not command.may_wait and not parts.embedder.is_loaded
        elif isinstance(command, Judge):
            bench = _bench(parts, command)
            self.patience, self._breaker = Patience(bench.deadline_s), bench.breaker
        if isinstance(command, (Embed, Judge)) and command.may_wait:
            self.patience = Patience(PATIENT_S)
        self._breakers = [self._breaker, parts.keeping_breaker][: 1 + self._keeps]

    def admit(self) -> None:
        """Raise where the part is left alone, or there is no time left for it.

        Now and then the command goes to it all the same, to see whether it is back: nobody is
        made to wait for that.
        """
        if self._loading:
            raise CacheUnavailable("the model is being loaded")
        for breaker in self._breakers:
            if not breaker.allows():
                if breaker.wants_probe():
                    self.parts.probes.hand(partial(self._probe, self._time_of(breaker)))
                raise CacheUnavailable("passing by")
        if self.patience.is_over:
            raise NotAsked("no time is left")

    def _time_of(self, breaker: Breaker) -> Waiting:
        """What a probe may take for this breaker to be closed."""
        if breaker is self.parts.keeping_breaker:
            # Nobody waits for what is kept: one that takes long is kept all the same.
            return nobody()
        # A store that needs more than half of the time for one command is of no use to a lookup,
        # which has two at the least.
        return Waiting(self.parts.store_deadline_s / 2, self.parts.embed_deadline_s)

    def _probe(self, waiting: Waiting) -> None:
        if self._breaker is self.parts.store_breaker and not self._keeps:
            # To connect may take longer than a command, and is done once: a store is no slower for
            # that. What is wrong with it shows again below.
            with suppress(Exception):
                self.parts.store.perform(self.command)  # type: ignore[arg-type]  # it is its own
        with suppress(CacheUnavailable):
            _obeyed(_Guarded(self.parts, self.command, waiting, probes=True))

    def __enter__(self) -> _Guarded:
        self.patience.__enter__()
        return self

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self.patience.__exit__()
        if error is None:
            for breaker in self._breakers:
                self._tell(breaker, None)
            if isinstance(self.command, GetMany):
                # There may be much more of it: each piece that comes in time may be followed.
                self.patience.renew()
        elif isinstance(error, WriteDenied):
            self._tell(self._breaker, None)
            self._tell(self.parts.keeping_breaker, error)
        elif isinstance(error, Exception) and not isinstance(error, NotAsked):
            # An edge: whatever a store or a model may raise, the call goes on without it.
            failure = self._failure(error)
            self._tell(self._breaker, failure)
            if failure is not error:
                raise failure from error

    def _tell(self, breaker: Breaker, failure: CacheUnavailable | None) -> None:
        """What came of it. Of a part that is left alone a probe alone has news: any other command
        was on its way when that began."""
        if self._is_probe and failure is None:
            breaker.succeeded()
        elif failure is not None and (self._is_probe or not breaker.is_open):
            breaker.failed(failure)

    def _failure(self, error: Exception) -> CacheUnavailable:
        is_late = isinstance(error, CacheUnavailable) and self.patience.is_over
        if is_late or isinstance(error, (TimeoutError, asyncio.TimeoutError)):
            limit_ms = (self.patience.limit_s or 0) * 1000
            return CacheUnavailable(f"no answer within {limit_ms:.0f} ms")
        # A model's or a user's function's: its message may quote the text.
        return error if isinstance(error, CacheUnavailable) else CacheUnavailable(outline(error))
