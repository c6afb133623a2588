"""Amazon Nova's streams on Bedrock's invoke: the events of Converse, each an object of one key.

Nova gives every piece of a text a block and an index of its own, and its plain JSON one block for
the whole text. So neighbouring texts are joined here, which in Converse would be a loss.
Source: Amazon Nova User Guide, "Using the Invoke API"; wires in tests/wires/bedrock_invoke.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from khazad_mitm.exchange import Json
from khazad_mitm.wire import bedrock_converse_events as converse
from khazad_mitm.wire.unfit import Unfit


def merge(chunks: Iterable[Json]) -> dict[str, Json]:
    """One answer from the chunks of a stream. Raises Unfit where they make none."""
    answer = converse.merge(map(_named, chunks))
    message = answer["output"]["message"]
    message["content"] = _joined(message["content"])
    return answer


def split(answer: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The chunks that say what `answer` says."""
    for name, fields in converse.split(answer):
        yield {name: fields}


def _named(chunk: Json) -> tuple[str, Json]:
    if not isinstance(chunk, dict):
        raise Unfit("malformed")
    if len(chunk) != 1:
        raise Unfit("unknown-event")
    return next(iter(chunk.items()))


def _joined(blocks: list[dict[str, Json]]) -> list[dict[str, Json]]:
    joined: list[dict[str, Json]] = []
    for block in blocks:
        if joined and _is_text(joined[-1]) and _is_text(block):
            joined[-1] = {"text": joined[-1]["text"] + block["text"]}
        else:
            joined.append(block)
    return joined


def _is_text(block: dict[str, Json]) -> bool:
    return block.keys() == {"text"} and isinstance(block["text"], str)
