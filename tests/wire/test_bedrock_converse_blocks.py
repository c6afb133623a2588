"""Blocks of a Converse message: taken apart and put together without loss."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire.bedrock_converse_blocks import apart, together
from khazad_mitm.wire.unfit import Unfit
from tests.strategies import json_objects, json_values, texts

_citations = st.lists(json_objects, min_size=1, max_size=2)

blocks = st.one_of(
    st.fixed_dictionaries({"text": texts}),
    st.fixed_dictionaries(
        {
            "citationsContent": st.fixed_dictionaries(
                {
                    "citations": _citations,
                    "content": st.lists(st.fixed_dictionaries({"text": texts}), max_size=1),
                }
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "reasoningContent": st.fixed_dictionaries(
                {
                    "reasoningText": st.fixed_dictionaries(
                        {"text": texts}, optional={"signature": texts}
                    )
                }
            )
        }
    ),
    st.just({"reasoningContent": {"redactedContent": "c2VjcmV0"}}),
    st.fixed_dictionaries(
        {
            "toolUse": st.fixed_dictionaries(
                {"input": json_values, "name": texts, "toolUseId": texts},
                optional={"type": texts, "field_of_tomorrow": json_values},
            )
        }
    ),
    st.fixed_dictionaries(
        {
            "toolResult": st.fixed_dictionaries(
                {"content": st.lists(json_objects, max_size=3), "toolUseId": texts},
                optional={"status": texts, "field_of_tomorrow": json_values},
            )
        }
    ),
    st.just({"image": {"format": "png", "source": {"bytes": "iVBORw0KGgo="}}}),
    st.just({"image": {"format": "png", "source": {"s3Location": {"uri": "s3://b/k"}}}}),
    st.fixed_dictionaries({"blockOfTomorrow": json_values}),
    st.fixed_dictionaries({"text": texts, "fieldOfTomorrow": json_values}),
    st.fixed_dictionaries({"reasoningContent": json_objects}),
    st.fixed_dictionaries({"citationsContent": json_values.filter(lambda v: v not in ({},))}),
)
"""As Bedrock may send them without a stream, with kinds and fields nobody has heard of."""


@given(blocks)
def test_what_was_taken_apart_is_put_together(block: dict[str, Any]) -> None:
    assert block == together(*apart(block))


@given(json_objects | st.none(), st.lists(json_objects, max_size=3))
def test_deltas_of_nobody_are_refused_and_nothing_else(start: Any, deltas: list[Any]) -> None:
    try:
        together(start, deltas)
    except ValueError:
        pass


def test_the_texts_of_a_cited_passage_become_one() -> None:
    content = [{"text": "It is "}, {"text": "blue"}]
    cited = {"citationsContent": {"content": content, "citations": [{"title": "t"}]}}

    start, deltas = apart(cited)

    assert (None, [{"text": "It is blue"}, {"citation": {"title": "t"}}]) == (start, deltas)


def test_a_passage_without_citations_is_a_text_to_whoever_reads_the_stream() -> None:
    cited = {"citationsContent": {"content": [{"text": "blue"}], "citations": []}}

    assert {"text": "blue"} == together(*apart(cited))


def test_fragments_of_an_input_are_joined_before_they_are_read() -> None:
    start = {"toolUse": {"name": "f", "toolUseId": "t"}}
    deltas = [{"toolUse": {"input": piece}} for piece in ("", '{"a":"', "\\ud83e", '\\udd8a"}')]

    block = together(start, deltas)

    assert {"toolUse": {"input": {"a": "🦊"}, "name": "f", "toolUseId": "t"}} == block


def test_a_tool_without_fragments_has_no_arguments() -> None:
    assert {"toolUse": {"input": {}, "name": "f"}} == together({"toolUse": {"name": "f"}}, [])


def test_pieces_of_bytes_are_joined_as_bytes() -> None:
    pieces = [{"reasoningContent": {"redactedContent": piece}} for piece in ("c2VjcmV0", "IQ==")]

    assert {"reasoningContent": {"redactedContent": "c2VjcmV0IQ=="}} == together(None, pieces)


def test_omitted_thinking_has_a_signature_and_no_text() -> None:
    block = {"reasoningContent": {"reasoningText": {"signature": "s", "text": ""}}}

    assert (None, [{"reasoningContent": {"signature": "s"}}]) == apart(block)


def test_a_block_of_which_nothing_was_told_is_none() -> None:
    assert together(None, []) is None


@pytest.mark.parametrize(
    ("start", "deltas", "reason"),
    [
        (None, [{"smell": "roses"}], "unknown-event"),
        (None, [{"text": "a", "smell": "roses"}], "unknown-event"),
        (None, [{"text": 5}], "unknown-event"),
        (None, [{"reasoningContent": {"mood": "calm"}}], "unknown-event"),
        (None, [{"reasoningContent": {"text": "a"}}, {"text": "b"}], "malformed"),
        (
            None,
            [
                {"reasoningContent": {"text": "a"}},
                {"reasoningContent": {"redactedContent": "c2VjcmV0"}},
            ],
            "malformed",
        ),
        ({"toolUse": {"name": "f"}}, [{"text": "a"}], "unknown-event"),
        ({"toolUse": {"name": "f"}}, [{"toolUse": {"input": {}}}], "unknown-event"),
        ({"toolResult": {}}, [{"toolResult": {"text": "a"}}], "unknown-event"),
        ({"image": {}}, [{"image": {"error": {"message": "no"}}}], "error"),
        ({"image": {}}, [{"image": {"source": {"s3Location": {}}}}] * 2, "unknown-event"),
        ({"thing": {}}, [{"thing": {}}], "unknown-event"),
        ({"text": "a"}, [], "unknown-event"),
    ],
)
def test_deltas_out_of_place_make_no_block(start: Any, deltas: list[Any], reason: str) -> None:
    with pytest.raises(Unfit, match=f"^{reason}$"):
        together(start, deltas)
