from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from khazad_mitm.cache.redaction import UNJUDGED, Redactor
from khazad_mitm.cache.sensitive import LOOKS

MAIL = Redactor((LOOKS["email"],))
CARD = Redactor((LOOKS["cards"],))


def test_nothing_to_look_for_finds_nothing() -> None:
    assert not Redactor()
    assert not Redactor().finds({"to": "a@b.co"})
    assert not Redactor().finds_in_body(b"a@b.co")
    assert "a@b.co" == Redactor().text("a@b.co")


def test_every_text_of_a_value_is_looked_at_and_the_rest_stays() -> None:
    value = {"a@b.co": [{"x": "to c@d.org"}, 1, None, True, 1.5], "n": 4111111111111111}

    assert {"[email]": [{"x": "to [email]"}, 1, None, True, 1.5], "n": 4111111111111111} == (
        MAIL.value(value)
    )
    assert "[cards]" == CARD.value(value)["n"]
    assert MAIL.finds(value)
    assert CARD.finds(value)
    assert not MAIL.finds([True, 1, None, {"a": "b"}])


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (json.dumps({"a": "c\u0040d.org"}).encode(), True),
        (b'{"a": "c\\u0040d.org"}', True),
        (b'data: {"a": "c@d.org"}\n\ndata: [DONE]\n\n', True),
        (b"\xff\xfe c@d.org", True),
        (b"[" * 100_000, False),
        (b"", False),
    ],
)
def test_a_body_is_json_or_lines(body: bytes, expected: bool) -> None:
    assert expected == MAIL.finds_in_body(body)


def test_a_function_has_the_last_word() -> None:
    both = Redactor((LOOKS["email"],), (lambda text: text.replace("Initech", "[client]"),))

    assert "[email] of [client]" == both.text("a@b.co of Initech")


def raising(text: str) -> str:
    raise ValueError(text)


def giving_nothing(text: str) -> Any:
    return None


@pytest.mark.parametrize("hook", [raising, giving_nothing])
def test_what_a_function_cannot_judge_is_not_kept(
    hook: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "khazad")
    redactor = Redactor(hooks=(hook,))

    assert UNJUDGED == redactor.text("our secret")
    assert redactor.finds("our secret")
    assert "secret" not in caplog.text
