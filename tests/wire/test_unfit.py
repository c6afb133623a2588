"""Why an answer is not kept."""

from __future__ import annotations

import pytest

from khazad_mitm.exchange import Answer, Unkept
from khazad_mitm.wire.unfit import Unfit, outcome


def failing(error: Exception) -> Answer | Unkept:
    def read() -> Answer:
        raise error

    return outcome(read)


def test_an_answer_is_told_as_it_is():
    assert Answer(b"{}") == outcome(lambda: Answer(b"{}"))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Unfit("cut"), "cut"),
        (ValueError("not json"), "undecodable"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "start"), "undecodable"),
        (RecursionError(), "undecodable"),
    ],
)
def test_what_the_bytes_did_becomes_a_reason(error, reason):
    assert Unkept(reason) == failing(error)


def test_a_mistake_of_ours_is_no_reason():
    with pytest.raises(KeyError):
        failing(KeyError("choices"))
