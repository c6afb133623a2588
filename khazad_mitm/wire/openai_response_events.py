"""An OpenAI response taken apart into stream events and put together from them.

The last event of a stream, `response.completed`, carries the whole response as JSON callers get
it: that is the answer, and the events before it repeat parts of it. Servers that leave `output`
out there have said it in `response.output_item.done`. Knows nothing of bytes, frames and requests.

Source: OpenAI API reference, "Streaming events"; `ResponseStreamState` of the SDK 3.54.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count

from khazad_mitm.exchange import Json
from khazad_mitm.wire.unfit import Unfit

# Fields of a response that are not known yet while it is in progress.
_UNKNOWN_YET = ("usage", "completed_at", "output_text")

# An item's text that arrives in pieces: item -> (field, beginning of the event's name).
_TEXTS = {
    "function_call": ("arguments", "response.function_call_arguments"),
    "custom_tool_call": ("input", "response.custom_tool_call_input"),
    "mcp_call": ("arguments", "response.mcp_call_arguments"),
    "code_interpreter_call": ("code", "response.code_interpreter_call_code"),
}

# The steps of a tool that the provider runs: item -> (before its text, after it).
_STEPS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "web_search_call": (("in_progress", "searching"), ("completed",)),
    "file_search_call": (("in_progress", "searching"), ("completed",)),
    "image_generation_call": (("in_progress", "generating"), ("completed",)),
    "code_interpreter_call": (("in_progress",), ("interpreting", "completed")),
    "mcp_call": (("in_progress",), ("completed",)),
    "mcp_list_tools": (("in_progress",), ("completed",)),
}
_MAY_FAIL = frozenset({"mcp_call", "mcp_list_tools"})


def merge(events: Iterable[Json]) -> dict[str, Json]:
    """The response that a stream ends with. Raises Unfit where it does not end with one.

    Nothing after `response.completed` is read.
    """
    items: dict[int, Json] = {}
    for event in events:
        match event:
            case {"type": "response.completed", "response": dict(response)}:
                if not response.get("output") and items:
                    response = {**response, "output": [items[index] for index in sorted(items)]}
                return response
            case {"type": "response.failed"}:
                raise Unfit("failed")
            case {"type": "response.incomplete"}:
                raise Unfit("incomplete")
            case {"type": "error"}:
                raise Unfit("error")
            case {"type": "response.output_item.done", "output_index": int(index), "item": item}:
                items[index] = item
            case {"type": str()}:
                pass
            case {"error": error} if error:
                raise Unfit("error")
            case _:
                raise Unfit("malformed")
    raise Unfit("cut")


def split(response: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The events that say what `response` says, in the order OpenAI sends them."""
    number = count()
    for event in _events(response):
        yield {"type": event["type"], "sequence_number": next(number), **event}


def _events(response: dict[str, Json]) -> Iterator[dict[str, Json]]:
    unknown = {name: None for name in _UNKNOWN_YET if name in response}
    begun = {**response, "status": "in_progress", "output": [], **unknown}
    yield {"type": "response.created", "response": begun}
    yield {"type": "response.in_progress", "response": begun}
    for index, item in enumerate(response["output"]):
        yield {"type": "response.output_item.added", "output_index": index, "item": _begun(item)}
        place = {"item_id": item.get("id") or "", "output_index": index}
        yield from _growth(item, place)
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed", "response": response}


def _begun(item: dict[str, Json]) -> dict[str, Json]:
    """An item as it opens: what arrives in pieces is still empty."""
    begun = {**item}
    if isinstance(item.get("status"), str):
        begun["status"] = "in_progress"
    kind = item["type"]
    if kind in _TEXTS and isinstance(item.get(_TEXTS[kind][0]), str):
        begun[_TEXTS[kind][0]] = ""
    for name in _LISTS.get(kind, ()):
        if isinstance(item.get(name), list):
            begun[name] = []
    return begun


# Lists that fill part by part.
_LISTS = {"message": ("content",), "reasoning": ("summary", "content")}


def _growth(item: dict[str, Json], place: dict[str, Json]) -> Iterator[dict[str, Json]]:
    kind = item["type"]
    before, after = _STEPS.get(kind, ((), ()))
    if kind in _MAY_FAIL and item.get("error"):
        after = ("failed",)
    for step in before:
        yield {"type": f"response.{kind}.{step}", **place}
    match kind:
        case "message":
            for position, part in enumerate(_parts(item, "content")):
                yield from _message_part(part, {**place, "content_index": position})
        case "reasoning":
            for position, part in enumerate(_parts(item, "summary")):
                yield from _summary_part(part, {**place, "summary_index": position})
            for position, part in enumerate(_parts(item, "content")):
                yield from _text(
                    part, "response.reasoning_text", {**place, "content_index": position}
                )
        case _ if kind in _TEXTS:
            name, event = _TEXTS[kind]
            if isinstance(item.get(name), str):
                yield {"type": f"{event}.delta", **place, "delta": item[name]}
                yield {"type": f"{event}.done", **place, name: item[name]}
    for step in after:
        yield {"type": f"response.{kind}.{step}", **place}


def _message_part(part: dict[str, Json], place: dict[str, Json]) -> Iterator[dict[str, Json]]:
    empty: dict[str, Json] = {"text": "", "refusal": "", "annotations": [], "logprobs": []}
    begun = {name: empty.get(name, value) if value else value for name, value in part.items()}
    yield {"type": "response.content_part.added", **place, "part": begun}
    match part:
        case {"type": "output_text", "text": str(text)}:
            logprobs = part.get("logprobs") or []
            event = "response.output_text"
            if text:
                yield {"type": f"{event}.delta", **place, "delta": text, "logprobs": logprobs}
            for position, note in enumerate(_parts(part, "annotations")):
                added = {"annotation_index": position, "annotation": note}
                yield {"type": f"{event}.annotation.added", **place, **added}
            yield {"type": f"{event}.done", **place, "text": text, "logprobs": logprobs}
        case {"type": "refusal", "refusal": str(refusal)}:
            yield {"type": "response.refusal.delta", **place, "delta": refusal}
            yield {"type": "response.refusal.done", **place, "refusal": refusal}
    yield {"type": "response.content_part.done", **place, "part": part}


def _summary_part(part: dict[str, Json], place: dict[str, Json]) -> Iterator[dict[str, Json]]:
    begun = {**part, "text": ""} if "text" in part else part
    yield {"type": "response.reasoning_summary_part.added", **place, "part": begun}
    yield from _text(part, "response.reasoning_summary_text", place)
    yield {"type": "response.reasoning_summary_part.done", **place, "part": part}


def _text(part: dict[str, Json], event: str, place: dict[str, Json]) -> Iterator[dict[str, Json]]:
    if isinstance(part.get("text"), str):
        yield {"type": f"{event}.delta", **place, "delta": part["text"]}
        yield {"type": f"{event}.done", **place, "text": part["text"]}


def _parts(item: dict[str, Json], name: str) -> list[dict[str, Json]]:
    value = item.get(name)
    return [part for part in value if isinstance(part, dict)] if isinstance(value, list) else []
