"""An Anthropic message taken apart into stream events and put together from them.

`merge` reads the events of a stream as one message; `split` is its inverse. Fields nobody has
heard of travel along, in the message, its blocks and its usage. A kind of delta nobody has heard
of does not: what it adds to its block is unknown, so the answer is not kept. Knows nothing of
bytes and frames; Bedrock puts the same events into frames of its own.

Source: Anthropic API reference, "Streaming messages" and `accumulate_event` of the SDK 2.12.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire.ordered import ordered
from khazad_mitm.wire.unfit import Unfit

# Keys have one order, so that merging what was split gives the same bytes: these, then by name.
_TOP = ("id", "type", "role", "model", "content", "stop_reason", "stop_sequence", "usage")

# What ends a message is told in `message_delta`: inside its `delta`, or beside it.
_IN_DELTA = ("stop_reason", "stop_sequence", "stop_details", "container")
_BESIDE_DELTA = ("context_management",)

# Texts that arrive in pieces: kind of delta -> its field, which is also the block's.
_PIECES = {"text_delta": "text", "thinking_delta": "thinking"}


def merge(events: Iterable[Json]) -> dict[str, Json]:
    """One message from the events of a stream. Raises Unfit where they make none.

    Complete with `message_stop`, every block stopped and a `stop_reason` told. Nothing after
    `message_stop` is read.
    """
    building: _Building | None = None
    for event in events:
        match event:
            case {"type": "ping"}:
                pass
            case {"type": "error"} | {"error": dict()}:
                raise Unfit("error")
            case {"type": "message_start", "message": dict(message)} if building is None:
                building = _Building({**message})
            case {"type": "message_stop"} if building is not None:
                return building.result()
            case {"type": str()} if building is not None:
                building.add(event)
            case _:
                raise Unfit("malformed")
    raise Unfit("cut")


def split(message: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The events that say what `message` says, in the order the API sends them."""
    usage = message.get("usage")
    opening = {**message, "content": [], "stop_reason": None, "stop_sequence": None}
    for name in (*_IN_DELTA[2:], *_BESIDE_DELTA):
        opening.pop(name, None)
    if isinstance(usage, dict) and "output_tokens" in usage:
        opening["usage"] = {**usage, "output_tokens": 1}
    yield {"type": "message_start", "message": opening}
    for index, block in enumerate(message["content"]):
        start, deltas = _apart(block)
        yield {"type": "content_block_start", "index": index, "content_block": start}
        if index == 0:
            yield {"type": "ping"}
        for delta in deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    ending: dict[str, Json] = {
        "type": "message_delta",
        "delta": {name: message[name] for name in _IN_DELTA if name in message},
    }
    if isinstance(usage, dict):
        ending["usage"] = usage
    yield {**ending, **{name: message[name] for name in _BESIDE_DELTA if name in message}}
    yield {"type": "message_stop"}


@dataclass(slots=True)
class _Block:
    """One block while its deltas come in."""

    value: dict[str, Json]
    fragments: list[str] = field(default_factory=list)
    """Of the JSON text of a tool's input."""
    is_open: bool = True

    def add(self, delta: Json) -> None:
        match delta:
            case {"type": ("text_delta" | "thinking_delta") as kind}:
                name = _PIECES[kind]
                piece, so_far = delta.get(name), self.value.get(name) or ""
                if not isinstance(piece, str) or not isinstance(so_far, str):
                    raise Unfit("malformed")
                self.value[name] = so_far + piece
            case {"type": "input_json_delta", "partial_json": str(fragment)}:
                self.fragments.append(fragment)
            case {"type": "signature_delta", "signature": str(signature)}:
                self.value["signature"] = signature
            case {"type": "citations_delta", "citation": citation}:
                citations = self.value.get("citations") or []
                if not isinstance(citations, list):
                    raise Unfit("malformed")
                self.value["citations"] = [*citations, citation]
            case {"type": "compaction_delta"}:
                self.value |= {name: value for name, value in delta.items() if name != "type"}
            case {"type": "input_json_delta" | "signature_delta" | "citations_delta"}:
                raise Unfit("malformed")
            case _:
                raise Unfit("unknown-event")

    def stop(self) -> None:
        if not self.is_open:
            raise Unfit("malformed")
        self.is_open = False
        text = "".join(self.fragments)
        if text:
            # Fine-grained tool streaming may leave half a JSON text: a ValueError, not kept.
            self.value["input"] = bodies.parse(text)


