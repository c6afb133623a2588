"""Requests as nobody should send them, in every format: read in one way, or not at all."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.prompt import question_text
from khazad_mitm.wire import PROVIDERS, recognise
from tests import fuzz_requests, wires
from tests.strategies import hostile_requests, hostile_values, texts

each_provider = pytest.mark.parametrize("name", [provider.name for provider in PROVIDERS])


@each_provider
@given(data=st.data())
def test_whatever_is_sent_nothing_raises_and_no_two_meanings_share_a_key(
    name: str, data: st.DataObject
) -> None:
    wire = data.draw(st.sampled_from(wires.of(name)))
    hostile = data.draw(hostile_requests(wire.request))

    fuzz_requests.check(wire.request, hostile)
    parsed = recognise(hostile)
    if parsed is not None:
        # It is what it looks like: an object, whose question is a text where it has one.
        assert isinstance(parsed.body, dict)
        question = question_text(parsed)
        assert question is None or question.strip()


@each_provider
@given(data=st.data())
def test_a_key_that_stands_twice_is_no_request(name: str, data: st.DataObject) -> None:
    request = data.draw(st.sampled_from(wires.of(name))).request
    field = data.draw(st.sampled_from(sorted(json.loads(request.body))))
    # Spelt otherwise it is the same key.
    escaped = f"\\u{ord(field[0]):04x}{field[1:]}"
    spelt = data.draw(st.sampled_from([field, escaped]))
    again = f'"{spelt}":{json.dumps(data.draw(texts))}'.encode()

    assert recognise(replace(request, body=b"{" + again + b"," + request.body.lstrip()[1:])) is None


@each_provider
@given(put=hostile_values, data=st.data())
def test_an_unknown_field_never_hides_behind_a_known_request(
    name: str, put: bytes, data: st.DataObject
) -> None:
    request = data.draw(st.sampled_from(wires.of(name))).request
    longer = replace(request, body=b'{"unknown":' + put + b"," + request.body.lstrip()[1:])
    one, other = fuzz_requests.key_of(request), fuzz_requests.key_of(longer)

    assert one is None or other is None or one[1] != other[1]
