"""An entry as bytes and back: version, lengths, JSON about it, then answer, original, request raw.

Knows nothing of Redis. Reading is on the path of every exact hit, so the large parts are sliced
and never parsed. What is not exactly ours is no entry: other programs write to the same server.
"""

from __future__ import annotations

import json
from struct import Struct

from khazad_mitm.exchange import Entry, Framing
from khazad_mitm.messages import Headers

# Raise it whenever the list in `encode` changes: an older entry is then absent, not misread.
VERSION = 5

# Version, then the lengths of the four parts.
_HEAD = Struct(">BIIII")
# An original equal to the answer, as of any call that was not streamed, is kept once.
_SAME = 0xFFFFFFFF

_encoder = json.JSONEncoder(separators=(",", ":"))


def encode(entry: Entry) -> bytes:
    """The entry as one string of bytes; `decode` gives its equal back."""
    framing = entry.framing
    meta = _encoder.encode(
        [
            entry.id,
            entry.provider,
            entry.model,
            entry.status,
            list(entry.headers),
            [framing.media, framing.include_usage, framing.variant],
            entry.stored_at,
            entry.expires_at,
            entry.question,
            entry.conversation,
            entry.exact_only,
            entry.tokens,
            entry.output_tokens,
            entry.tags,
            entry.tenant,
            entry.took_s,
            entry.pace_ms,
            entry.pool,
            entry.url,
            list(entry.request_headers),
        ]
    ).encode("ascii")
    answer, original, request = entry.answer, entry.original, entry.request
    if original == answer:
        head = _HEAD.pack(VERSION, len(meta), len(answer), _SAME, len(request))
        return b"".join((head, meta, answer, request))
    head = _HEAD.pack(VERSION, len(meta), len(answer), len(original), len(request))
    return b"".join((head, meta, answer, original, request))


def decode(blob: bytes) -> Entry | None:
    """The entry in `blob`, or None where anything about it is not as `encode` writes it."""
    if len(blob) < _HEAD.size or blob[0] != VERSION:
        return None
    _, meta_size, answer_size, original_size, request_size = _HEAD.unpack_from(blob)
    answer_at = _HEAD.size + meta_size
    original_at = answer_at + answer_size
    request_at = original_at + (0 if original_size == _SAME else original_size)
    if len(blob) != request_at + request_size:
        return None
    try:
        meta = json.loads(blob[_HEAD.size : answer_at].decode("ascii"))
    except (ValueError, RecursionError):
        return None
    answer = blob[answer_at:original_at]
    original = answer if original_size == _SAME else blob[original_at:request_at]
    return _entry(meta, answer, original, blob[request_at:])


def _entry(meta: object, answer: bytes, original: bytes, request: bytes) -> Entry | None:
    match meta:
        case [
            str() as id_,
            str() as provider,
            str() as model,
            int() as status,
            list() as fields,
            [
                ("json" | "sse" | "ndjson" | "array" | "eventstream") as media,
                bool() as include_usage,
                str() as variant,
            ],
            int() | float() as stored_at,
            int() | float() | None as expires_at,
            str() | None as question,
            str() as conversation,
            str() as exact_only,
            int() as tokens,
            int() as output_tokens,
            list() as tags,
            str() as tenant,
            int() | float() as took_s,
            list() as pace_ms,
            str() as pool,
            str() as url,
            list() as asked_fields,
        ] if _all(str, tags) and _all(int, pace_ms):
            headers, request_headers = _headers(fields), _headers(asked_fields)
            if headers is None or request_headers is None:
                return None
            return Entry(
                id=id_,
                provider=provider,
                model=model,
                status=status,
                headers=headers,
                answer=answer,
                original=original,
                framing=Framing(media, include_usage, variant),
                stored_at=stored_at,
                expires_at=expires_at,
                question=question,
                conversation=conversation,
                exact_only=exact_only,
                tokens=tokens,
                output_tokens=output_tokens,
                tags=tuple(tags),
                tenant=tenant,
                took_s=took_s,
                request=request,
                pace_ms=tuple(pace_ms),
                pool=pool,
                url=url,
                request_headers=request_headers,
            )
        case _:
            return None


def _headers(fields: list[object]) -> Headers | None:
    headers = []
    for field in fields:
        match field:
            case [str() as name, str() as value]:
                headers.append((name, value))
            case _:
                return None
    return Headers(headers)


def _all(kind: type, values: list[object]) -> bool:
    return all(isinstance(value, kind) for value in values)
