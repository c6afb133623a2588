"""Content codings undone: gzip, deflate, br, zstd and any stack of them, within a size.

Decoding is never half right: a body that ends early, that goes on after its end, or that would
grow beyond the limit is None, and so is a coding whose optional module is missing.
Source: RFC 9110 §8.4, RFC 1950 to 1952, RFC 7932, RFC 8878.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Callable
from importlib import import_module
from types import ModuleType
from typing import Any, Protocol

# A decoder is fed this little at a time, so that a bomb is noticed after its first pieces:
# one step of deflate is at most 1,032 times as long as its input.
_STEP_BYTES = 256

# Nobody stacks more; every coding is another chance for a bomb.
_MAX_CODINGS = 3


class _Decoder(Protocol):
    """What `zlib`, `zstandard` and `compression.zstd` agree on."""

    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...
    def decompress(self, data: bytes, /) -> bytes: ...


class _Brotli:
    """`brotli.Decompressor` in the words of the others."""

    unused_data = b""  # it raises instead of leaving anything over

    def __init__(self, module: ModuleType) -> None:
        self._decompressor = module.Decompressor()

    @property
    def eof(self) -> bool:
        return bool(self._decompressor.is_finished())

    def decompress(self, data: bytes, /) -> bytes:
        piece: bytes = self._decompressor.process(data)
        return piece


def decode(body: bytes, content_encoding: str, limit_bytes: int) -> bytes | None:
    """`body` without the codings that a Content-Encoding lists; None where that cannot be done.

    No coding gives the body itself, whatever its size. Never raises.
    """
    names = [name for name in map(_normalise, content_encoding.split(",")) if name]
    if len(names) > _MAX_CODINGS:
        return None
    for name in reversed(names):  # listed in the order in which they were applied
        decoded = _decode_one(body, name, limit_bytes)
        if decoded is None:
            return None
        body = decoded
    return body


def _normalise(name: str) -> str:
    name = name.strip().lower()
    return "" if name == "identity" else name


def _decode_one(body: bytes, name: str, limit_bytes: int) -> bytes | None:
    match name:
        case "gzip" | "x-gzip":
            return _inflate(lambda: zlib.decompressobj(31), body, limit_bytes)
        case "deflate":
            # zlib's format by the letter; some servers send the bare stream (RFC 9110 §8.4.1.2).
            decoded = _inflate(lambda: zlib.decompressobj(15), body, limit_bytes, members=1)
            if decoded is not None:
                return decoded
            return _inflate(lambda: zlib.decompressobj(-15), body, limit_bytes, members=1)
        case "br":
            brotli = _optional("brotli")
            if brotli is None:
                return None
            return _inflate(lambda: _Brotli(brotli), body, limit_bytes, members=1)
        case "zstd":
            new = _zstd_decoder()
            return None if new is None else _inflate(new, body, limit_bytes)
        case _:
            return None


def _inflate(
    new: Callable[[], _Decoder], body: bytes, limit_bytes: int, members: int = sys.maxsize
) -> bytes | None:
    """Run a decoder over the body; gzip and zstd may hold several members one after another."""
    decoder = new()
    out = bytearray()
    try:
        for start in range(0, len(body), _STEP_BYTES):
            rest = body[start : start + _STEP_BYTES]
            while rest:
                if decoder.eof:
                    members -= 1
                    if members == 0:
                        return None
                    decoder = new()
                out += decoder.decompress(rest)
                if len(out) > limit_bytes:
                    return None
                rest = decoder.unused_data if decoder.eof else b""
        return bytes(out) if decoder.eof else None
    except Exception:  # each optional module has an error class of its own, derived from Exception
        return None


def _zstd_decoder() -> Callable[[], Any] | None:
    stdlib = _optional("compression.zstd")  # from 3.14
    if stdlib is not None:
        decoder: Callable[[], Any] = stdlib.ZstdDecompressor
        return decoder
    module = _optional("zstandard")
    return None if module is None else lambda: module.ZstdDecompressor().decompressobj()


def _optional(name: str) -> ModuleType | None:
    try:
        return import_module(name)
    except ImportError:
        return None
