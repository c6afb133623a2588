from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Answer, Framing, Unkept
from khazad_mitm.messages import Request
from tests import wires
from tests.strategies import json_values
from tests.wire.embedding import EMBEDDINGS, OPENAI, answer_to, ask, asked


@pytest.mark.parametrize(
    "url",
    [
        OPENAI,
        "https://openrouter.ai/api/v1/embeddings",
        "https://models.inference.ai.azure.com/embeddings?api-version=1",
        "http://127.0.0.1:8000/embeddings/",
    ],
)
def test_any_host_that_speaks_like_openai_is_recognised(url: str) -> None:
    parsed = asked(["a"], url=url)

    assert ("embeddings", "m", Framing("json")) == (
        parsed.provider.name,
        parsed.model,
        parsed.framing,
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://api.openai.com/v1/embeddings/jobs",
        "https://api.voyageai.com/v1/contextualizedembeddings",
        "https://api.voyageai.com/v1/multimodalembeddings",
        "https://aiplatform.googleapis.com/v1/projects/p/models/text-embedding-004:predict",
        "https://generativelanguage.googleapis.com/v1beta/models/m:asyncBatchEmbedContent",
        "https://api.cohere.com/v1/embed-jobs",
    ],
)
def test_what_only_looks_alike_passes(url: str) -> None:
    assert ask(["a"], url=url) is None


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"{}", b'{"input":[]}', b'{"input":"a","model":5}', b'{"input":1}']
)
def test_a_body_of_another_shape_passes(body: bytes) -> None:
    assert EMBEDDINGS.recognise(Request.to(OPENAI, body)) is None
    assert EMBEDDINGS.recognise(Request.to(OPENAI, body, method="GET")) is None


def test_a_model_in_the_path_is_taken_out_of_the_resource() -> None:
    parsed = asked("a", url="https://e.openai.azure.com/openai/deployments/d%201/embeddings?v=1")

    assert ("d 1", "/openai/deployments/{model}/embeddings?v=1") == (parsed.model, parsed.resource)


@pytest.mark.parametrize(("one", "other"), [("a", ["a"]), ([1, 2], [[1, 2]])])
def test_an_item_and_a_list_of_it_are_the_same_question(one: Any, other: Any) -> None:
    assert asked(one).body == asked(other).body
    assert asked(one, unheard_of=1).body != asked(other, unheard_of=1).body


def test_a_list_of_several_items_is_a_batch() -> None:
    assert asked(["a", "b"]).batch is not None
    assert asked([[1], [2]], dimensions=3, user="u").batch is not None


@pytest.mark.parametrize(
    "request_",
    [
        asked("a"),
        asked(["a"]),
        asked([1, 2, 3]),
        asked(["a"] * 2_049),
        asked(["a", "b"], late_chunking=True),
        asked(["a", "b"], unheard_of=None),
    ],
    ids=["text", "one", "tokens", "too many", "dependent", "unknown"],
)
def test_anything_else_is_answered_as_a_whole(request_: Any) -> None:
    assert request_.batch is None


def test_a_number_spelt_otherwise_is_answered_as_a_whole() -> None:
    body = b'{"input":["a","b"],"model":"m","dimensions":1.0e1}'
    parsed = EMBEDDINGS.recognise(Request.to(OPENAI, body))

    assert parsed is not None
    assert (None, ("1.0e1",)) == (parsed.batch, parsed.spellings)


def test_ollamas_keep_alive_changes_no_vector() -> None:
    assert {"keep_alive"} == asked("a", url="http://localhost:11434/api/embed").ignored


def test_an_open_webui_at_ollamas_old_path_may_speak_like_openai() -> None:
    assert "input" == asked(["a"], url="http://localhost:3000/api/embeddings").turns_field


def test_an_answer_is_kept_as_sent() -> None:
    wire = wires.one("embeddings/openai-text")
    parsed = EMBEDDINGS.recognise(wire.request)
    assert parsed is not None

    assert Answer(wire.body, tokens=5) == EMBEDDINGS.assemble(wire.body, parsed)
    assert [wire.body] == list(EMBEDDINGS.replay(wire.body, parsed))


@given(st.lists(st.text(min_size=1), min_size=1, max_size=3), json_values, st.data())
def test_no_answer_however_mangled_raises(items: list[str], other: Any, data: Any) -> None:
    parsed = asked(items)
    answer = json.loads(answer_to(items))
    place = data.draw(st.sampled_from([answer, *answer["data"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = other
    body = json.dumps(answer).encode()

    outcome = EMBEDDINGS.assemble(body, parsed)
    assert isinstance(outcome, Answer | Unkept)
    for end in range(0, len(body), 7):
        assert isinstance(EMBEDDINGS.assemble(body[:end], parsed), Unkept)
