"""YAML as cassettes use it: JSON's values, in block style, deterministic; errors with their line.

Read by the rules of YAML 1.2's core schema, in which `no` and `2024-01-31` are texts: people edit
these files by hand. Keys twice and unknown tags are errors. PyYAML is loaded when the first file is
read or written; its C parser (libyaml) is used where it is there, which is in every wheel: it is
some fifty times as fast.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from khazad_mitm.exchange import Json
from khazad_mitm.record.bodies import Beside

# Where Python itself stops: the cost grows with the square.
MOST_DIGITS = 4_300

_TAG = "tag:yaml.org,2002:"
_BESIDE = "!beside"
# Texts that YAML would take for something else are quoted, and plain words are read, by these.
_RESOLVED = tuple(
    (name, re.compile(pattern), frozenset(first))
    for name, pattern, first in (
        ("bool", r"true|false", "tf"),
        ("int", r"-?(?:0|[1-9][0-9]*)", "-0123456789"),
        ("float", r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?", "-0123456789"),
        ("null", r"null|~|", ["n", "~", ""]),
        # Read as texts, but other readers would not: quoted when written.
        ("merge", r"<<", "<"),
        ("value", r"=", "="),
    )
)
_FIRST = frozenset().union(*(first for _, _, first in _RESOLVED))
_ODD = re.compile(r"(?i)(y|n|yes|no|on|off|true|false|null|0[ox][0-9a-f_]+|[-+]?[0-9.][0-9_:.eE+-]*"
                  r"|\d{4}-\d\d?-\d\d?.*|[-+]?\.(inf|nan))")  # fmt: skip


_OTHER_BREAKS = re.compile("[\r\x85\u2028\u2029]")


class NotYaml(ValueError):
    """A document that cannot be read; `line` counts from 1."""

    def __init__(self, message: str, line: int) -> None:
        super().__init__(message)
        self.line = line


class Flow(dict[str, Any]):
    """A mapping that is written on one line."""


class Lined(dict[str, Any]):
    """A mapping that was read, and the line it began at."""

    __slots__ = ("line",)
    line: int


def dump(document: Json) -> str:
    """One document. Raises ValueError for a text that YAML cannot carry (half a surrogate pair)."""
    import yaml

    try:
        text = _dumped(document, getattr(yaml, "CSafeDumper", yaml.SafeDumper))
        # libyaml writes emoji as escapes, and then whole paragraphs on one line (0.2.5).
        return _dumped(document, yaml.SafeDumper) if "\\U000" in text else text
    except (yaml.YAMLError, UnicodeError) as error:
        raise ValueError(f"no YAML can be made of it: {error}") from error


def _dumped(document: Json, base: Any) -> str:
    import yaml

    return str(
        yaml.dump(
            document,
            Dumper=_dumper(base),
            allow_unicode=True,
            sort_keys=False,
            default_flow_style=False,
            # A line that is broken anew whenever a word is added cannot be reviewed.
            width=1_000_000,
        )
    )


def load(text: str) -> Json:
    """The one document of a text; mappings are `Lined`. Raises NotYaml."""
    import yaml

    try:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        try:
            return _Reader(loader.get_event, yaml).document()
        finally:
            loader.dispose()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise NotYaml(error.problem or error.context or "not YAML", line) from None
    except yaml.YAMLError as error:
        raise NotYaml(" ".join(str(error).split()), 1) from None
    except RecursionError:
        raise NotYaml("too deep", 1) from None


class _Reader:
    """Values from the parser's events: PyYAML's own way over nodes takes twice as long."""

    def __init__(self, get_event: Callable[[], Any], yaml: Any) -> None:
        self._next = get_event
        self._scalar = yaml.ScalarEvent
        self._sequence = yaml.SequenceStartEvent
        self._sequence_end = yaml.SequenceEndEvent
        self._mapping = yaml.MappingStartEvent
        self._mapping_end = yaml.MappingEndEvent
        self._document = yaml.DocumentStartEvent

    def document(self) -> Json:
        self._next()  # the stream begins
        event = self._next()
        if type(event) is not self._document:
            return None
        value = self._value(self._next())
        self._next()  # the document ends
        event = self._next()
        if type(event) is self._document:
            raise NotYaml("a second document", event.start_mark.line + 1)
        return value

    def _value(self, event: Any) -> Json:
        kind = type(event)
        if kind is self._scalar:
            return _scalar(event)
        if kind is self._sequence:
            return self._items(event)
        if kind is self._mapping:
            return self._pairs(event)
        raise NotYaml("no aliases here", event.start_mark.line + 1)

    def _items(self, event: Any) -> list[Json]:
        _untagged(event)
        items = []
        following, scalar, end = self._next, self._scalar, self._sequence_end
        while type(event := following()) is not end:
            items.append(_scalar(event) if type(event) is scalar else self._value(event))
        return items

    def _pairs(self, start: Any) -> Json:
        made = Lined()
        made.line = start.start_mark.line + 1
        following, scalar, end = self._next, self._scalar, self._mapping_end
        while type(key := following()) is not end:
            if type(key) is not scalar:
                raise NotYaml("a key is a text", key.start_mark.line + 1)
            name = key.value
            if name in made:
                raise NotYaml(f"{name!r} stands here twice", key.start_mark.line + 1)
            event = following()
            made[name] = _scalar(event) if type(event) is scalar else self._value(event)
        if start.tag == _BESIDE:
            return _beside(made)
        _untagged(start)
        return made


def _scalar(event: Any) -> Json:
    if event.tag is not None:
        _untagged(event)
    text: str = event.value
    if not event.implicit[0] or text[:1] not in _FIRST:  # quoted, or nothing but a text
        return text
    match _kind(text):
        case "int" if len(text) <= MOST_DIGITS:
            return int(text)
        case "int":
            raise NotYaml("a number too long to be read", event.start_mark.line + 1)
        case "float":
            number = float(text)
            if math.isfinite(number):
                return number
            raise NotYaml(f"{text} is too large", event.start_mark.line + 1)
        case "bool":
            return text == "true"
        case "null":
            return None
    return text


def _kind(text: str) -> str:
    first = text[:1]
    for name, pattern, begins in _RESOLVED:
        if first in begins and pattern.fullmatch(text):
            return name
    return "str"


def _untagged(event: Any) -> None:
    # "!" alone says of a scalar that it is a text.
    if event.tag not in (None, "!"):
        raise NotYaml(f"{event.tag} is no tag of ours", event.start_mark.line + 1)


def _beside(mapping: Lined) -> Beside:
    before = mapping.pop("before", "")
    match mapping:
        case {"base64": str(name)} if len(mapping) == 1:
            return Beside(name, True, str(before))
        case {"text": str(name)} if len(mapping) == 1:
            return Beside(name, False, str(before))
    raise NotYaml("!beside wants base64 or text with the name of a file", mapping.line)


@lru_cache(maxsize=2)
def _dumper(base: Any) -> Any:
    class Dumper(base):  # type: ignore[misc]
        def ignore_aliases(self, _data: Any) -> bool:
            return True

    Dumper.yaml_implicit_resolvers = {}
    for name, pattern, first in _RESOLVED:
        whole = re.compile(f"^(?:{pattern.pattern})$")
        Dumper.add_implicit_resolver(_TAG + name, whole, sorted(first))
    Dumper.add_representer(str, _of_text)
    Dumper.add_representer(list, _of_list)
    Dumper.add_representer(Lined, lambda dumper, value: dumper.represent_dict(value.items()))
    Dumper.add_representer(
        Flow, lambda dumper, value: dumper.represent_mapping(f"{_TAG}map", value, flow_style=True)
    )
    Dumper.add_representer(Beside, _of_beside)
    return Dumper


def _of_text(dumper: Any, text: str) -> Any:
    if _OTHER_BREAKS.search(text) or text.isspace():
        # YAML takes these breaks for line ends, and would read them as LF.
        return dumper.represent_scalar(f"{_TAG}str", text, style='"')
    if "\n" in text:
        return dumper.represent_scalar(f"{_TAG}str", text, style="|")
    style = "'" if _ODD.fullmatch(text) else None
    return dumper.represent_scalar(f"{_TAG}str", text, style=style)


def _of_list(dumper: Any, items: list[Json]) -> Any:
    # A vector on a line, not on a thousand.
    is_numbers = bool(items) and all(type(item) in (int, float) for item in items)
    return dumper.represent_sequence(f"{_TAG}seq", items, flow_style=is_numbers or None)


def _of_beside(dumper: Any, beside: Beside) -> Any:
    mapping = {"base64" if beside.is_base64 else "text": beside.name}
    if beside.before:
        mapping = {"before": beside.before} | mapping
    return dumper.represent_mapping(_BESIDE, mapping, flow_style=True)
