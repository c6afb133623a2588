"""One recording and its file: an interaction to YAML and back, and what lies beside.

    label:    for people: provider, model, host, the day, the tool
    request:  method, url, headers, body
    response: status, headers, and body or stream

What is written is read again at once and compared: a file that would not give back what it was
made from is never written.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import Json
from khazad_mitm.messages import Headers, Request
from khazad_mitm.record import bodies, streams
from khazad_mitm.record.bodies import Shelf
from khazad_mitm.record.interaction import Answered, Frame, Interaction, Label
from khazad_mitm.record.yamls import Lined, NotYaml, dump, load

SUFFIX = ".yaml"


class BadRecording(ConfigError):
    """A file of a cassette cannot be read; the message names file and line."""

    def __init__(self, path: Path, line: int, message: str) -> None:
        super().__init__(
            f"{path}:{line}: {message}",
            "mend it or restore it from version control; a recording is never left out in silence",
        )


def document_of(interaction: Interaction, shelf: Shelf, *, plain: bool = False) -> dict[str, Json]:
    """The values of a file. Long and binary parts go on the shelf."""
    request, answer, label = interaction.request, interaction.answer, interaction.label
    asked: dict[str, Json] = {"method": request.method, "url": request.url}
    if request.headers:
        asked["headers"] = _fields(request.headers)
    if request.body:
        asked["body"] = bodies.write(request.body, "request", shelf, plain=plain)
    said: dict[str, Json] = {"status": answer.status}
    if answer.headers:
        said["headers"] = _fields(answer.headers)
    if answer.is_stream:
        said["stream"] = streams.write(answer.frames, shelf)
    elif answer.body:
        said["at"] = answer.frames[0].at_ms
        said["body"] = bodies.write(answer.body, "response", shelf, plain=plain)
    return {
        "label": {
            "provider": label.provider,
            "model": label.model,
            "host": request.host,
            "recorded": label.recorded,
            "tool": label.tool,
        },
        "request": asked,
        "response": said,
    }


def text_of(interaction: Interaction, shelf: Shelf) -> str:
    """The text of a file. Raises ValueError where none would give the interaction back."""
    for plain in (False, True):
        shelf.files.clear()
        text = dump(document_of(interaction, shelf, plain=plain))
        if _interaction(load(text), Shelf(shelf.stem, shelf.files.__getitem__)) == interaction:
            return text
    raise ValueError("it does not come back from a file as it went in")


def read(path: Path) -> Interaction:
    """The recording of a file. Raises BadRecording."""
    shelf = Shelf(path.stem, lambda name: (path.parent / name).read_bytes())
    try:
        document = load(path.read_bytes().decode())
    except NotYaml as error:
        raise BadRecording(path, error.line, str(error)) from None
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadRecording(path, line, "not UTF-8") from None
    try:
        found = _interaction(document, shelf)
    except _Misplaced as error:
        raise BadRecording(path, error.line, str(error)) from None
    return Interaction(found.request, found.answer, found.label, path)


def beside(path: Path) -> list[Path]:
    """The files that the recording at `path` names. Raises BadRecording."""
    try:
        document = load(path.read_bytes().decode())
    except (NotYaml, UnicodeDecodeError) as error:
        raise BadRecording(path, getattr(error, "line", 1), str(error)) from None
    return [path.parent / name for name in _named(document)]


def _named(document: Json) -> Iterator[str]:
    if isinstance(document, dict):
        for part, name in (("request", "body"), ("response", "body"), ("response", "stream")):
            inner = document.get(part)
            if isinstance(inner, dict):
                yield from bodies.names_beside(inner.get(name))


def replace(path: Path, text: str, files: dict[str, bytes]) -> None:
    """Write a recording: what lies beside first, each in one step, so that a reader sees it whole
    or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    gone = set() if not path.exists() else {name.name for name in beside(path)} - files.keys()
    for name, data in files.items():
        _write(path.parent / name, data)
    _write(path, text.encode())
    for name in gone:
        (path.parent / name).unlink(missing_ok=True)


def remove(path: Path) -> None:
    """Delete a recording and what lies beside it."""
    for other in (*beside(path), path):
        other.unlink(missing_ok=True)


