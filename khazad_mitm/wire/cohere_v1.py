"""A Cohere v1 answer taken apart into events and put together from them.

The last event, `stream-end`, has the whole answer in `response`, as `"stream": false` gives it:
the events before it have told it in pieces and are not needed. `split` tells it in pieces again.
Source: cohere package 7.3, `cohere/types/streamed_chat_response.py`, and docs.cohere.com/v1,
"Streaming", read 2026-11.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from khazad_mitm.exchange import Json
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit

# What the answer at the end repeats ("the consolidated response").
_REPEATED = frozenset(
    {"stream-start", "debug", "search-queries-generation", "search-results", "text-generation"}
    | {"citation-generation", "tool-calls-chunk", "tool-calls-generation"}
)
_LISTS = ("citations", "documents", "search_results", "search_queries", "tool_calls")


def merge(events: Iterable[Json]) -> dict[str, Json]:
    """The answer of `stream-end`. Raises Unfit where it never comes, or without an answer."""
    for event in events:
        match event:
            case {"error": error} if error:
                raise Unfit("error")
            case {"event_type": "stream-end", "response": dict(answer), **others}:
                word = others.pop("finish_reason", None)
                others.pop("is_finished", None)
                if any(map(is_filled, others.values())):
                    raise Unfit("unknown-event")
                if not answer.get("finish_reason"):
                    answer["finish_reason"] = word
                if word and answer["finish_reason"] != word:
                    raise Unfit("malformed")
                return answer
            case {"event_type": str(kind)} if kind in _REPEATED:
                continue
            case {"event_type": str(kind)} if kind != "stream-end":
                raise Unfit("unknown-event")
            case {"message": str()} | {"finish_reason": str()}:
                raise Unfit("error")
            case _:
                raise Unfit("malformed")
    raise Unfit("cut")


def split(answer: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The events that say what a well-formed `answer` says, in the order Cohere sends them."""
    yield _event("stream-start", answer, "generation_id")
    if answer.get("prompt"):
        yield _event("debug", answer, "prompt")
    if answer.get("search_queries"):
        yield _event("search-queries-generation", answer, "search_queries")
    if answer.get("search_results") or answer.get("documents"):
        yield _event("search-results", answer, "search_results", "documents")
    calls = answer.get("tool_calls") or []
    if answer.get("text"):
        # Beside tool calls the text is the plan, and comes as a part of them.
        yield _event("tool-calls-chunk" if calls else "text-generation", answer, "text")
    for citation in answer.get("citations") or []:
        yield _event("citation-generation", {"citations": [citation]}, "citations")
    for index, call in enumerate(calls):
        for piece in _call_pieces(call):
            delta = {"tool_call_delta": {"index": index, **piece}}
            yield _event("tool-calls-chunk", delta, "tool_call_delta")
    if calls:
        yield _event("tool-calls-generation", answer, "text", "tool_calls")
    yield {
        "is_finished": True,
        "event_type": "stream-end",
        "response": answer,
        "finish_reason": answer["finish_reason"],
    }


def says_something(answer: dict[str, Json]) -> bool:
    """A text, a tool call, or the queries that were asked for. Raises Unfit("malformed")."""
    match answer:
        case {"message": str()} if "text" not in answer:
            raise Unfit("error")
    lists = [answer.get(name) for name in _LISTS]
    if not isinstance(answer.get("text"), str | None) or not all(
        isinstance(some, list | None) for some in lists
    ):
        raise Unfit("malformed")
    if not all(isinstance(call, dict) for call in answer.get("tool_calls") or []):
        raise Unfit("malformed")
    return any(is_filled(answer.get(name)) for name in ("text", "tool_calls", "search_queries"))


def tokens(answer: dict[str, Json]) -> Json:
    """`{"input_tokens", "output_tokens"}`, or anything else where the answer has no counts."""
    meta = answer.get("meta")
    return meta.get("tokens") if isinstance(meta, dict) else None


def _event(kind: str, fields: dict[str, Json], *names: str) -> dict[str, Json]:
    told = {name: fields[name] for name in names if name in fields}
    return {"is_finished": False, "event_type": kind, **told}


def _call_pieces(call: dict[str, Json]) -> Iterator[dict[str, Json]]:
    if "name" in call:
        yield {"name": call["name"]}
    if "parameters" in call:
        yield {"parameters": bodies.write(call["parameters"]).decode()}
