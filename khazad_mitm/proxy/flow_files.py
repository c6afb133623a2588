"""Files of mitmproxy's flows, as `mitmdump -w` writes and `mitmdump -r` reads them."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import BinaryIO

from mitmproxy import connection, exceptions, http, io
from mitmproxy.net.http import status_codes

from khazad_mitm.errors import ConfigError
from khazad_mitm.messages import Request, Response
from khazad_mitm.proxy.flows import to_headers
from khazad_mitm.record.exchanges import Exchange
from khazad_mitm.record.interaction import Interaction

logger = logging.getLogger("khazad")


def read(path: Path) -> list[Exchange]:
    """The calls that came to their end, in order. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return list(_exchanges(io.FlowReader(file)))
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror or error}") from None
    except exceptions.FlowReadException as error:
        raise ConfigError(f"{path}: {error}") from None


def write(interactions: Iterable[Interaction], file: BinaryIO) -> None:
    writer = io.FlowWriter(file)
    for one in interactions:
        writer.add(_flow(one))


def _exchanges(reader: io.FlowReader) -> Iterator[Exchange]:
    for flow in reader.stream():
        if not isinstance(flow, http.HTTPFlow) or flow.websocket is not None:
            continue
        asked, said = flow.request, flow.response
        if said is None or flow.error is not None:
            logger.warning("[Khazad] left out, it did not end: %s", asked.pretty_url)
        elif said.raw_content is None or asked.raw_content is None:
            logger.warning("[Khazad] left out, its body was not kept: %s", asked.pretty_url)
        else:
            yield _exchange(asked, said)


def _exchange(asked: http.Request, said: http.Response) -> Exchange:
    request = Request(
        asked.method,
        asked.scheme,
        asked.host.lower(),
        asked.port,
        asked.path,
        to_headers(asked.headers),
        asked.raw_content or b"",
    )
    body = said.raw_content or b""
    began, ended = asked.timestamp_start, said.timestamp_end
    took_ms = round(max(0.0, ended - began) * 1000) if began and ended else 0
    marks = ((len(body), took_ms),)
    response = Response(said.status_code, to_headers(said.headers), body, marks)
    return Exchange(request, response, began or None)


def _flow(one: Interaction) -> http.HTTPFlow:
    asked, said = one.request, one.answer
    began = _began(one.label.recorded)
    times = [began + frame.at_ms / 1000 for frame in said.frames] or [began]
    address = (asked.host, asked.port)
    flow = http.HTTPFlow(
        connection.Client(peername=("127.0.0.1", 0), sockname=("127.0.0.1", 0)),
        connection.Server(address=address),
    )
    host = asked.url.partition("://")[2].partition("/")[0]
    flow.request = http.Request(
        asked.host,
        asked.port,
        asked.method.encode(),
        asked.scheme.encode(),
        b"",
        asked.target.encode("latin-1"),
        b"HTTP/1.1",
        _fields((("host", host), *asked.headers), len(asked.body)),
        asked.body,
        None,
        began,
        began,
    )
    flow.response = http.Response(
        b"HTTP/1.1",
        said.status,
        status_codes.RESPONSES.get(said.status, "").encode(),
        _fields(said.headers, len(said.body)),
        said.body,
        None,
        times[0],
        times[-1],
    )
    return flow


def _fields(headers: Iterable[tuple[str, str]], length: int) -> http.Headers:
    fields = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    return http.Headers([*fields, (b"content-length", b"%d" % length)])


def _began(day: str) -> float:
    try:
        return datetime.strptime(day, "%Y-%m-%d").replace(tzinfo=timezone.utc).timestamp()
    except ValueError:
        return 0.0
