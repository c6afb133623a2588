from __future__ import annotations

import logging
from pathlib import Path

import pytest

from khazad_mitm.errors import outline, tell

SECRET = "our merger with Initech"
HERE = Path(__file__).name

logger = logging.getLogger("khazad")


def stumble() -> None:
    int(SECRET)


@pytest.mark.parametrize("level", ["DEBUG", "INFO", "ERROR"])
def test_the_message_of_an_error_is_told_at_debug_only(
    caplog: pytest.LogCaptureFixture, level: str
) -> None:
    caplog.set_level(level, "khazad")
    try:
        stumble()
    except ValueError:
        tell(logger, "[Khazad] a lookup failed", logging.ERROR)

    assert (SECRET in caplog.text) == (level == "DEBUG")
    assert f"[Khazad] a lookup failed: ValueError at {HERE}:17 in stumble, by" in caplog.messages[0]


def test_only_the_innermost_places_are_named() -> None:
    def deeper(depth: int) -> None:
        if not depth:
            raise KeyError(SECRET)
        deeper(depth - 1)

    with pytest.raises(KeyError) as raised:
        deeper(50)
    told = outline(raised.value)

    assert told.startswith("KeyError at test_errors.py:")
    assert 6 == told.count(" in deeper")


def test_an_error_that_was_never_raised_has_a_kind() -> None:
    assert "KeyError" == outline(KeyError(SECRET))
