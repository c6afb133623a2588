"""What holds for the key of every format: what is shared between framings, and nothing else."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.fingerprint import IGNORED, Chain
from khazad_mitm.cache.prompt import question_text
from khazad_mitm.exchange import ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import PROVIDERS, recognise
from tests import wires
from tests.wires import Wire
from tests.wires.flip import flipped

WIRES = [wire for provider in PROVIDERS for wire in wires.of(provider.name)]


def every(some: list[Wire]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("wire", some, ids=lambda wire: wire.name)


def parse(request: Request) -> ParsedRequest:
    parsed = recognise(request)
    assert parsed is not None
    return parsed


def fingerprint(parsed: ParsedRequest) -> str:
    return Chain.of(parsed, "t", b"s" * 32).digests().fingerprint


def scope(parsed: ParsedRequest) -> str:
    return Chain.of(parsed, "t", b"s" * 32).scope(parsed, "e")


def leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    if isinstance(value, dict | list) and value:
        for step, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(inner, (*path, step))
    else:
        yield path


def altered(body: Any, path: tuple[str | int, ...]) -> Any:
    body = copy.deepcopy(body)
    place = body
    for step in path[:-1]:
        place = place[step]
    match place[path[-1]]:
        case bool(value):
            place[path[-1]] = not value
        case str(value):
            place[path[-1]] = value + "x"
        case int(value) | float(value):
            place[path[-1]] = value + 1
        case _:
            place[path[-1]] = "x"
    return body


def alterations(parsed: ParsedRequest) -> Iterator[tuple[tuple[str | int, ...], ParsedRequest]]:
    """The request with one value changed, wherever it is still a request of somebody."""
    for path in leaves(parsed.body):
        body = json.dumps(altered(parsed.body, path)).encode()
        other = recognise(replace(parsed.request, body=body))
        if other is not None and path[0] not in IGNORED | parsed.ignored:
            yield path, other


@every(WIRES)
def test_every_value_of_a_request_counts(wire: Wire) -> None:
    parsed = parse(wire.request)

    shared = [
        path for path, other in alterations(parsed) if fingerprint(other) == fingerprint(parsed)
    ]

    assert [] == shared


@every(WIRES)
def test_an_unknown_field_counts(wire: Wire) -> None:
    parsed = parse(wire.request)
    body = json.dumps({**parsed.body, "a_field_of_tomorrow": None}).encode()

    assert fingerprint(parsed) != fingerprint(parse(replace(wire.request, body=body)))


@every([wire for wire in WIRES if parse(wire.request).question is not None])
def test_only_the_question_may_differ_within_a_scope(wire: Wire) -> None:
    parsed = parse(wire.request)
    assert question_text(parsed)

    shared = [
        path
        for path, other in alterations(parsed)
        if other.question is not None and scope(other) == scope(parsed)
    ]

    assert [parsed.question] == shared


@every([wire for wire in WIRES if flipped(wire) is not None])
def test_a_question_has_one_key_in_every_framing(wire: Wire) -> None:
    request = flipped(wire)
    assert request is not None
    one, other = parse(wire.request), parse(request)

    assert one.framing.is_stream != other.framing.is_stream
    assert fingerprint(one) == fingerprint(other)
    assert (one.question, one.exact_only) == (other.question, other.exact_only)


@every(WIRES)
def test_the_credential_of_a_query_is_no_part_of_what_is_asked(wire: Wire) -> None:
    joint = "&" if wire.request.query else "?"
    keyed = replace(wire.request, target=f"{wire.request.target}{joint}key=secret")

    assert fingerprint(parse(wire.request)) == fingerprint(parse(keyed))
