"""Bodies as they stand in a file: JSON as values, text as text, and what is neither beside it.

Whatever is chosen gives the same bytes back. A body has one of these keys:

    json      the values, with `spelling`, `before` and `after` where they are not the usual
    text      what is no JSON, or JSON that would not come back byte for byte
    base64    a few bytes that are no text
    file      the name of a file beside, which holds the body as it is

A long text within JSON (an image, a PDF) lies beside as well, as `!beside {base64: NAME}` for what
is coded so, else `!beside {text: NAME}`; `before` is what precedes it (`data:image/png;base64,`).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import PurePath

from khazad_mitm.exchange import Json
from khazad_mitm.record.spelling import COMPACT, Spelling, Spelt, spelt

# What is longer makes a file unreadable, and slow to load: a page of a review has some 4 kB.
MAX_TEXT_CHARS = 8 * 1024
MAX_BODY_BYTES = 64 * 1024
MAX_BASE64_BYTES = 1024

_DATA_URL = re.compile(r"data:[\w.+/;=-]*base64,")
_KINDS = (
    (b"\x89PNG", "png"),
    (b"\xff\xd8\xff", "jpg"),
    (b"GIF8", "gif"),
    (b"%PDF", "pdf"),
    (b"ID3", "mp3"),
    (b"OggS", "ogg"),
)


@dataclass(frozen=True, slots=True)
class Beside:
    """A long text of a JSON body that lies in a file of its own."""

    name: str
    is_base64: bool
    before: str = ""


@dataclass(slots=True)
class Shelf:
    """The files beside a recording: gathered while it is written, read while it is loaded."""

    stem: str
    """Their names begin so."""
    read: Callable[[str], bytes] | None = None
    """Raises OSError."""
    files: dict[str, bytes] = field(default_factory=dict)

    def put(self, data: bytes, what: str, kind: str) -> str:
        name = f"{self.stem}.{what}.{kind}"
        for number in range(2, len(self.files) + 3):
            if self.files.get(name, data) == data:
                break
            name = f"{self.stem}.{what}-{number}.{kind}"
        self.files[name] = data
        return name

    def get(self, name: Json) -> bytes:
        if not isinstance(name, str) or not name or PurePath(name).name != name:
            raise ValueError(f"{name!r} is not the name of a file beside")
        if self.read is None:
            return self.files[name]
        return self.read(name)


def write(data: bytes, what: str, shelf: Shelf, *, plain: bool = False) -> dict[str, Json]:
    """A body for a file. `what`: `request` or `response`; `plain`: nothing taken apart."""
    if not data:
        return {"text": ""}
    try:
        text = data.decode()
    except UnicodeDecodeError:
        if len(data) > MAX_BASE64_BYTES:
            return {"file": shelf.put(data, what, _kind(data))}
        return {"base64": base64.b64encode(data).decode()}
    if plain:
        return {"base64": base64.b64encode(data).decode()}
    taken = spelt(text)
    if taken is not None:
        value, moved = _lightened(taken.value, what, shelf)
        if len(data) - moved <= MAX_BODY_BYTES:
            return _json(taken, value)
    if len(data) > MAX_BODY_BYTES:
        return {"file": shelf.put(data, what, "txt" if taken is None else "json")}
    return {"text": text}


def read(document: dict[str, Json], shelf: Shelf) -> bytes:
    """The body. Raises ValueError where it is none, OSError where a file beside is missing."""
    match document:
        case {"json": value}:
            spelling = Spelling.named(str(document.get("spelling", COMPACT)))
            before, after = (str(document.get(name, "")) for name in ("before", "after"))
            taken = Spelt(value, spelling, before, after)
            return taken.text(partial(_restored, shelf)).encode()
        case {"text": str(text)}:
            return text.encode()
        case {"base64": str(coded)}:
            return base64.b64decode(coded, validate=True)
        case {"file": name}:
            return shelf.get(name)
    raise ValueError("a body has one of json, text, base64, file")


def _json(taken: Spelt, value: Json) -> dict[str, Json]:
    document: dict[str, Json] = {}
    if taken.spelling != COMPACT:
        document["spelling"] = str(taken.spelling)
    for name, white in (("before", taken.before), ("after", taken.after)):
        if white:
            document[name] = white
    document["json"] = value
    return document


def _lightened(value: Json, what: str, shelf: Shelf) -> tuple[Json, int]:
    """The value with its long texts beside, and how many characters that moved."""
    match value:
        case str() if len(value) > MAX_TEXT_CHARS:
            return _put_beside(value, what, shelf), len(value)
        case dict():
            pairs = {name: _lightened(item, what, shelf) for name, item in value.items()}
            light = {name: item for name, (item, _) in pairs.items()}
            return light, sum(moved for _, moved in pairs.values())
        case list():
            items = [_lightened(item, what, shelf) for item in value]
            return [item for item, _ in items], sum(moved for _, moved in items)
    return value, 0


def _put_beside(text: str, what: str, shelf: Shelf) -> Beside:
    url = _DATA_URL.match(text)
    before = url.group() if url else ""
    coded = text[len(before) :]
    try:
        raw = base64.b64decode(coded, validate=True)
        if base64.b64encode(raw).decode() == coded:
            return Beside(shelf.put(raw, what, _kind(raw)), True, before)
    except (binascii.Error, ValueError):
        pass
    return Beside(shelf.put(text.encode(), what, "txt"), False)


def _restored(shelf: Shelf, value: Json) -> Json:
    """What stands for a value that is none of JSON's."""
    if not isinstance(value, Beside):
        raise ValueError(f"{value!r} is no JSON")
    raw = shelf.get(value.name)
    return value.before + (base64.b64encode(raw) if value.is_base64 else raw).decode()


def _kind(data: bytes) -> str:
    if data[:4] == b"RIFF":
        return "webp" if data[8:12] == b"WEBP" else "wav"
    return next((kind for magic, kind in _KINDS if data.startswith(magic)), "bin")


def names_beside(document: Json) -> Iterator[str]:
    """The files that a body, or a stream, names."""
    match document:
        case {"file": str(name)}:
            yield name
        case {"json": value}:
            yield from _beside_in(value)


def _beside_in(value: Json) -> Iterator[str]:
    match value:
        case Beside(name=name):
            yield name
        case dict():
            for item in value.values():
                yield from _beside_in(item)
        case list():
            for item in value:
                yield from _beside_in(item)