def _write(path: Path, data: bytes) -> None:
    if path.exists() and path.read_bytes() == data:
        return
    new = path.with_name(f".{path.name}.{os.getpid()}.new")
    new.write_bytes(data)
    new.replace(path)


class _Misplaced(ValueError):
    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


def _interaction(document: Json, shelf: Shelf) -> Interaction:
    if not isinstance(document, Lined):
        raise _Misplaced("a recording has label, request and response", 1)
    asked, said = _part(document, "request"), _part(document, "response")
    label = document.get("label")
    told = label if isinstance(label, Lined) else Lined()
    return Interaction(
        _request(asked, shelf),
        _answer(said, shelf),
        Label(
            *(str(told.get(name, "")) for name in ("provider", "model", "tool", "recorded")),
        ),
    )


def _request(asked: Lined, shelf: Shelf) -> Request:
    method, url = _text(asked, "method"), _text(asked, "url")
    scheme, found, rest = url.partition("://")
    authority, slash, target = rest.partition("/")
    host, colon, port = authority.rpartition(":")
    if not colon or authority.endswith("]"):
        host, port = authority, {"https": "443", "http": "80"}.get(scheme, "")
    if not found or not host or not port.isdecimal():
        raise _Misplaced(f"request.url: {url!r} is no absolute URL", asked.line)
    body = asked.get("body")
    return Request(
        method,
        scheme,
        host.strip("[]"),
        int(port),
        slash + target if slash else "/",
        _headers(asked, "request"),
        b"" if body is None else _body(body, shelf, "request.body", asked.line),
    )


def _answer(said: Lined, shelf: Shelf) -> Answered:
    status = said.get("status")
    if not isinstance(status, int) or not 100 <= status <= 599:
        raise _Misplaced(f"response.status: {status!r} is no status", said.line)
    headers = _headers(said, "response")
    if "stream" in said:
        try:
            return Answered(status, headers, streams.read(said["stream"], shelf), is_stream=True)
        except (ValueError, OSError) as error:
            raise _Misplaced(f"response.stream: {_told(error)}", said.line) from None
    if said.get("body") is None:
        return Answered(status, headers, ())
    at_ms = said.get("at", 0)
    if not isinstance(at_ms, int):
        raise _Misplaced(f"response.at: {at_ms!r} is no time in milliseconds", said.line)
    data = _body(said["body"], shelf, "response.body", said.line)
    return Answered(status, headers, (Frame(at_ms, data),) if data else ())


def _body(body: Json, shelf: Shelf, where: str, line: int) -> bytes:
    if not isinstance(body, Lined):
        raise _Misplaced(f"{where}: a body has one of json, text, base64, file", line)
    try:
        return bodies.read(body, shelf)
    except (ValueError, TypeError, OSError) as error:
        raise _Misplaced(f"{where}: {_told(error)}", body.line) from None


def _part(document: Lined, name: str) -> Lined:
    part = document.get(name)
    if not isinstance(part, Lined):
        raise _Misplaced(f"{name} is missing: is the file whole?", document.line)
    return part


def _text(part: Lined, name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str) or not value:
        raise _Misplaced(f"request.{name}: {value!r} is no text", part.line)
    return value


def _told(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{Path(error.filename or '').name}: {error.strerror or error}"
    return str(error)


def _fields(headers: Headers) -> dict[str, Json]:
    """Lower case, a list where a field is repeated; obs-text survives as latin-1 does in YAML."""
    fields: dict[str, Json] = {}
    for name, _ in headers:
        values = headers.get_all(name)
        fields[name.lower()] = values[0] if len(values) == 1 else values
    return fields


def _headers(part: Lined, where: str) -> Headers:
    fields = part.get("headers") or {}
    if not isinstance(fields, dict):
        raise _Misplaced(f"{where}.headers: not names and values", part.line)
    return Headers(_lines(fields.items()))


def _lines(fields: Iterable[tuple[str, Json]]) -> Iterable[tuple[str, str]]:
    for name, value in fields:
        for one in value if isinstance(value, list) else [value]:
            yield name, str(one)
