"""Content codings, and what must not come out of them."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable

import brotli
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.wire import coding
from khazad_mitm.wire.coding import decode

LIMIT = 1_000_000
TEXT = b"the quick brown fox " * 100


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


def zstd_without_size(data: bytes) -> bytes:
    compressor = zstandard.ZstdCompressor().compressobj()
    return bytes(compressor.compress(data) + compressor.flush())


CODINGS: list[tuple[str, Callable[[bytes], bytes]]] = [
    ("gzip", gzip.compress),
    ("x-gzip", gzip.compress),
    ("deflate", zlib.compress),
    ("deflate", raw_deflate),
    ("br", brotli.compress),
    ("zstd", zstandard.compress),
    ("zstd", zstd_without_size),
]
every_coding = pytest.mark.parametrize(("name", "encode"), CODINGS)


@every_coding
@given(data=st.binary(max_size=3_000))
def test_a_body_comes_back(name: str, encode: Callable[[bytes], bytes], data: bytes) -> None:
    assert data == decode(encode(data), name.upper(), LIMIT)


@every_coding
def test_a_cut_body_is_nothing(name: str, encode: Callable[[bytes], bytes]) -> None:
    encoded = encode(TEXT)

    assert {None} == {decode(encoded[:end], name, LIMIT) for end in range(len(encoded))}


@every_coding
def test_a_body_that_goes_on_after_its_end_is_nothing(
    name: str, encode: Callable[[bytes], bytes]
) -> None:
    assert decode(encode(TEXT) + b"?", name, LIMIT) is None
    assert decode(encode(TEXT) + b"?" * 999, name, LIMIT) is None


@every_coding
def test_a_body_may_be_as_long_as_the_limit_and_no_longer(
    name: str, encode: Callable[[bytes], bytes]
) -> None:
    assert decode(encode(TEXT), name, len(TEXT)) == TEXT
    assert decode(encode(TEXT), name, len(TEXT) - 1) is None


@every_coding
def test_a_bomb_is_nothing(name: str, encode: Callable[[bytes], bytes]) -> None:
    assert decode(encode(bytes(20_000_000)), name, LIMIT) is None


def test_codings_are_undone_in_reverse() -> None:
    assert TEXT == decode(gzip.compress(zlib.compress(TEXT)), "deflate, gzip", LIMIT)
    assert decode(gzip.compress(TEXT), "gzip, gzip, gzip, gzip", LIMIT) is None


@pytest.mark.parametrize("name", ["", "identity", " Identity ,"])
def test_no_coding_is_the_body_itself(name: str) -> None:
    assert TEXT == decode(TEXT, name, 1)


def test_members_one_after_another_are_one_body() -> None:
    assert TEXT + TEXT == decode(gzip.compress(TEXT) * 2, "gzip", LIMIT)
    assert TEXT + TEXT == decode(zstandard.compress(TEXT) * 2, "zstd", LIMIT)


@given(st.binary(max_size=300), st.sampled_from(["gzip", "deflate", "br", "zstd", "compress", "é"]))
def test_garbage_never_raises(body: bytes, name: str) -> None:
    assert isinstance(decode(body, name, LIMIT), bytes | None)


@pytest.mark.parametrize("name", ["br", "zstd"])
def test_a_coding_whose_module_is_missing_is_nothing(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coding, "_optional", lambda module: None)

    assert decode(TEXT, name, LIMIT) is None
