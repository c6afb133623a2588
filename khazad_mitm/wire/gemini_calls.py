"""A function call whose arguments Vertex streams one by one, put together to the plain call.

Asked for with `streamFunctionCallArguments`. A call opens with its name and `willContinue`; its
`partialArgs` say a value and where in the arguments it stands; a text may come in fragments;
the first piece without `willContinue` is the last. Calls come one after another. Whatever else
may be meant by such pieces is not kept.

Source: Vertex AI reference, "FunctionCall", "PartialArg"; googleapis 286c66a.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire.unfit import Unfit

_STEP = re.compile(r"""\.([^.\[\]]+)|\[(\d{1,9})\]|\['([^'\\]*)'\]|\["([^"\\]*)"\]""")
_VALUES = ("stringValue", "numberValue", "boolValue", "nullValue")


def is_piece(part: dict[str, Json]) -> bool:
    """Is this a piece of a streamed call, or what is left of one?"""
    call = part.get("functionCall")
    return isinstance(call, dict) and not call.keys().isdisjoint({"partialArgs", "willContinue"})


@dataclass(slots=True)
class StreamedCall:
    """One call while its pieces come in."""

    part: dict[str, Json] = field(default_factory=dict)
    """What stands beside the call, such as its signature."""
    names: dict[str, Json] = field(default_factory=dict)
    args: dict[str, Json] = field(default_factory=dict)
    unfinished: str = ""
    """Path of a text that goes on in the next piece."""
    is_open: bool = True

    def add(self, part: dict[str, Json]) -> None:
        """Raises Unfit("unknown-event") where the part is no further piece of this call."""
        match part:
            case {"functionCall": dict(call), **others}:
                _name(self.part, others)
            case _:
                raise Unfit("unknown-event")
        _name(self.names, {key: call[key] for key in ("name", "id") if key in call})
        match call:
            case {"partialArgs": list(pieces)}:
                for piece in pieces:
                    self._add_argument(piece)
            case {"partialArgs": _}:
                raise Unfit("unknown-event")
        if call.keys() - {"name", "id", "partialArgs", "willContinue"}:
            raise Unfit("unknown-event")
        self.is_open = bool(call.get("willContinue"))

    def result(self) -> dict[str, Json]:
        """The part as a plain answer has it. Raises Unfit where the call has not ended."""
        if self.is_open or self.unfinished:
            raise Unfit("cut")
        return {"functionCall": {**self.names, "args": self.args}, **self.part}

    def _add_argument(self, piece: Json) -> None:
        match piece:
            case {"jsonPath": str(path)} if path.startswith("$"):
                said = [name for name in _VALUES if name in piece]
            case _:
                raise Unfit("unknown-event")
        if len(said) > 1 or piece.keys() - {"jsonPath", "willContinue", *_VALUES}:
            raise Unfit("unknown-event")
        # A piece without a value opens or closes a text.
        value = piece[said[0]] if said else ""
        _put(self.args, path, None if said == ["nullValue"] else value, self.unfinished == path)
        self.unfinished = path if piece.get("willContinue") else ""


def _name(known: dict[str, Json], said: dict[str, Json]) -> None:
    """What was said before may be said again, but not otherwise: that is another call."""
    for key, value in said.items():
        if known.setdefault(key, value) != value:
            raise Unfit("unknown-event")


def _put(args: dict[str, Json], path: str, value: Json, goes_on: bool) -> None:
    """Set the value at a JSON path (RFC 9535, names and indices only), or append a text to it."""
    *way, last = _steps(path)
    where: Json = args
    for step, following in zip(way, [*way, last][1:], strict=True):
        if not _has(where, step):
            _set(where, step, [] if isinstance(following, int) else {})
        where = where[step]
    if not _has(where, last):
        _set(where, last, value)
    elif goes_on and isinstance(where[last], str) and isinstance(value, str):
        where[last] += value
    else:
        raise Unfit("unknown-event")


def _has(where: Json, step: str | int) -> bool:
    """Raises Unfit where there can be no such step: lists grow at their end only."""
    match where, step:
        case dict(), str(name):
            return name in where
        case list(), int(index) if index <= len(where):
            return index < len(where)
        case _:
            raise Unfit("unknown-event")


def _set(where: Json, step: str | int, value: Json) -> None:
    if isinstance(where, list):
        where.append(value)
    else:
        where[step] = value


def _steps(path: str) -> list[str | int]:
    steps: list[str | int] = []
    end = 1
    while step := _STEP.match(path, end):
        index = step[2]
        steps.append(int(index) if index else step[1] or step[3] or step[4] or "")
        end = step.end()
    if end < len(path) or not steps:
        raise Unfit("unknown-event")
    return steps
