"""What endpoints in OpenAI's style share."""

from __future__ import annotations

from typing import Any

import pytest

from khazad_mitm.exchange import Framing
from khazad_mitm.wire import openai_stream
from khazad_mitm.wire.unfit import Unfit
from tests.wire.chat import asked


@pytest.mark.parametrize(
    ("body", "framing"),
    [
        ({}, Framing("json")),
        ({"stream": False, "stream_options": 7}, Framing("json")),
        ({"stream": True}, Framing("sse")),
        ({"stream": True, "stream_options": {"include_usage": True}}, Framing("sse", True)),
        (
            {"stream": True, "stream_options": {"b": 1, "a": None}},
            Framing("sse", variant='{"b":1}'),
        ),
        ({"stream": "yes"}, None),
        ({"stream": True, "stream_options": []}, None),
    ],
)
def test_the_body_says_how_the_answer_is_framed(body: Any, framing: Framing | None) -> None:
    assert framing == openai_stream.framing(body)


@pytest.mark.parametrize(
    ("host", "options", "place"),
    [
        ("api.openai.com", {}, ""),
        ("api.openai.com", {"include_usage": True}, "own"),
        ("api.mistral.ai", {}, "last"),
        ("openrouter.ai", {"include_usage": True}, "last"),
    ],
)
def test_usage_stands_where_the_provider_puts_it(host: str, options: Any, place: str) -> None:
    url = f"https://{host}/v1/chat/completions"

    assert place == openai_stream.usage_at(asked(url, stream=True, stream_options=options))


def test_chunks_end_with_the_terminal_event() -> None:
    assert [1] == list(openai_stream.chunks(b"data: 1\n\ndata: [DONE]\n\ndata: {"))


@pytest.mark.parametrize(
    ("body", "reason"), [(b"data: 1\n\n", "cut"), (b"event: error\ndata: {}\n\n", "error")]
)
def test_a_stream_without_it_is_not_whole(body: bytes, reason: str) -> None:
    with pytest.raises(Unfit, match=reason):
        list(openai_stream.chunks(body))


@pytest.mark.parametrize(("word", "read"), [("stop", "stop"), ("EOS", "eos"), ("length", "length")])
def test_a_word_that_everyone_knows_ends_a_choice(word: str, read: str) -> None:
    assert read == openai_stream.finish_word({"finish_reason": word})


@pytest.mark.parametrize(
    ("word", "reason"), [(None, "cut"), ("", "cut"), (1, "malformed"), ("a_b", "a-b")]
)
def test_another_does_not(word: Any, reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        openai_stream.finish_word({"finish_reason": word})


@pytest.mark.parametrize(
    ("answer", "tokens"), [({}, 0), ({"usage": {"total_tokens": 3}}, 3), ({"usage": None}, 0)]
)
def test_tokens_are_what_the_answer_says(answer: Any, tokens: int) -> None:
    assert tokens == openai_stream.tokens(answer)
