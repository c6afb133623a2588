"""The same question in the other framing, as a caller would put it."""

from __future__ import annotations

import json
from dataclasses import replace

from khazad_mitm.messages import Request
from tests.wires import Wire

# (plain, streamed): the word of the path that decides.
_VERBS = (
    (":generateContent", ":streamGenerateContent"),
    (":rawPredict", ":streamRawPredict"),
    ("/converse", "/converse-stream"),
    ("/invoke", "/invoke-with-response-stream"),
)
_NEVER_STREAMED = ("count_tokens", "embed", ":batchEmbedContents")
# Whose body decides even where the path has a verb.
_BODY_TOO = (":rawPredict", ":streamRawPredict")
_STREAMED_BY_DEFAULT = ("/api/chat", "/api/generate")


def flipped(wire: Wire) -> Request | None:
    """None where there is one framing only."""
    request = wire.request
    if any(word in request.path for word in _NEVER_STREAMED):
        return None
    for plain, streamed in _VERBS:
        if request.path.endswith(streamed):
            path = request.path.removesuffix(streamed) + plain
            return _with_body(replace(request, target=path), False)
        if request.path.endswith(plain):
            path = request.path.removesuffix(plain) + streamed
            return _with_body(replace(request, target=path + _alt(request)), True)
    body = json.loads(request.body)
    default = request.path.endswith(_STREAMED_BY_DEFAULT)
    return _streaming(request, not body.get("stream", default))


def _alt(request: Request) -> str:
    """Google's parameter for the framing, with the spelling of enums where one was asked for."""
    if "Content" not in request.path:
        return ""
    return f"?%24alt=sse%3B{request.query.partition('%3B')[2]}" if request.query else "?alt=sse"


def _with_body(request: Request, stream: bool) -> Request:
    return _streaming(request, stream) if request.path.endswith(_BODY_TOO) else request


def _streaming(request: Request, stream: bool) -> Request:
    body = json.loads(request.body)
    body.pop("stream_options", None)
    return replace(request, body=json.dumps({**body, "stream": stream}).encode())
