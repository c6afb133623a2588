"""What Hypothesis may throw at us: the texts and values that have broken parsers before."""

from __future__ import annotations

from hypothesis import strategies as st

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
