"""JSON bodies: a request read strictly, an answer read and written one way.

Strict, because two programs must never read two different things from one body: what is
ambiguous in JSON (a key twice, NaN, half a surrogate pair) is refused, and the request goes by
uncached. Knows nothing of providers.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import NoReturn

from khazad_mitm.exchange import Json
from khazad_mitm.messages import Request
from khazad_mitm.wire import coding

# Above this a decoded request is not ours: the providers' own limits are 20 to 50 MB.
MAX_REQUEST_BYTES = 64 * 1024 * 1024

# Deeper than any schema in use, and far from every parser's recursion limit.
MAX_DEPTH = 100

# A double has 17 digits; Python itself stops at 4,300, where the cost is already quadratic.
MAX_NUMBER_CHARS = 400


@dataclass(frozen=True, slots=True)
class JsonBody:
    """A request body that means one thing."""

    value: dict[str, Json]
    spellings: tuple[str, ...] = ()
    """As `ParsedRequest.spellings`: numbers whose text is not what JSON would write, sorted."""


@dataclass(frozen=True, slots=True)
class NotJson:
    """A request body that is refused, and why, in a word or two."""

    reason: str


class _Refused(ValueError):
    pass


def read(request: Request) -> JsonBody | NotJson:
    """The JSON object a request carries. Never raises."""
    encoding = request.headers.joined("content-encoding")
    data = coding.decode(request.body, encoding, MAX_REQUEST_BYTES)
    if data is None:
        return NotJson("content-encoding")
    reader = _Reader()
    try:
        text = data.decode()
        value = reader.read(text)
        if "\\ud" in text or "\\uD" in text:
            write(value)  # raises where a surrogate has no partner
    except _Refused as refused:
        return NotJson(str(refused))
    except UnicodeError:
        return NotJson("not utf-8")
    except ValueError:
        return NotJson("not json")
    except RecursionError:
        return NotJson("too deep")
    if not isinstance(value, dict):
        return NotJson("not an object")
    if _is_too_deep(value, text):
        return NotJson("too deep")
    return JsonBody(value, tuple(sorted(reader.spellings)))


def parse(text: str) -> Json:
    """JSON of an answer. Raises ValueError or RecursionError."""
    return json.loads(text, parse_constant=_no_constant)


def write(value: Json) -> bytes:
    """JSON without insignificant whitespace, in UTF-8, keys in their order.

    Joins surrogate pairs that a server split between two fragments. Raises ValueError for a
    lone surrogate or a number that JSON cannot say, RecursionError where too deep.
    """
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le").encode()


@dataclass(slots=True)
class _Reader:
    """One reading of one body; the hooks run in the C scanner, per object and per number."""

    spellings: list[str] = field(default_factory=list)

    def read(self, text: str) -> Json:
        return json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=self._float,
            parse_int=self._int,
            parse_constant=_no_constant,
        )

    def _float(self, raw: str) -> float:
        value = float(raw)
        if math.isinf(value) or len(raw) > MAX_NUMBER_CHARS:
            raise _Refused("number")
        if repr(value) != raw:
            self.spellings.append(raw)
        return value

    def _int(self, raw: str) -> int:
        if len(raw) > MAX_NUMBER_CHARS:
            raise _Refused("number")
        if raw == "-0":  # the only integer with two spellings
            self.spellings.append(raw)
        return int(raw)


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _Refused("duplicate key")
    return value


def _no_constant(name: str) -> NoReturn:
    raise _Refused(name)


def _is_too_deep(value: Json, text: str) -> bool:
    if text.count("{") + text.count("[") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        level = [
            item
            for container in level
            for item in (container.values() if isinstance(container, dict) else container)
            if isinstance(item, dict | list)
        ]
        if not level:
            return False
    return True
