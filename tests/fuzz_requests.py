"""Hostile requests for every format, through recognition and a whole lookup: part of `make fuzz`.

What must hold whatever comes in: nothing raises, nothing takes longer than `LIMIT_S` of processor
time, and two requests that mean different things never have the same key.
"""

from __future__ import annotations

import gzip
import json
import random
import time
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from khazad_mitm.cache import commands, drive
from khazad_mitm.cache.fingerprint import COUNTED_HEADERS, IGNORED
from khazad_mitm.cache.rules import Rules
from khazad_mitm.exchange import Miss, ParsedRequest
from khazad_mitm.messages import Headers, Request
from khazad_mitm.wire import recognise
from tests import wires
from tests.cache.script import lookup
from tests.wires import Wire

# Ten times what the worst of them takes on a busy machine: a bomb of 64 MB is undone in 0.3 s.
LIMIT_S = 10.0

RULES = Rules(secret=b"s" * 32, embedding_model="fuzz")
VECTOR = np.array([1.0, 0.0], dtype=np.float32)

# As they stand in JSON text, where `json.dumps` would never write them.
TEXTS = (
    *("null", "true", "-0", "-1", "0.0", "1.00", "1e0", "1E+0", "1e400", "-1e-400", "NaN"),
    *("Infinity", "9" * 400, "9" * 401, "0." + "1" * 400, "1" + "0" * 5_000, "01", "+1", ".5"),
    *(
        '"\\ud83e"',
        '"\\udd8a\\ud83e"',
        '"\\ud83e\\udd8a"',
        '"\\u0000"',
        '"\x00"',
        '"\\x"',
        '"\x7f"',
    ),
    *('"\\u2028"', '"﻿"', '""', '" "', "[]", "{}", "[null]", '{"":{}}', '"a"', "'a'", "//"),
    *('{"a":1,"a":2}', '{"role":"user","role":"system"}', '{"\\u0061":1,"a":1}', "[" * 200),
    *("[" * 99 + "]" * 99, "[" * 101 + "]" * 101, '{"a":' * 150 + "1" + "}" * 150),
)
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**53 + 1, -(2**63), 2**70, 1e308, 5e-324, 0.1, "", " ", "\x00"),
    *("user", "tool", "🦊", "a\u0301", "\u00e1", "\u202e", [], {}, [[]], [{}], {"role": "user"}),
    *({"type": "text", "text": "x"}, {"type": "image_url"}, ["a", "b"], [-1], {"index": -1}),
)
BYTES = (
    b"\x00",
    b"\xff",
    b"\xc0\x80",
    b"\xed\xa0\x80",
    b"\xf5",
    b"\xef\xbb\xbf",
    b"\r",
    b'"',
    b"}",
)
TARGETS = (
    *("/../", "//", "/%2e%2e/", "%00", "?key=a", "?key=%ff", "?stream=true", "?alt=sse", "?", "#x"),
    *("?model=a&model=b", ";a=b", "%", "\xff", ":streamGenerateContent", "/models/", "/v1"),
)
HEADERS = (
    *(("content-encoding", coding) for coding in ("gzip", "br", "zstd", "deflate", "gzip, gzip")),
    *(("content-encoding", "x" * 9), ("content-type", "text/plain; charset=utf-16"), ("host", "x")),
    *(("cache-control", "max-age=" + "9" * 99), ("cache-control", "max-age=-1"), ("cookie", ";=;")),
    *(("x-khazad-threshold", "nan"), ("x-khazad-threshold", "1e999"), ("x-khazad-tag", ",,")),
    *(("authorization", "Bearer eyJ." + "A" * 99 + "."), ("authorization", "AWS4-A Credential=/")),
    *(("anthropic-beta", "\xff\x00"), ("x-amz-target", ""), ("accepts", "*/*"), ("", "")),
)


