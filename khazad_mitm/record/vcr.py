"""Cassettes of vcrpy: one YAML file, bodies decoded or coded as their writer pleased, no times.

Source: vcrpy 9 (`vcr/serializers`, `vcr/persisters`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from http import HTTPStatus
from typing import Any

from khazad_mitm.exchange import Json
from khazad_mitm.messages import Headers, Request, Response
from khazad_mitm.record.exchanges import Exchange
from khazad_mitm.record.interaction import Interaction

VERSION = 1


def read(interactions: list[Any]) -> list[Exchange]:
    """Raises KeyError, TypeError, ValueError or AttributeError."""
    return [_of_vcr(one) for one in interactions]


def vcr_of(interactions: Iterable[Interaction]) -> str:
    """The text of a cassette."""
    import yaml

    document = {"interactions": [_to_vcr(one) for one in interactions], "version": VERSION}
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    return str(yaml.dump(document, Dumper=dumper, allow_unicode=True))


def _of_vcr(interaction: Any) -> Exchange:
    asked, said = interaction["request"], interaction["response"]
    request = Request.to(
        asked["uri"], _bytes(asked.get("body")), _vcr_headers(asked["headers"]), asked["method"]
    )
    body = said.get("body") or {}
    data = _bytes(body.get("string") if isinstance(body, dict) else body)
    headers = _vcr_headers(said["headers"])
    if data[:1] in (b"{", b"[") or data.startswith((b"data:", b"event:")):
        # `decode_compressed_response` has undone what the header still says.
        headers = headers.without("content-encoding")
    return Exchange(request, Response(said["status"]["code"], headers, data))


def _vcr_headers(fields: Any) -> Headers:
    return Headers(_lines(fields or {}))


def _lines(fields: Any) -> Iterator[tuple[str, str]]:
    for name, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            yield name, value.decode("latin-1") if isinstance(value, bytes) else str(value)


def _bytes(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return b"" if value is None else str(value).encode()


def _to_vcr(one: Interaction) -> dict[str, Json]:
    request, answer = one.request, one.answer
    return {
        "request": {
            "method": request.method,
            "uri": request.url,
            "body": _text(request.body) if request.body else None,
            "headers": _fields(request.headers),
        },
        "response": {
            "status": {"code": answer.status, "message": _phrase(answer.status)},
            "headers": _fields(answer.headers),
            "body": {"string": _text(answer.body)},
        },
    }


def _text(data: bytes) -> str | bytes:
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data


def _fields(headers: Headers) -> dict[str, Json]:
    return {name: headers.get_all(name) for name, _ in headers}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""
