"""Why no recording answers: the nearest one, and what it differs in, field by field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from khazad_mitm.exchange import Json
from khazad_mitm.record.cassette import Recording
from khazad_mitm.record.matching import Essence

MAX_SHOWN = 8
AROUND = 12
MAX_VALUE_CHARS = 60

ABSENT = object()


@dataclass(frozen=True, slots=True)
class Difference:
    """A field, as recorded and as asked."""

    field: str
    recorded: str
    asked: str

    def __str__(self) -> str:
        return f"{self.field}   {self.recorded} → {self.asked}"


def nearest(asked: Essence, recordings: Iterable[Recording]) -> Recording | None:
    """The recording that has most in common with a request; None where there is none at all."""
    wanted = dict(_leaves(asked))
    best: Recording | None = None
    best_score = (-1, 0.0)
    for recording in recordings:
        is_same_place = (recording.essence.authority, recording.essence.resource) == (
            asked.authority,
            asked.resource,
        )
        score = (int(is_same_place), _alike(wanted, dict(_leaves(recording.essence))))
        if score > best_score:
            best, best_score = recording, score
    return best


def _alike(one: dict[str, str], other: dict[str, str]) -> float:
    """0 to 1: the share of fields that are equal; texts count by how much they begin and end
    alike."""
    together = one.keys() | other.keys()
    score = 0.0
    for name in one.keys() & other.keys():
        mine, theirs = one[name], other[name]
        if mine == theirs:
            score += 1.0
        else:
            ends = _in_common(mine, theirs) + _in_common(mine[::-1], theirs[::-1])
            score += min(0.9, 0.1 + ends / max(len(mine), len(theirs), 1))
    return score / max(1, len(together))


def differences(recorded: Essence, asked: Essence) -> list[Difference]:
    """In the order of the fields; () only where the digests are equal."""
    pairs = [
        ("method", recorded.method, asked.method),
        ("host", recorded.authority, asked.authority),
        ("path", recorded.resource, asked.resource),
        ("headers", dict(recorded.headers), dict(asked.headers)),
        ("", recorded.body, asked.body),
    ]
    found = [change for name, old, new in pairs for change in _between(name, old, new)]
    if not found and recorded.spellings != asked.spellings:
        old, new = (" ".join(one.spellings) for one in (recorded, asked))
        found.append(Difference("spelling of numbers", old or "usual", new or "usual"))
    return found


def table(changes: Sequence[Difference]) -> str:
    """One line each, fields aligned, two spaces in."""
    shown = changes[:MAX_SHOWN]
    width = max((len(change.field) for change in shown), default=0)
    lines = [f"  {c.field:<{width}}   {c.recorded} → {c.asked}" for c in shown]
    if len(changes) > MAX_SHOWN:
        lines.append(f"  and {len(changes) - MAX_SHOWN} more")
    return "\n".join(lines)


def _leaves(essence: Essence) -> Iterator[tuple[str, str]]:
    yield from essence.headers
    yield from _flat("", essence.body)


def _flat(name: str, value: Json) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, item in value.items():
                yield from _flat(f"{name}.{key}", item)
        case list():
            for number, item in enumerate(value):
                yield from _flat(f"{name}[{number}]", item)
        case _:
            yield name, str(value)


def _between(name: str, old: Json, new: Json) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in [*old, *(key for key in new if key not in old)]:
            inner = f"{name}.{key}" if name else key
            yield from _between(inner, old.get(key, ABSENT), new.get(key, ABSENT))
    elif isinstance(old, list) and isinstance(new, list):
        for number in range(max(len(old), len(new))):
            yield from _between(
                f"{name}[{number}]",
                old[number] if number < len(old) else ABSENT,
                new[number] if number < len(new) else ABSENT,
            )
    elif type(old) is type(new) and old == new:  # 1 is neither 1.0 nor true
        return
    elif isinstance(old, str) and isinstance(new, str):
        yield Difference(name or "body", *_excerpts(old, new))
    else:
        yield Difference(name or "body", _shown(old), _shown(new))


def _in_common(one: str, other: str) -> int:
    """How many characters they begin with alike."""
    return next(
        (at for at, (a, b) in enumerate(zip(one, other, strict=False)) if a != b),
        min(len(one), len(other)),
    )


def _excerpts(old: str, new: str) -> tuple[str, str]:
    """Both texts around where they part, each quoted."""
    start = max(0, _in_common(old, new) - AROUND)
    if start:
        # From the next word on, where one begins in what both have.
        word = old.find(" ", start, start + AROUND)
        start = word + 1 if word >= 0 else start
    return _cut(old, start), _cut(new, start)


def _cut(text: str, start: int) -> str:
    end = start + MAX_VALUE_CHARS
    piece = ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")
    return json.dumps(piece, ensure_ascii=False)


def _shown(value: Json) -> str:
    if value is ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE_CHARS else f"{text[:MAX_VALUE_CHARS]}…"
