from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from khazad_mitm.embed.unit import unit_rows
from khazad_mitm.errors import CacheUnavailable


def test_rows_become_float32_of_unit_length() -> None:
    rows = unit_rows([[3, 4], [1e30, 0]], 2)

    assert np.float32 == rows.dtype
    assert [[pytest.approx(0.6), pytest.approx(0.8)], [1, 0]] == rows.tolist()


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (None, "shape"),
        ("a text", "no array of numbers"),
        ([[1, 2], [3]], "no array of numbers"),
        ([1, 2], r"shape \(2,\) for 2 texts"),
        ([[1, 2]], r"shape \(1, 2\) for 2 texts"),
        ([[], []], r"shape \(2, 0\)"),
        ([[[1]], [[2]]], "shape"),
        ([[1, 2], [0, 0]], "zero or not finite"),
        ([[1, 2], [float("nan"), 1]], "zero or not finite"),
        ([[1, 2], [float("inf"), 1]], "zero or not finite"),
    ],
)
def test_anything_else_is_refused(found: Any, message: str) -> None:
    with pytest.raises(CacheUnavailable, match=message):
        unit_rows(found, 2)
