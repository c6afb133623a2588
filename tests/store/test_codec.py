from __future__ import annotations

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.exchange import Entry, Framing
from khazad_mitm.messages import Headers
from khazad_mitm.store.codec import VERSION, decode, encode
from tests.store.entries import entry

# Lone surrogates too: whatever a client sent has to come back.
any_text = st.text(st.characters(), max_size=20)
seconds = st.floats(0, 1e10) | st.integers(0, 10**10)

entries = st.builds(
    Entry,
    id=any_text,
    provider=any_text,
    model=any_text,
    status=st.integers(100, 599),
    headers=st.lists(st.tuples(any_text, any_text), max_size=4).map(Headers),
    answer=st.binary(max_size=50),
    original=st.binary(max_size=50),
    framing=st.builds(
        Framing,
        media=st.sampled_from(["json", "sse", "ndjson", "array", "eventstream"]),
        include_usage=st.booleans(),
        variant=any_text,
    ),
    stored_at=seconds,
    expires_at=st.none() | seconds,
    question=st.none() | any_text,
    conversation=any_text,
    exact_only=any_text,
    tokens=st.integers(0, 10**9),
    output_tokens=st.integers(0, 10**9),
    tags=st.lists(any_text, max_size=3).map(tuple),
    tenant=any_text,
    took_s=st.floats(0, 1e6),
    request=st.binary(max_size=50),
    pace_ms=st.lists(st.integers(0, 10**6), max_size=4).map(tuple),
)


@given(entries)
def test_an_entry_comes_back_as_it_was(kept: Entry) -> None:
    assert kept == decode(encode(kept))


@given(entries)
def test_an_original_that_is_the_answer_is_kept_once(kept: Entry) -> None:
    same = replace(kept, original=kept.answer)

    assert same == decode(encode(same))
    assert len(encode(same)) <= len(encode(replace(kept, original=kept.answer + b"!")))


@given(entries, st.data())
def test_a_part_of_an_entry_is_none(kept: Entry, data: st.DataObject) -> None:
    blob = encode(kept)
    end = data.draw(st.integers(0, len(blob) - 1))

    assert decode(blob[:end]) is None
    assert decode(blob + b"!") is None


@given(st.binary() | st.binary().map(lambda noise: bytes([VERSION]) + noise))
def test_noise_is_no_entry(noise: bytes) -> None:
    assert decode(noise) is None


@given(entries, st.data())
def test_a_damaged_entry_raises_nothing(kept: Entry, data: st.DataObject) -> None:
    blob = bytearray(encode(kept))
    blob[data.draw(st.integers(0, len(blob) - 1))] = data.draw(st.integers(0, 255))

    decoded = decode(bytes(blob))
    assert decoded is None or isinstance(decoded, Entry)


@pytest.mark.parametrize("meta", [b"", b"{}", b"[]", b"[1,2,3]", b"\xff", b"[" * 100_000])
def test_a_meta_of_another_shape_is_no_entry(meta: bytes) -> None:
    assert decode(struct.pack(">BIIII", VERSION, len(meta), 0, 0, 0) + meta) is None


def test_another_version_is_no_entry() -> None:
    assert decode(bytes([VERSION + 1]) + encode(entry(1))[1:]) is None