def hostile(wire: Wire, rng: random.Random) -> Request:
    """The request of a wire with one to three things wrong."""
    request = wire.request
    for _ in range(rng.randint(1, 3)):
        match rng.randrange(9):
            case 0:
                request = replace(request, body=_in_bytes(request.body, rng))
            case 1 | 2:
                request = replace(request, body=_in_text(request.body, rng))
            case 3 | 4 | 5:
                request = replace(request, body=_in_value(request.body, rng))
            case 6:
                place = rng.randrange(len(request.target) + 1)
                put = rng.choice(TARGETS)
                request = replace(
                    request, target=request.target[:place] + put + request.target[place:]
                )
            case 7:
                request = replace(request, headers=request.headers.plus(rng.choice(HEADERS)))
            case _:
                request = _packed(request, rng)
    return request


def _chat(content: bytes) -> bytes:
    return b'{"model":"m","messages":[{"role":"user","content":"' + content + b'"}]}'


def _zeros() -> bytes:
    # Beyond the 64 MB that a request may decode to.
    return _chat(b"0" * (80 * 1024 * 1024))


_TURN = b'{"role":"user","content":"x"}'

# Too rare, and too slow, to be drawn at random; so large that work which grows with the square
# would pass the limit. Name -> body as sent, and its content coding.
BOMBS: dict[str, Callable[[], tuple[bytes, str]]] = {
    "100,000 messages": lambda: (
        b'{"model":"m","messages":[' + b",".join([_TURN] * 100_000) + b"]}",
        "",
    ),
    "20,000 inputs": lambda: (
        b'{"model":"m","input":[' + b",".join([b'"x"'] * 20_000) + b"]}",
        "",
    ),
    "gzip": lambda: (gzip.compress(_zeros(), 1), "gzip"),
    "gzip twice": lambda: (gzip.compress(gzip.compress(_zeros(), 1)), "gzip, gzip"),
    "deflate": lambda: (zlib.compress(_zeros(), 1), "deflate"),
    "300,000 brackets": lambda: (b'{"messages":' + b"[" * 300_000, ""),
    "300,000 objects": lambda: (b'{"messages":' + b'{"a":' * 300_000, ""),
    "a long number": lambda: (b'{"model":"m","n":' + b"9" * 1_000_000 + b"}", ""),
    "20,000 keys": lambda: (
        b"{" + b",".join(b'"%d":1' % n for n in range(20_000)) + b"}",
        "",
    ),
    "4 MB of text": lambda: (_chat(b"a " * 2**21), ""),
    "1 MB of halves of emoji": lambda: (_chat(b"\\ud83e" * 2**18), ""),
}


def key_of(request: Request) -> tuple[ParsedRequest, str] | None:
    """What a lookup makes of it; raises AssertionError where it takes too long."""
    before = time.thread_time()
    parsed = recognise(request)
    outcome = None if parsed is None else drive.run(lookup(parsed, RULES, 1.0), _obey)
    took = time.thread_time() - before
    assert took < LIMIT_S, f"took {took:.1f} s"
    if parsed is None or not isinstance(outcome, Miss):
        return None
    return parsed, f"{outcome.digests.fingerprint} {outcome.scope} {outcome.proofs}"


def check(known: Request, request: Request) -> bool:
    """Was it recognised? Raises AssertionError where it has the key of another one."""
    found, other = key_of(request), key_of(known)
    if found is not None and other is not None and found[1] == other[1]:
        one, two = _meant(found[0]), _meant(other[0])
        assert one == two, f"one key for {one!r:.600} and {two!r:.600}"
    return found is not None


def run(names: list[str], rng: random.Random, is_over: Callable[[int], bool]) -> Counter[str]:
    """Cases until it is over; how many of each format were recognised all the same."""
    told: Counter[str] = Counter()
    collections = {name: wires.of(name) for name in names}
    while not is_over(told["cases"]):
        name = rng.choice(names)
        wire = rng.choice(collections[name])
        request = hostile(wire, rng)
        try:
            told[name] += check(wire.request, request)
        except Exception as error:
            shown = f"{request.target}\n{list(request.headers)!r:.500}\n{request.body!r:.2000}"
            raise AssertionError(
                f"{type(error).__name__}: {error}\n{wire.name}\n{shown}"
            ) from error
        told["cases"] += 1
    return told


