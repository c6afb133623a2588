"""A growing set of unit vectors with their ids, searched exhaustively. Knows nothing of entries."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector

# Most scopes have one entry: a conversation that has gone on is one of a kind.
INITIAL_ROWS = 1


class Matrix:
    """Rows of float32[dimension]; not thread-safe."""

    def __init__(self, dimension: int) -> None:
        self._rows = np.empty((INITIAL_ROWS, dimension), dtype=np.float32)
        self._ids: list[str] = []
        self._index: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, id_: str, vector: Vector) -> None:
        """`id_` must be new."""
        size = len(self._ids)
        if size == len(self._rows):
            self._rows = np.concatenate((self._rows, np.empty_like(self._rows)))
        self._rows[size] = vector
        self._index[id_] = size
        self._ids.append(id_)

    def remove(self, id_: str) -> None:
        index = self._index.pop(id_)
        last = self._ids.pop()
        if last != id_:
            self._rows[index] = self._rows[len(self._ids)]
            self._ids[index] = last
            self._index[last] = index
        if len(self._ids) < len(self._rows) // 4:
            self._rows = self._rows[: len(self._rows) // 2].copy()

    def by_similarity(self, vector: Vector) -> Iterator[tuple[str, float]]:
        """Every id with its cosine, best first."""
        similarities = self._rows[: len(self._ids)] @ vector
        for index in np.argsort(-similarities, kind="stable"):
            yield self._ids[index], float(similarities[index])
