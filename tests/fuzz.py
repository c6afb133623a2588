"""Broken answers for every format, made from our wires, and all the rest of `make fuzz`.

What must hold whatever comes in: nothing raises; what is kept can be replayed, in either framing,
and reads as itself; a stream whose last event is missing is not kept. What must hold for hostile
requests, the replies of a store and cassettes is told in `fuzz_requests`, `fuzz_replies` and
`fuzz_cassettes`.

python -m tests.fuzz [--of KIND,...] [--seconds N | --cases N] [--seed S] [PROVIDER ...]
"""

from __future__ import annotations

import argparse
import base64
import copy
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from khazad_mitm.exchange import Answer, ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import PROVIDERS, eventstream, frames, recognise
from tests import fuzz_cassettes, fuzz_replies, fuzz_requests, wires
from tests.wires import Wire
from tests.wires.flip import flipped

WRONG: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 7, 1.5, 1e308, 2**70, "", " ", "stop", "[DONE]", "\u2028\r\n"),
    *("\ud83e", [], {}, [None], [[]], [{}], {"": None}, {"type": "text", "text": "x"}, ["a"], "🦊"),
)
NOISE = (b"\x00", b"\xff", b"\r", b"\n", b"\n\n", b"\r\n", b":", b"data:", b"{", b"}", b'"', b"\\")
# What the last event of a stream has in it. Bedrock's own models end in ways of their own.
ENDS = {
    "openai-chat": (b"[DONE]",),
    "openai-completions": (b"[DONE]",),
    "openai-responses": (b"response.completed", b"response.incomplete"),
    "anthropic-messages": (b"message_stop",),
    "gemini": (b"]",),
    "bedrock-converse": (b"metadata",),
    "cohere-chat": (b"message-end", b"stream-end"),
    "ollama": (b'"done":true',),
}
_ALL_ENDS = tuple(end for ends in ENDS.values() for end in ends if len(end) > 1)


LABELS = ("metadata", "user", "prompt_cache_key", "prompt_cache_retention", "safety_identifier")


@dataclass(slots=True)
class Told:
    """How many exchanges of each provider were broken, and how many could be kept all the same."""

    cases: Counter[str] = field(default_factory=Counter)
    kept: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Broken:
    """A body that no provider sends, and the request it is said to answer."""

    wire: str
    request: Request
    body: bytes


def broken(wire: Wire, others: list[Wire], rng: random.Random) -> Broken:
    """The exchange of a wire with one to three things wrong."""
    parsed = recognise(wire.request)
    assert parsed is not None
    request, body = wire.request, wire.body
    for _ in range(rng.randint(1, 3)):
        match rng.randrange(8):
            case 0:
                request = replace(request, body=_in_json(request.body, rng))
            case 1:
                body = _in_bytes(body, rng)
            # Half of one JSON answer and half of another is nobody's, and now and then valid.
            case 2 if parsed.framing.is_stream:
                other = rng.choice(others).body
                cut = rng.randrange(len(body) + 1)
                body = body[:cut] + other[rng.randrange(len(other) + 1) :]
            case 3 | 4:
                body = b"".join(_reordered(list(frames.split(body, parsed)), rng))
            case _:
                pieces = list(frames.split(body, parsed))
                if pieces:
                    place = rng.randrange(len(pieces))
                    pieces[place] = _in_frame(pieces[place], rng)
                body = b"".join(pieces)
    return Broken(wire.name, request, body)


def is_kept(case: Broken) -> bool:
    """Whether anything would be stored; raises AssertionError where it must not be."""
    parsed = recognise(case.request)
    if parsed is None:
        return False
    answer = parsed.provider.assemble(case.body, parsed)
    if not isinstance(answer, Answer):
        return False
    ends = ENDS.get(parsed.provider.name, ()) if parsed.framing.is_stream else ()
    squeezed = b"".join(case.body.split())
    assert not ends or any(end in squeezed for end in ends), "kept, and never ended"
    for asked in _framings(parsed, case.request):
        once = asked.provider.assemble(_replayed(answer.body, asked), asked)
        assert isinstance(once, Answer), f"kept, and not read again as {asked.framing}: {once}"
        twice = asked.provider.assemble(_replayed(once.body, asked), asked)
        assert once == twice, f"never the same twice as {asked.framing}"
        if asked.framing.media == parsed.framing.media:
            assert _said(once) == _said(answer), "read again as something else"
    return True


def run(names: list[str], rng: random.Random, is_over: Callable[[int], bool]) -> Told:
    """Cases of each provider until it is over; raises AssertionError with the first that fails."""
    told = Told()
    collections = {name: wires.of(name) for name in names}
    while not is_over(told.cases.total()):
        name = rng.choice(names)
        case = broken(rng.choice(collections[name]), collections[name], rng)
        try:
            kept = is_kept(case)
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{case}") from error
        told.cases[name] += 1
        told.kept[name] += kept
    return told


def _framings(parsed: ParsedRequest, request: Request) -> Iterator[ParsedRequest]:
    """As asked, and the other way."""
    usage = replace(parsed.framing, include_usage=parsed.framing.is_stream)
    yield replace(parsed, framing=usage)
    other = flipped(Wire("", "", "", request, b""))
    asked = None if other is None else recognise(other)
    if asked is not None:
        yield replace(asked, framing=replace(asked.framing, include_usage=asked.framing.is_stream))


