from __future__ import annotations

import numpy as np

from khazad_mitm.store.matrix import Matrix


def vector(number: int) -> np.ndarray:
    made = np.zeros(4, dtype=np.float32)
    made[number % 4] = 1.0
    return made


def test_one_vector_takes_the_room_of_one() -> None:
    matrix = Matrix(4)
    matrix.add("a", vector(0))

    assert 1 == len(matrix._rows)


def test_the_room_of_what_is_removed_is_given_back() -> None:
    matrix = Matrix(4)
    for number in range(1_000):
        matrix.add(str(number), vector(number))
    for number in range(995):
        matrix.remove(str(number))

    assert len(matrix._rows) < 40
    found = {id_ for id_, similarity in matrix.by_similarity(vector(3)) if similarity > 0.5}
    assert {"995", "999"} == found
