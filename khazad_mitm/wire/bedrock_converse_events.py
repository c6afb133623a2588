"""A Converse answer taken apart into stream events and put together from them.

`merge` reads named events as one answer of `Converse`; `split` is its inverse. Amazon Nova puts
the same events into frames of its own. Fields nobody has heard of travel along in the message and
beside it; a kind of delta nobody has heard of does not, as what it adds to its block is unknown.
Knows nothing of bytes and frames. Keys are sorted, as AWS sorts them.
Source: service model of bedrock-runtime 2023-09-30 in botocore 1.44, `ConverseStreamOutput`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire.bedrock_converse_blocks import apart, together
from khazad_mitm.wire.unfit import Unfit

# Random padding against guessing a token by the length of its frame.
_PADDING = "p"

# What `messageStop` tells; everything else beside the message stands in `metadata`.
_OF_STOP = ("additionalModelResponseFields", "stopReason")


def merge(events: Iterable[tuple[str, Json]]) -> dict[str, Json]:
    """One answer from the named events of a stream. Raises Unfit where they make none.

    Complete with `messageStop`, every block stopped, and `metadata`, which comes last and always:
    its usage and metrics are required. Nothing after it is read.
    """
    building: _Building | None = None
    for name, told in events:
        if not isinstance(told, dict):
            raise Unfit("malformed")
        fields = {key: value for key, value in told.items() if key != _PADDING}
        if building is not None:
            if building.is_complete_with(name, fields):
                return building.result()
        elif name == "messageStart":
            building = _Building(fields)
        else:
            raise Unfit("malformed")
    raise Unfit("cut")


def split(answer: dict[str, Json]) -> Iterator[tuple[str, dict[str, Json]]]:
    """The named events that say what a well-formed `answer` says, in the order Bedrock sends them.

    A text has no `contentBlockStart`, and neither has reasoning.
    """
    output = answer["output"]
    message = output["message"]
    yield "messageStart", {key: value for key, value in message.items() if key != "content"}
    for index, block in enumerate(message["content"]):
        start, deltas = apart(block)
        at = {"contentBlockIndex": index}
        if start is not None:
            yield "contentBlockStart", {**at, "start": start}
        for delta in deltas:
            yield "contentBlockDelta", {**at, "delta": delta}
        yield "contentBlockStop", at
    yield "messageStop", {name: answer[name] for name in _OF_STOP if name in answer}
    metadata = {key: value for key, value in answer.items() if key not in (*_OF_STOP, "output")}
    beside = {key: value for key, value in output.items() if key != "message"}
    yield "metadata", {**metadata, "output": beside} if beside else metadata


@dataclass(slots=True)
class _Block:
    """One block while its events come in."""

    start: dict[str, Json] | None = None
    deltas: list[dict[str, Json]] = field(default_factory=list)
    is_open: bool = True


@dataclass(slots=True)
class _Building:
    """An answer while its events come in."""

    message: dict[str, Json]
    blocks: dict[int, _Block] = field(default_factory=dict)
    """By index; Nova leaves some out, and blocks may grow side by side."""
    stop: dict[str, Json] | None = None

    def is_complete_with(self, name: str, fields: dict[str, Json]) -> bool:
        """Take one more event; True where it is the last."""
        match name, fields:
            case "metadata", _ if self.stop is not None:
                self.stop = fields | self.stop
                return True
            case (("messageStart" | "metadata"), _):
                raise Unfit("malformed")
            case _, _ if self.stop is not None:
                raise Unfit("malformed")
            case "messageStop", {"stopReason": str()}:
                self.stop = fields
            case "contentBlockStart", {"contentBlockIndex": index, "start": dict(start), **others}:
                block = self._block(index, others)
                if block.start is not None or block.deltas:
                    raise Unfit("malformed")
                block.start = start
            case "contentBlockDelta", {"contentBlockIndex": index, "delta": dict(delta), **others}:
                self._block(index, others).deltas.append(delta)
            case "contentBlockStop", {"contentBlockIndex": index, **others}:
                self._block(index, others).is_open = False
            case (("messageStop" | "contentBlockStart" | "contentBlockDelta"), _):
                raise Unfit("malformed")
            case "contentBlockStop", _:
                raise Unfit("malformed")
            case _:
                raise Unfit("unknown-event")
        return False

    def result(self) -> dict[str, Json]:
        if any(block.is_open for block in self.blocks.values()):
            raise Unfit("cut")
        told = [self.blocks[index] for index in sorted(self.blocks)]
        blocks = [together(block.start, block.deltas) for block in told]
        message = {**self.message, "content": [block for block in blocks if block is not None]}
        answer = self.stop or {}
        beside = answer.get("output")
        output = {**beside} if isinstance(beside, dict) else {}
        answer = {**answer, "output": {**output, "message": dict(sorted(message.items()))}}
        return dict(sorted(answer.items()))

    def _block(self, index: Json, others: dict[str, Json]) -> _Block:
        """The open block of an event, which is made by the first one that names it."""
        if others:
            raise Unfit("unknown-event")
        if type(index) is not int or index < 0:
            raise Unfit("malformed")
        block = self.blocks.setdefault(index, _Block())
        if not block.is_open:
            raise Unfit("malformed")
        return block
