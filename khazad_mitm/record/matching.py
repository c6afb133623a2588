"""When a recording answers a request: the one predicate, at record time and at replay time.

Two requests match where their digests are equal. The digest is unkeyed and knows no tenant, so a
cassette works on every machine and with any key. It covers method, scheme, authority, path and
query, the headers that count (`cache.fingerprint.COUNTED_HEADERS`) and the whole body but labels
(`user`, `metadata` ...). Other than in the cache, the framing counts: `stream` is a field as any
other, for a fixture is what came over the wire. Key order and white space of JSON do not count, the
spelling of numbers does.

A cassette may declare what else does not count, in `cassette.yaml`: fields (`messages[*].id`),
named tolerances (`date_in_system_prompt`) and expressions that are replaced in every text.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from khazad_mitm import wire
from khazad_mitm.cache.fingerprint import COUNTED_HEADERS, IGNORED, canonical
from khazad_mitm.exchange import Json, ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import target

LABELS = IGNORED - {"stream", "stream_options"}

_BOUNDARY = re.compile(r'boundary="?([^";,]+)')

_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sep(?:t(?:ember)?)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_DATES = re.compile(
    r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?)?"
    r"|\b\d{1,2}[./]\d{1,2}[./](?:\d{4}|\d\d)\b"
    rf"|\b(?:(?:mon|tues?|wednes|thurs?|fri|satur|sun)(?:day)?,? )?{_MONTH}\.? \d{{1,2}}"
    r"(?:st|nd|rd|th)?(?:,? \d{4})?\b"
    rf"|\b\d{{1,2}}\.? {_MONTH}\.?(?: \d{{4}})?\b|\b\d\d:\d\d(?::\d\d)?\b",
    re.IGNORECASE,
)
_UUIDS = re.compile(r"\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b", re.IGNORECASE)

# Where the formats we know keep what the application says of itself.
_SYSTEM_FIELDS = ("system", "instructions", "systemInstruction", "system_instruction", "preamble")
_TURN_FIELDS = ("messages", "input")
_TOOL_FIELDS = ("tools", "functions", "tool_choice", "function_call", "toolConfig", "tool_config")
_SYSTEM_ROLES = ("system", "developer")


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What a cassette declares not to count."""

    fields: tuple[tuple[str, ...], ...] = ()
    """Each a way through the body: ("messages", "*", "id")."""
    named: frozenset[str] = frozenset()
    replaced: tuple[tuple[re.Pattern[str], str], ...] = ()


NAMED = {
    "date_in_system_prompt": "dates and times of day in system prompts",
    "dates": "dates and times of day anywhere",
    "uuids": "UUIDs anywhere",
}
NO_TOLERANCES = Tolerances()


@dataclass(frozen=True, slots=True)
class Essence:
    """What counts of a request, in a form in which two can be compared field by field."""

    method: str
    authority: str
    resource: str
    headers: tuple[tuple[str, str], ...]
    body: Json
    """The values of JSON; a text or, of what is none, a digest otherwise."""
    spellings: tuple[str, ...]

    @property
    def digest(self) -> str:
        """32 hex digits."""
        whole = canonical(
            [self.method, self.authority, self.resource, self.headers, self.body, self.spellings]
        )
        return hashlib.blake2b(whole, digest_size=16).hexdigest()


def essence(
    request: Request, tolerances: Tolerances = NO_TOLERANCES, parsed: ParsedRequest | None = None
) -> Essence:
    """`request` is scrubbed. `parsed`: where it has been recognised already."""
    parsed = parsed or wire.recognise(request)
    labels = LABELS if parsed is None else LABELS | (parsed.ignored - IGNORED)
    body, spellings = _body(request, labels)
    for way in tolerances.fields:
        body = _without(body, way)
    replacing = list(tolerances.replaced)
    if "uuids" in tolerances.named:
        replacing.append((_UUIDS, "UUID"))
    if "dates" in tolerances.named:
        replacing.append((_DATES, "DATE"))
    elif "date_in_system_prompt" in tolerances.named:
        body = _system_changed(body, lambda text: _DATES.sub("DATE", text))

    def replaced(text: str) -> str:
        for pattern, put in replacing:
            text = pattern.sub(put, text)
        return text

    counted = (
        (name, replaced(value))
        for name in COUNTED_HEADERS
        if (value := request.headers.joined(name))
    )
    return Essence(
        request.method,
        f"{request.scheme}://{request.host}:{request.port}",
        replaced(target.resource(request.path, request.query)),
        tuple(counted),
        each_text(body, replaced) if replacing else body,
        spellings,
    )


def without_setting(essence: Essence) -> Essence:
    """The same without system prompt and tools: what a program's prompts are, not what it asks."""
    body = essence.body
    if not isinstance(body, dict):
        return essence
    kept = {
        name: [turn for turn in item if not _is_system(turn)]
        if name in _TURN_FIELDS and isinstance(item, list)
        else item
        for name, item in body.items()
        if name not in _SYSTEM_FIELDS and name not in _TOOL_FIELDS
    }
    return replace(essence, body=kept)


def each_text(value: Json, change: Callable[[str], str]) -> Json:
    match value:
        case str():
            return change(value)
        case dict():
            return {name: each_text(item, change) for name, item in value.items()}
        case list():
            return [each_text(item, change) for item in value]
    return value


def _body(request: Request, labels: frozenset[str]) -> tuple[Json, tuple[str, ...]]:
    if not request.body:
        return "", ()
    found = bodies.read(request)
    if isinstance(found, bodies.JsonBody):
        counted = {name: item for name, item in found.value.items() if name not in labels}
        return counted, found.spellings
    data = request.body
    boundary = _BOUNDARY.search(request.headers.get("content-type") or "")
    if boundary is not None:
        # Drawn anew for each call.
        data = data.replace(boundary.group(1).encode("latin-1"), b"boundary")
    try:
        return data.decode(), ()
    except UnicodeDecodeError:
        return f"{len(data)} bytes, {hashlib.blake2b(data, digest_size=16).hexdigest()}", ()


def _without(value: Json, way: tuple[str, ...]) -> Json:
    first, rest = way[0], way[1:]
    if first == "*" and isinstance(value, list):
        return [_without(item, rest) if rest else "" for item in value]
    if isinstance(value, dict) and first in value:
        if not rest:
            return {name: item for name, item in value.items() if name != first}
        return {**value, first: _without(value[first], rest)}
    if isinstance(value, list) and first.isdecimal() and int(first) < len(value):
        at = int(first)
        return [*value[:at], _without(value[at], rest) if rest else "", *value[at + 1 :]]
    return value


def _is_system(turn: Json) -> bool:
    return isinstance(turn, dict) and turn.get("role") in _SYSTEM_ROLES


def _system_changed(body: Json, change: Callable[[str], str]) -> Json:
    if not isinstance(body, dict):
        return body
    changed = dict(body)
    for name in _SYSTEM_FIELDS:
        if name in changed:
            changed[name] = each_text(changed[name], change)
    for name in _TURN_FIELDS:
        turns = changed.get(name)
        if isinstance(turns, list):
            changed[name] = [
                each_text(turn, change) if _is_system(turn) else turn for turn in turns
            ]
    return changed
