from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Batch, ParsedRequest
from khazad_mitm.messages import Headers
from khazad_mitm.wire import recognise
from tests import wires
from tests.strategies import texts
from tests.wire.embedding import EMBEDDINGS, KEY, answer_to, asked

BATCHES = [
    wire
    for wire in wires.of("embeddings")
    if wire.expect == "answer" and (found := recognise(wire.request)) and found.batch
]


def batch_of(parsed: ParsedRequest) -> Batch:
    assert parsed.batch is not None
    return parsed.batch


def digits(body: bytes | None) -> Any:
    """JSON with its numbers as text."""
    assert body is not None
    return json.loads(body, parse_float=str, parse_int=str)


@pytest.mark.parametrize("wire", BATCHES, ids=lambda wire: wire.name)
def test_what_is_taken_apart_is_put_together_again(wire: wires.Wire) -> None:
    parsed = recognise(wire.request)
    assert parsed is not None
    parts = batch_of(parsed).apart(wire.body)
    whole = digits(wire.body)
    if "data" in whole:
        whole["data"].sort(key=lambda row: row["index"])

    assert len(parts) == len(parsed.body[parsed.turns_field])
    assert whole == digits(batch_of(parsed).together(parts, wire.body))


@pytest.mark.parametrize("wire", BATCHES, ids=lambda wire: wire.name)
def test_a_part_is_a_whole_answer_to_its_item_and_says_that_nothing_was_billed(
    wire: wires.Wire,
) -> None:
    parsed = recognise(wire.request)
    assert parsed is not None
    for place, part in enumerate(batch_of(parsed).apart(wire.body)):
        answer = EMBEDDINGS.assemble(part, batch_of(parsed).rest(parsed, [place]))

        assert (part, 0) == (answer.body, answer.tokens)  # type: ignore[union-attr]


@pytest.mark.parametrize("wire", BATCHES, ids=lambda wire: wire.name)
def test_the_rest_is_recognised_as_it_was_meant(wire: wires.Wire) -> None:
    parsed = recognise(wire.request)
    assert parsed is not None
    rest = batch_of(parsed).rest(parsed, [1])
    again = recognise(rest.request)

    assert again is not None
    assert (rest.body, rest.resource, rest.model) == (again.body, again.resource, again.model)
    assert [parsed.body[parsed.turns_field][1]] == rest.body[rest.turns_field]


items = st.lists(texts.filter(bool), min_size=2, max_size=8)


@given(items, st.data())
def test_whatever_is_known_the_whole_is_the_same(some: list[str], data: Any) -> None:
    parsed = asked(some)
    batch = batch_of(parsed)
    known = data.draw(st.sets(st.sampled_from(range(len(some)))))
    wanted = [place for place in range(len(some)) if place not in known]
    parts: dict[int, bytes] = {}
    for place in known:  # from a call of its own, or from another batch
        if data.draw(st.booleans()):
            parts[place] = answer_to([some[place]])
        else:
            parts[place] = batch.apart(answer_to(["x", some[place], "y"]))[1]
    asked_for = json.loads(batch.rest(parsed, wanted).request.body)["input"]
    rest = answer_to(asked_for)
    parts.update(zip(wanted, batch.apart(rest) if wanted else (), strict=True))
    whole = digits(batch.together([parts[n] for n in range(len(some))], rest if wanted else None))
    expected = digits(answer_to(some))

    cost = str(len(wanted))
    assert {"prompt_tokens": cost, "total_tokens": cost} == whole.pop("usage")
    expected.pop("usage")
    assert expected == whole


def test_the_rest_is_not_encoded_and_says_nothing_of_its_length() -> None:
    headers = KEY.plus(("content-length", "9"), ("x-own", "1"))
    rest = batch_of(asked(["a", "b"])).rest(asked(["a", "b"], headers=headers), [1])

    assert Headers([*KEY, ("x-own", "1")]) == rest.request.headers


def test_the_only_item_of_a_rest_keeps_what_it_cost() -> None:
    answer = answer_to(["a"])

    assert (answer,) == batch_of(asked(["a", "b"])).apart(answer)


@pytest.mark.parametrize(
    "other",
    [
        answer_to(["b"], model="m-2"),
        answer_to(["b"], dimensions=3),
        answer_to(["b"]).replace(b"[0.", b'"0.').replace(b"],", b'",').replace(b"]}]", b'"}]'),
        b"{}",
        b"garbage",
        b"\xff",
        b"[" * 9_999,
    ],
    ids=["model", "dimensions", "encoding", "empty", "garbage", "bytes", "deep"],
)
def test_parts_that_do_not_fit_are_not_put_together(other: bytes) -> None:
    batch = batch_of(asked(["a", "b"]))

    assert batch.together([answer_to(["a"]), other], None) is None
    assert batch.together([other, answer_to(["a"])], answer_to(["a"])) is None
    assert batch.together([answer_to(["a"])] * 2, other) is None


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b"garbage", b"\xff", b"[" * 9_999])
def test_garbage_has_no_parts(answer: bytes) -> None:
    assert () == batch_of(asked(["a", "b"])).apart(answer)


def test_an_answer_with_a_list_nobody_knows_has_no_parts() -> None:
    answer = answer_to(["a", "b"], languages=["en", "fr"])

    assert () == batch_of(asked(["a", "b"])).apart(answer)
