"""Recordings of others: HAR files read and written, cassettes of vcrpy read.

What is read goes the way of every recording: scrubbed, looked through, named by its request. Both
formats hold decoded or coded bodies, as their writers pleased; neither knows the times of frames.
Sources: HAR 1.2 (w3c.github.io/web-performance/specs/HAR), vcrpy 7 (`vcr/serializers`).
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from khazad_mitm import __version__
from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import Json
from khazad_mitm.messages import Headers, Request, Response
from khazad_mitm.record.exchanges import Exchange
from khazad_mitm.record.interaction import Interaction


def read(path: Path) -> list[Exchange]:
    """The exchanges of a HAR file or of a cassette of vcrpy, in order. Raises ConfigError."""
    document = _document(path)
    try:
        match document:
            case {"log": {"entries": list(entries)}}:
                return [_of_har(entry) for entry in entries]
            case {"interactions": list(interactions)}:
                return [_of_vcr(one) for one in interactions]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(f"{path}: cannot be read ({error!r})") from None
    raise ConfigError(f"{path}: neither a HAR file nor a cassette of vcrpy")


def har_of(interactions: Iterable[Interaction]) -> dict[str, Json]:
    """A HAR log, for tools that know this format."""
    entries = [_to_har(one) for one in interactions]
    creator = {"name": "khazad-mitm", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _document(path: Path) -> Any:
    import yaml

    try:
        text = path.read_bytes()
        if path.suffix in (".har", ".json"):
            return json.loads(text)
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506
    except yaml.MarkedYAMLError as error:
        line = 1 if error.problem_mark is None else error.problem_mark.line + 1
        raise ConfigError(f"{path}:{line}: {error.problem}") from None
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise ConfigError(f"{path}: {error}") from None


def _of_har(entry: Any) -> Exchange:
    asked, said = entry["request"], entry["response"]
    posted = asked.get("postData") or {}
    request = Request.to(
        asked["url"], _har_body(posted), _har_headers(asked["headers"]), asked["method"]
    )
    # The content of a HAR is decoded, whatever the header says.
    headers = _har_headers(said["headers"]).without("content-encoding")
    return Exchange(request, Response(said["status"], headers, _har_body(said["content"])))


def _har_headers(fields: Any) -> Headers:
    # HTTP/2's pseudo headers are listed by browsers.
    return Headers(
        (field["name"], field["value"]) for field in fields if not field["name"].startswith(":")
    )


def _har_body(content: Any) -> bytes:
    text = content.get("text") or ""
    return base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()


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


def _to_har(one: Interaction) -> dict[str, Json]:
    request, answer = one.request, one.answer
    took = answer.frames[-1].at_ms if answer.frames else 0
    media = answer.headers.get("content-type") or ""
    asked: dict[str, Json] = {
        "method": request.method,
        "url": request.url,
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": name, "value": value} for name, value in request.headers],
        "queryString": [],
        "cookies": [],
        "headersSize": -1,
        "bodySize": len(request.body),
    }
    if request.body:
        media_asked = request.headers.get("content-type") or ""
        asked["postData"] = {"mimeType": media_asked, **_har_text(request.body)}
    said = {
        "status": answer.status,
        "statusText": "",
        "httpVersion": "HTTP/1.1",
        "headers": [{"name": name, "value": value} for name, value in answer.headers],
        "cookies": [],
        "content": {"size": len(answer.body), "mimeType": media, **_har_text(answer.body)},
        "redirectURL": "",
        "headersSize": -1,
        "bodySize": len(answer.body),
    }
    return {
        "startedDateTime": f"{one.label.recorded or '1970-01-01'}T00:00:00Z",
        "time": took,
        "request": asked,
        "response": said,
        "cache": {},
        "timings": {"send": 0, "wait": took, "receive": 0},
    }


def _har_text(data: bytes) -> dict[str, str]:
    try:
        return {"text": data.decode()}
    except UnicodeDecodeError:
        return {"text": base64.b64encode(data).decode(), "encoding": "base64"}
