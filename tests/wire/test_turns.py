"""A conversation in turns: is it one, and where its question stands."""

from __future__ import annotations

from typing import Any

import pytest

from khazad_mitm.wire import turns

USER = {"role": "user", "content": "Hello!"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}


@pytest.mark.parametrize(
    "value", [None, [], "Hello!", ["Hello!"], [{"content": "a"}], [{"role": 1}]]
)
def test_a_conversation_is_a_list_of_turns_with_roles(value: Any) -> None:
    assert not turns.are_turns(value)
    assert turns.are_turns([USER])


@pytest.mark.parametrize(
    ("content", "place"),
    [
        ("Hello!", ()),
        ([{"type": "text", "text": "Hello!"}, IMAGE], (0, "text")),
        ([{"type": "text", "text": "a"}, IMAGE, {"type": "text", "text": "b"}], (2, "text")),
    ],
)
def test_the_question_is_the_last_text_of_the_user(content: Any, place: Any) -> None:
    asked = turns.question([USER, {"role": "user", "content": content}])

    assert (("messages", 1, "content", *place), "") == asked


@pytest.mark.parametrize(
    ("turn", "why"),
    [
        ({"role": "tool", "content": "4"}, "tool-result"),
        ({"role": "assistant", "content": "I"}, "assistant-last"),
        ({"role": "system", "content": "Be kind."}, "no-question"),
        ({"role": "user", "content": " \n"}, "no-text"),
        ({"role": "user", "content": [IMAGE, {"type": "text", "text": ""}, "x"]}, "no-text"),
        ({"role": "user"}, "no-text"),
    ],
)
def test_where_the_last_turn_asks_nothing_there_is_no_question(turn: Any, why: str) -> None:
    assert (None, why) == turns.question([USER, turn])