@dataclass(slots=True)
class _Building:
    """A message while its events come in."""

    message: dict[str, Json]
    blocks: list[_Block] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.message.get("content") or not isinstance(self.message.get("usage"), dict | None):
            raise Unfit("malformed")

    def add(self, event: dict[str, Json]) -> None:
        match event:
            case {"type": "content_block_start", "index": int(index), "content_block": dict(block)}:
                if index != len(self.blocks):
                    raise Unfit("malformed")
                self.blocks.append(_Block({**block}))
                match block:
                    case {"type": "fallback", "to": {"model": str(model)}}:
                        self.message["model"] = model  # whoever answers from here on
            case {"type": "content_block_delta", "index": int(index), "delta": delta}:
                self._block(index).add(delta)
            case {"type": "content_block_stop", "index": int(index)}:
                self._block(index).stop()
            case {"type": "message_delta", "delta": dict(delta)} if "usage" not in delta:
                self._end(event, delta)
            case {"type": "content_block_start" | "content_block_delta" | "content_block_stop"}:
                raise Unfit("malformed")
            case {"type": "message_start" | "message_delta"}:
                raise Unfit("malformed")
            case _:
                raise Unfit("unknown-event")

    def result(self) -> dict[str, Json]:
        if any(block.is_open for block in self.blocks) or not self.message.get("stop_reason"):
            raise Unfit("cut")
        self.message["content"] = [block.value for block in self.blocks]
        return ordered(self.message, _TOP)

    def _block(self, index: int) -> _Block:
        if not 0 <= index < len(self.blocks) or not self.blocks[index].is_open:
            raise Unfit("malformed")
        return self.blocks[index]

    def _end(self, event: dict[str, Json], delta: dict[str, Json]) -> None:
        self.message |= delta
        for name, value in event.items():
            match name, value:
                case (("type" | "delta"), _):
                    pass
                case "usage", dict(usage):
                    # Totals: they replace what the start has said, and leave what they omit.
                    told = {key: count for key, count in usage.items() if count is not None}
                    self.message["usage"] = (self.message.get("usage") or {}) | told
                case "usage", None:
                    pass
                case "usage", _:
                    raise Unfit("malformed")
                case _, None if self.message.get(name) is not None:
                    pass
                case _:
                    self.message[name] = value


def _apart(block: dict[str, Json]) -> tuple[dict[str, Json], list[dict[str, Json]]]:
    """A block as it opens, and what is added to it. Kinds without deltas open whole."""
    deltas: list[dict[str, Json]] = []
    start = {**block}
    match block:
        case {"type": "text", "text": str(text)}:
            start["text"] = ""
            citations = block.get("citations")
            if isinstance(citations, list) and citations:
                start["citations"] = []
                deltas += ({"type": "citations_delta", "citation": one} for one in citations)
            if text:
                deltas.insert(0, {"type": "text_delta", "text": text})
        case {"type": "thinking", "thinking": str(thinking)}:
            start["thinking"] = ""
            if thinking:
                deltas.append({"type": "thinking_delta", "thinking": thinking})
            if isinstance(block.get("signature"), str):
                start["signature"] = ""
                deltas.append({"type": "signature_delta", "signature": block["signature"]})
        case {"type": "tool_use" | "server_tool_use" | "mcp_tool_use", "input": dict(given)}:
            start["input"] = {}
            text = bodies.write(given).decode() if given else ""
            deltas.append({"type": "input_json_delta", "partial_json": text})
        case {"type": "compaction"}:
            told = ("content", "encrypted_content")
            summary = {name: value for name, value in block.items() if name in told}
            start |= dict.fromkeys(summary)
            deltas.append({"type": "compaction_delta", **summary})
    return start, deltas
