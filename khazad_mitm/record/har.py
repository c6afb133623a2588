"""HAR files, which browsers and many tools write and read.

The bodies of answers stand in them decoded, whatever their headers say. Of the times of frames only
the whole is told. Source: HAR 1.2 (w3c.github.io/web-performance/specs/HAR).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from khazad_mitm import __version__
from khazad_mitm.exchange import Json
from khazad_mitm.messages import Headers, Request, Response
from khazad_mitm.record.exchanges import Exchange
from khazad_mitm.record.interaction import Interaction


def read(entries: list[Any]) -> list[Exchange]:
    """Of `log.entries`. Raises KeyError, TypeError, ValueError or AttributeError."""
    return [_of_har(entry) for entry in entries]


def har_of(interactions: Iterable[Interaction]) -> dict[str, Json]:
    """A HAR log, for tools that know this format."""
    entries = [_to_har(one) for one in interactions]
    creator = {"name": "khazad-mitm", "version": __version__}
    return {"log": {"version": "1.2", "creator": creator, "entries": entries}}


def _of_har(entry: Any) -> Exchange:
    asked, said = entry["request"], entry["response"]
    posted = asked.get("postData") or {}
    request = Request.to(
        asked["url"], _har_body(posted), _har_headers(asked["headers"]), asked["method"]
    )
    # The content of a HAR is decoded, whatever the header says.
    headers = _har_headers(said["headers"]).without("content-encoding")
    body = _har_body(said["content"])
    marks = ((len(body), max(0, round(entry.get("time") or 0))),)
    response = Response(said["status"], headers, body, marks)
    return Exchange(request, response, _unix(entry.get("startedDateTime")))


def _unix(when: Any) -> float | None:
    try:
        # Python 3.10 does not read the Z.
        return datetime.fromisoformat(str(when).replace("Z", "+00:00")).timestamp()
    except ValueError:
        return None


def _har_headers(fields: Any) -> Headers:
    # HTTP/2's pseudo headers are listed by browsers.
    return Headers(
        (field["name"], field["value"]) for field in fields if not field["name"].startswith(":")
    )


def _har_body(content: Any) -> bytes:
    text = content.get("text") or ""
    return base64.b64decode(text) if content.get("encoding") == "base64" else text.encode()


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
