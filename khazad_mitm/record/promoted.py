"""A live entry of the cache as a call, of which a recording can be made.

An entry holds its call but for what the cache had no use for: headers of the request that do not
count in its key, of the answer what is true only of the moment (rate limits, cookies), content
codings, and of a stream's times more than 64 marks. A cache answers in either framing, JSON or a
stream, from one entry, and a recording in one: that of the call that was stored, unless another is
asked for, in which the answer is then written anew, as a hit would be.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from khazad_mitm import wire
from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import ParsedRequest
from khazad_mitm.messages import Headers, Request, Response
from khazad_mitm.record.exchanges import Exchange

# Where the path says it: of one answer, of a stream.
_PATHS = (
    (":generateContent", ":streamGenerateContent"),
    ("/converse", "/converse-stream"),
    ("/invoke", "/invoke-with-response-stream"),
)


def exchange_of(told: Mapping[str, Any], *, streams: bool | None = None) -> Exchange:
    """`told`: as `cache.explain.export` gives it. `streams`: in this framing; None: as stored.

    Raises ConfigError where the entry does not hold the request, or its format has no such framing.
    """
    request, body, answer = (base64.b64decode(told[name]) for name in ("request", "body", "answer"))
    if not request or not told["url"]:
        raise ConfigError(
            f"{told['id']} does not hold its request, of which a recording is made",
            "requests are kept with store_prompts=on only, not above 64 KiB, nor for the items"
            " of a batch: record the call with `khazad-mitm record`",
        )
    asked = Request.to(told["url"], request, _headers(told["request_headers"]))
    pace = told["pace_ms"]
    took_ms = round(told["took_s"] * 1000)
    marks = tuple(zip(pace[::2], pace[1::2], strict=False)) or ((len(body), took_ms),)
    said = Response(told["status"], _headers(told["headers"]), body, marks)
    exchange = Exchange(asked, said, told["stored_at"])
    if streams is None or is_stream(exchange) == streams:
        return exchange
    return _reframed(exchange, answer, took_ms)


def is_stream(exchange: Exchange) -> bool:
    parsed = wire.recognise(exchange.request)
    return parsed is not None and parsed.framing.is_stream


def _reframed(exchange: Exchange, answer: bytes, took_ms: int) -> Exchange:
    """The call that asks the same in the other framing, and what a hit would answer to it."""
    parsed = wire.recognise(exchange.request)
    for request in _others(exchange.request, parsed):
        other = wire.recognise(request)
        if parsed is None or other is None or other.framing.is_stream == parsed.framing.is_stream:
            continue
        if (other.provider, other.model) == (parsed.provider, parsed.model):
            body = b"".join(other.provider.replay(answer, other))
            media = ("content-type", other.provider.content_type(other))
            headers = exchange.response.headers.without("content-type").plus(media)
            said = Response(exchange.response.status, headers, body, ((len(body), took_ms),))
            return Exchange(request, said, exchange.made_at)
    raise ConfigError(
        f"{exchange.request.url} cannot be asked in another framing",
        "without --framing the recording is made as the call was stored",
    )


def _others(request: Request, parsed: ParsedRequest | None) -> Iterator[Request]:
    """Requests that may be the same in the other framing."""
    if parsed is None or parsed.spellings:  # numbers that JSON would write otherwise
        return
    path, _, query = request.target.partition("?")
    for one, stream in _PATHS:
        if path.endswith(one):
            alt = "?alt=sse" if one.startswith(":") else ""
            yield replace(request, target=path.removesuffix(one) + stream + alt)
        elif path.endswith(stream):
            kept = "&".join(pair for pair in query.split("&") if not pair.startswith("alt="))
            target = path.removesuffix(stream) + one
            yield replace(request, target=f"{target}?{kept}" if kept else target)
    plain = {k: v for k, v in parsed.body.items() if k not in ("stream", "stream_options")}
    for body in (plain, {**plain, "stream": not parsed.framing.is_stream}):
        yield replace(request, body=json.dumps(body, ensure_ascii=False).encode())


def _headers(fields: list[tuple[str, str]]) -> Headers:
    return Headers((name, value) for name, value in fields)
