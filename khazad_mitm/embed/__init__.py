"""Text to vector: the one protocol every embedder keeps.

An embedder is a plain blocking object that any thread may call; whose thread that is, and how long
it may take, is the business of `cache.drive`. Importing this package loads no model and no library.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector


class Embedder(Protocol):
    """One embedding model, loaded on first use."""

    @property
    def model(self) -> str:
        """Id with version and quantisation; part of every vector set's name."""
        ...

    @property
    def dimension(self) -> int: ...

    @property
    def window(self) -> int:
        """Tokens the model can see, its own special ones included."""
        ...

    @property
    def is_loaded(self) -> bool:
        """False while the first text would still have to wait for the model."""
        ...

    def load(self) -> None:
        """Load the model now rather than at the first text. Does nothing the second time.

        Raises ConfigError or MissingExtra where it cannot work.
        """
        ...

    def embed_if_fits(self, text: str) -> Vector | None:
        """The float32[dimension] of unit length, or None where the model cannot see all of `text`.

        Raises CacheUnavailable where the model fails.
        """
        ...

    def embed(self, texts: list[str]) -> Vector:
        """float32[n, dimension], each of unit length, in order.

        Raises ValueError where a text cannot be seen whole: nothing is ever cut in silence.
        """
        ...