def _obey(command: commands.Command) -> Any:
    match command:
        case commands.IsAccepted():
            return True
        case commands.GetMany(fingerprints):
            return (None,) * len(fingerprints)
        case commands.Resolve(conversations):
            return (None,) * len(conversations)
        case commands.Occupied():
            return True
        case commands.Embed():
            return VECTOR
        case commands.Nearest():
            return []
        case _:
            return None


def _meant(parsed: ParsedRequest) -> Any:
    """What a request asks for, by another reading than that of the key: numbers as written."""
    request = parsed.request
    body = _decoded(request)
    fields = {n: v for n, v in body.items() if n not in IGNORED and n not in parsed.ignored}
    counted = [request.headers.joined(name) for name in COUNTED_HEADERS]
    return parsed.provider.name, parsed.model, parsed.resource, fields, counted, request.method


def _decoded(request: Request) -> Any:
    body = request.body
    for coding in reversed(request.headers.joined("content-encoding").lower().split(",")):
        if coding.strip() == "gzip":
            body = gzip.decompress(body)
        elif coding.strip() == "deflate":
            body = zlib.decompress(body)
    return json.loads(body, parse_float=lambda raw: ("number", raw), parse_int=lambda raw: raw)


def _in_bytes(body: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(body) + 1)
    match rng.randrange(3):
        case 0:
            return body[:place]
        case 1:
            return body[:place] + rng.choice(BYTES) + body[place:]
        case _:
            return body[:place] + rng.randbytes(1) + body[place + 1 :]


def _in_text(body: bytes, rng: random.Random) -> bytes:
    """A value of the JSON text, or a key with its value, in a spelling of our own."""
    marker = 1234567891234567
    marked = _in_value(body, rng, (marker,))
    text = rng.choice(TEXTS)
    if rng.randrange(4) == 0:
        at = marked.find(b"{")
        return marked[: at + 1] + f'"model":{text},'.encode("utf-8", "replace") + marked[at + 1 :]
    return marked.replace(str(marker).encode(), text.encode("utf-8", "replace"))


def _in_value(body: bytes, rng: random.Random, values: tuple[Any, ...] = VALUES) -> bytes:
    """A value replaced, dropped, doubled or added."""
    try:
        whole = json.loads(body)
        places = [(holder, key) for holder in _holders(whole) for key in _keys(holder)]
        if not places:
            return body
        holder, key = rng.choice(places)
        match rng.randrange(6) if values is VALUES else 5:
            case 0:
                del holder[key]
            case 1 if isinstance(holder, list):
                holder.insert(key, holder[key])
            case 2 if isinstance(holder, dict):
                holder[rng.choice(("unknown", "n", "stream", "index", "id", ""))] = rng.choice(
                    values
                )
            case _:
                holder[key] = rng.choice(values)
        return json.dumps(whole).encode()
    except (ValueError, RecursionError):
        return body


def _holders(value: Any) -> list[Any]:
    found, level = [], [value]
    while level:
        found += [one for one in level if isinstance(one, dict | list)]
        level = [
            inner
            for one in level
            if isinstance(one, dict | list)
            for inner in (one.values() if isinstance(one, dict) else one)
        ]
        if len(found) > 5_000:
            break
    return found


def _keys(holder: Any) -> list[Any]:
    return list(holder) if isinstance(holder, dict) else list(range(len(holder)))


def _packed(request: Request, rng: random.Random) -> Request:
    """In a content coding, whole or cut."""
    coding, pack = rng.choice((("gzip", gzip.compress), ("deflate", zlib.compress)))
    body = pack(request.body, 1)
    if rng.randrange(3) == 0:
        body = _in_bytes(body, rng)
    codings = Headers([("content-encoding", coding)])
    others = [item for item in request.headers if item[0].lower() != "content-encoding"]
    return replace(request, body=body, headers=Headers([*others, *codings]))
