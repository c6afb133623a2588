"""What a model of others gave, as vectors we can compare; or CacheUnavailable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from khazad_mitm.errors import CacheUnavailable

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector


def unit_rows(found: Any, count: int) -> Vector:
    """float32[count, dim], each row of unit length.

    Raises CacheUnavailable for anything but `count` finite vectors of one length, none of them
    zero: a vector without direction is similar to nothing, and NaN to everything that is sorted.
    """
    import numpy as np

    try:
        # In float64: the squares of large numbers do not fit float32.
        rows = np.asarray(found, dtype=np.float64)
    except (TypeError, ValueError, OverflowError, RuntimeError) as error:
        kind = type(error).__name__  # its message may quote a text
        raise CacheUnavailable(f"the embedder gave no array of numbers: {kind}") from error
    if rows.ndim != 2 or len(rows) != count or not rows.size:
        raise CacheUnavailable(
            f"the embedder gave an array of shape {rows.shape} for {count} texts"
            f" (expected {count} rows)"
        )
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    if not np.isfinite(lengths).all() or not lengths.all():
        raise CacheUnavailable("the embedder gave a vector that is zero or not finite")
    units: Vector = (rows / lengths).astype(np.float32)
    return units
