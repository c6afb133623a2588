"""What Hypothesis may throw at us: the texts and values that have broken parsers before."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from khazad_mitm.messages import Headers, Request

# Line ends, what Unicode takes for one, SSE's own words, and characters outside the first plane.
_AWKWARD = st.sampled_from(
    '\r|\n|\r\n|\n\n|\u2028|\u2029|\x85|\x0b|\x0c|\x00|\ufeff|🦊|e\u0301|"|\\|data: [DONE]|data:'
    "|event: error|: comment|[DONE]".split("|")
)

_CHARACTERS = st.characters(exclude_categories=["Cs"])

texts = st.lists(_AWKWARD | st.text(_CHARACTERS, max_size=8), max_size=8).map("".join)
"""Unicode text without lone surrogates."""

_NUMBERS = st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False)

json_values = st.recursive(
    st.none() | st.booleans() | _NUMBERS | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)

json_objects = st.dictionaries(texts, json_values, max_size=5)

tool_calls = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.uuids().map(str),
            "type": st.just("function"),
            "function": st.fixed_dictionaries({"name": st.just("f"), "arguments": texts}),
        }
    ),
    min_size=1,
    max_size=3,
)

messages = st.fixed_dictionaries(
    {"role": st.just("assistant"), "content": st.none() | texts},
    optional={
        "reasoning_content": texts,
        "refusal": st.none() | texts,
        "tool_calls": tool_calls,
        "annotations": st.lists(json_objects, max_size=2),
        "unknown_text": texts,
        "unknown_object": st.dictionaries(texts, texts | st.none(), max_size=3),
    },
)
"""Assistant messages of chat completions, with fields nobody has heard of."""

completions = st.fixed_dictionaries(
    {
        "id": st.just("chatcmpl-1"),
        "object": st.just("chat.completion"),
        "created": st.just(1_700_000_000),
        "model": st.just("m"),
        "choices": st.lists(
            st.tuples(messages, st.sampled_from(["stop", "length", "tool_calls"])),
            min_size=1,
            max_size=3,
        ).map(
            lambda pairs: [
                {"index": index, "message": message, "finish_reason": reason}
                for index, (message, reason) in enumerate(pairs)
            ]
        ),
        "usage": st.just({"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
    },
    optional={"system_fingerprint": st.none() | texts, "citations": st.lists(texts, max_size=2)},
)
"""Chat completions as a server may send them without a stream."""


QUESTION_WORDS = (
    "how what who when where why which many much long do does did is are was will can not don't no"
    " I you my he she the a of in from to by with and or than before after on off up only all first"
    " last second one two twenty-five hundred thousand 5 5kg $1,000 50% v3.2 GPT-4 A-1039 3rd -3"
    " 10k Rome Paris paris Python python May May's enable disable turn add remove buy purchase"
    " install instal best fastest"
    " most cheap people thing way please thanks tell me hi note book notebook"
    ' VAT value added tax `code` "quoted" x_y --flag a==b e.g. U.S. http://x.y/z ? ! . , : - / % \n'
).split(" ")


def wordy() -> st.SearchStrategy[str]:
    """Texts of words that the second look has something to say about."""
    return st.lists(st.sampled_from(QUESTION_WORDS), max_size=14).map(" ".join)


# -- requests as nobody should send them

_HOSTILE = (
    *(b"null", b"-0", b"-1", b"1.00", b"1e400", b"-1e-400", b"NaN", b"Infinity", b"9" * 401, b"01"),
    *(b"1" + b"0" * 5_000, b'"\\ud83e"', b'"\\udd8a\\ud83e"', b'"\\u0000"', b'"\x00"', b'"\xff"'),
    *(b'"\xed\xa0\x80"', b'"\xc0\x80"', b'"\\x"', b"'a'", b'{"a":1,"a":2}', b'{"\\u0061":1,"a":2}'),
    *(b"[" * 200, b"[" * 101 + b"]" * 101, b'{"a":' * 150 + b"1" + b"}" * 150, b'{"index":-1}'),
    *(b'{"role":"user","role":"system"}', b"[{}]", b"[null]", b'""', b"", b"//", b"\xef\xbb\xbf"),
)
"""Stand in JSON where a value should: ambiguous, too large, too deep, or no JSON at all."""

hostile_values = st.sampled_from(_HOSTILE) | json_values.map(json.dumps).map(str.encode)

_CODINGS: dict[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "identity": bytes,
    "gzip": lambda body: gzip.compress(body, 1),
    "deflate": zlib.compress,
    "gzip, gzip": lambda body: gzip.compress(gzip.compress(body, 1), 1),
    "nothing-known": bytes,
}

_PLACED = "a value that stands nowhere else"


@st.composite
def hostile_requests(draw: st.DrawFn, request: Request) -> Request:
    """`request` with a value replaced, a key added a second time or anew, or bytes cut, added or
    packed."""
    whole = json.loads(request.body)
    holder, key = draw(st.sampled_from(list(_places(whole))))
    put = draw(hostile_values)
    how = draw(st.sampled_from(["replaced", "doubled", "added", "cut", "noise"]))
    if how in ("replaced", "doubled") or not isinstance(holder, dict):
        holder[key] = _PLACED
    else:
        holder[draw(texts)] = _PLACED
    marker = json.dumps(_PLACED).encode()
    body = json.dumps(whole).encode().replace(marker, put)
    if how == "doubled" and isinstance(holder, dict):
        body = body.replace(put, put + b"," + json.dumps(key).encode() + b":" + put, 1)
    place = draw(st.integers(0, len(body)))
    if how == "cut":
        body = body[:place]
    elif how == "noise":
        body = body[:place] + draw(st.binary(min_size=1, max_size=3)) + body[place:]
    coding = draw(st.sampled_from(list(_CODINGS)))
    fields = [field for field in request.headers if field[0].lower() != "content-encoding"]
    fields += [("content-encoding", coding)] if coding else []
    return replace(request, body=_CODINGS[coding](body), headers=Headers(fields))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    if isinstance(value, dict | list):
        for key in list(value) if isinstance(value, dict) else range(len(value)):
            yield value, key
            yield from _places(value[key])
