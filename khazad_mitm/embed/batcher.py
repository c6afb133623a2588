"""Texts that wait while a call is in flight go together in the next one.

For embedders whose price is the call: a trip over the network, or a function of the user's that
takes many texts. One call at a time, so a function need not be thread-safe. Nobody waits for
company: a text that comes alone goes alone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, TimeoutError
from typing import TYPE_CHECKING, Any

from khazad_mitm.embed.unit import unit_rows
from khazad_mitm.errors import CacheUnavailable, outline
from khazad_mitm.own_calls import guarded

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector

MOST_TEXTS = 32
"""In one call. OpenAI takes 2,048 inputs, but 300,000 tokens in sum: 36 of the longest."""

THREADS = MOST_TEXTS
"""How many may usefully wait at once; they cost memory, not time."""

PATIENCE_S = 30.0
"""After which nobody waits for a call any more, however little the driver minds waiting."""


class Batcher:
    """Gives each text its vector, of unit length; thread-safe."""

    def __init__(self, call: Callable[[list[str]], Any], name: str) -> None:
        """`call(texts)` gives an array [len(texts), dim]; it runs on one thread of ours, guarded,
        and may raise what it likes. `name` names that thread."""
        self._call = call
        self._waiting: deque[tuple[str, Future[Vector]]] = deque()
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._dimension: int | None = None

    def embed(self, text: str, patience_s: float = PATIENCE_S) -> Vector:
        """float32[dim]. Raises CacheUnavailable where the call fails or gives anything else, or
        nothing within `patience_s`."""
        future: Future[Vector] = Future()
        self._waiting.append((text, future))
        # As many turns as texts; a turn takes all that wait, so most find nothing left to do.
        self._executor.submit(self._turn)
        try:
            return future.result(patience_s)
        except TimeoutError as error:
            future.cancel()
            raise CacheUnavailable(f"no vector within {patience_s:.0f} s") from error

    def _turn(self) -> None:
        batch = self._taken()
        if not batch:
            return
        try:
            with guarded():
                found = self._call([text for text, _ in batch])
            rows = self._checked(unit_rows(found, len(batch)))
        except BaseException as error:
            # An edge, to code that is not ours: whatever it was, those who wait must hear of it.
            failure = error if isinstance(error, CacheUnavailable) else _failure(error)
            for _, future in batch:
                future.set_exception(failure)
            return
        for (_, future), row in zip(batch, rows, strict=True):
            future.set_result(row)

    def _taken(self) -> list[tuple[str, Future[Vector]]]:
        taken: list[tuple[str, Future[Vector]]] = []
        while self._waiting and len(taken) < MOST_TEXTS:
            text, future = self._waiting.popleft()
            if future.set_running_or_notify_cancel():
                taken.append((text, future))
        return taken

    def _checked(self, rows: Vector) -> Vector:
        dimension = rows.shape[1]
        if self._dimension is None:
            self._dimension = dimension
        if dimension != self._dimension:
            raise CacheUnavailable(
                f"the embedder gave vectors of {dimension} numbers, {self._dimension} before"
            )
        return rows


def _failure(error: BaseException) -> CacheUnavailable:
    # Its message may quote the texts.
    failure = CacheUnavailable(outline(error))
    failure.__cause__ = error
    return failure