def _replayed(answer: bytes, parsed: ParsedRequest) -> bytes:
    return b"".join(parsed.provider.replay(answer, parsed))


def _said(answer: Answer) -> Any:
    """Without what is empty, and without the labels of a request that its answer repeats."""
    whole = json.loads(answer.body)
    if isinstance(whole, dict):
        whole = {name: value for name, value in whole.items() if name not in LABELS}
    return _filled(whole)


def _filled(value: Any) -> Any:
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if isinstance(value, dict):
        return {name: _filled(item) for name, item in value.items() if item is not None}
    return value


def _in_bytes(body: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(body) + 1)
    match rng.randrange(4):
        case 0:
            return body[:start]
        case 1:
            return body[:start] + rng.choice(NOISE) + body[start:]
        case 2:
            return body[:start] + rng.randbytes(1) + body[start + 1 :]
        case _:
            return body[:start] + body[start + rng.randrange(1, 40) :]


def _reordered(pieces: list[bytes], rng: random.Random) -> list[bytes]:
    if not pieces:
        return pieces
    one, two = rng.randrange(len(pieces)), rng.randrange(len(pieces))
    match rng.randrange(5):
        case 0:
            del pieces[one]
        case 1:
            pieces.insert(two, pieces[one])
        case 2:
            pieces[one], pieces[two] = pieces[two], pieces[one]
        case 3:
            pieces = [piece for piece in pieces if not any(end in piece for end in _ALL_ENDS)]
        case _:
            pieces.reverse()
    return pieces


def _in_frame(frame: bytes, rng: random.Random) -> bytes:
    """A value of the frame's JSON replaced, dropped or doubled; lengths and CRCs stay right."""
    try:
        headers, payload = eventstream.read(frame)
    except ValueError:
        start = min((at for at in map(frame.find, (b"{", b"[")) if at >= 0), default=len(frame))
        end = max(frame.rfind(b"}"), frame.rfind(b"]")) + 1
        return frame[:start] + _in_json(frame[start:end], rng) + frame[max(start, end) :]
    name = headers.get(":event-type", "")
    try:
        held = json.loads(payload)
        inner = base64.b64decode(held["bytes"])
    except (ValueError, KeyError, TypeError):
        return eventstream.write(eventstream.Event(name, _in_json(payload, rng)))
    held["bytes"] = base64.b64encode(_in_json(inner, rng)).decode()
    return eventstream.write(eventstream.Event(name, json.dumps(held).encode()))


def _in_json(text: bytes, rng: random.Random) -> bytes:
    try:
        value = json.loads(text)
    except ValueError:
        return text
    places = list(_places(value))
    if not places:
        return text
    container, key = rng.choice(places)
    match rng.randrange(4):
        case 0:
            del container[key]
        case 1 if isinstance(container, list):
            container.insert(key, copy.deepcopy(container[key]))
        case 2:
            container[key] = copy.deepcopy(rng.choice(places)[0])
        case _:
            container[key] = copy.deepcopy(rng.choice(WRONG))
    try:
        return json.dumps(value, separators=(",", ":")).encode()
    except (ValueError, RecursionError):
        return text


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])


def main() -> None:
    parser = argparse.ArgumentParser(description="Broken exchanges until something breaks.")
    parser.add_argument("providers", nargs="*", metavar="PROVIDER")
    parser.add_argument("--of", default="answers,requests,replies,cassettes", help="what is broken")
    parser.add_argument("--seconds", type=float, default=60, help="for all of it")
    parser.add_argument("--cases", type=int, default=None, help="of each, in place of a time")
    parser.add_argument("--seed", type=int, default=None, help="a run that failed says its own")
    given = parser.parse_args()
    seed = random.SystemRandom().randrange(2**32) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    names = given.providers or [provider.name for provider in PROVIDERS]
    kinds = given.of.split(",")
    for kind in kinds:
        end = time.monotonic() + given.seconds / len(kinds)
        is_over = _until(end, given.cases)
        rng = random.Random(f"{seed} {kind}")
        match kind:
            case "answers":
                told = run(names, rng, is_over)
                print(
                    f"{told.cases.total()} broken answers: nothing raised, nothing wrong was kept"
                )
                for name in names:
                    print(f"  {name:20} {told.cases[name]:8}, {told.kept[name]} still whole")
            case "requests":
                counts = fuzz_requests.run(names, rng, is_over)
                print(
                    f"{counts.pop('cases')} hostile requests: nothing raised, no key for two things"
                )
                for name in names:
                    print(f"  {name:20} {counts[name]:8} still looked up")
            case "replies":
                counts = fuzz_replies.run(rng, is_over)
                print(f"{counts['cases']} replies of a store that others write to: nothing raised")
            case "cassettes":
                counts = fuzz_cassettes.run(rng, is_over)
                read = counts["recordings"] + counts["rules"]
                print(f"{counts['cases']} broken files of cassettes: {read} still read")
            case _:
                parser.error(f"--of {kind}: not one of answers, requests, replies, cassettes")


def _until(end: float, cases: int | None) -> Callable[[int], bool]:
    if cases is None:
        return lambda _: time.monotonic() >= end
    return lambda done: done >= cases


if __name__ == "__main__":
    main()
