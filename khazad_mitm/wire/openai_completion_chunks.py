"""A legacy completion taken apart into chunks and put together from them.

`merge` reads the chunks of a stream as one `text_completion`; `split` is its inverse. A chunk has
the same shape as the whole, so all fields travel: texts and lists of logprobs grow, the rest is
as the last chunk says. Knows nothing of bytes, frames and requests.

Source: OpenAI API reference, "The completion object".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from khazad_mitm.exchange import Json
from khazad_mitm.wire.openai_chunks import PADDING, is_error
from khazad_mitm.wire.ordered import ordered
from khazad_mitm.wire.unfit import Unfit

_TOP = ("id", "object", "created", "model", "choices", "usage")
_CHOICE = ("text", "index", "logprobs", "finish_reason")
_LOGPROBS = ("tokens", "token_logprobs", "top_logprobs", "text_offset")


def merge(chunks: Iterable[Json]) -> dict[str, Json]:
    """One completion from all chunks of a stream. Raises Unfit where they make none."""
    top: dict[str, Json] = {}
    choices: dict[int, dict[str, Json]] = {}
    for chunk in chunks:
        if not isinstance(chunk, dict):
            raise Unfit("malformed")
        if is_error(chunk):
            raise Unfit("error")
        pieces = chunk.get("choices")
        if pieces is None and "usage" in chunk:
            pieces = []
        if not isinstance(pieces, list):
            raise Unfit("malformed")
        for position, piece in enumerate(pieces):
            _grow(choices, piece, position)
        for name, value in chunk.items():
            if name != "choices" and name not in PADDING and (value is not None or name not in top):
                top[name] = value
    if not choices:
        raise Unfit("empty")
    if top.get("usage", 0) is None:
        del top["usage"]  # announced in every chunk, and never told
    top["choices"] = [ordered(choices[index], _CHOICE) for index in sorted(choices)]
    return ordered(top, _TOP)


def split(completion: dict[str, Json], usage_at: str) -> Iterator[dict[str, Json]]:
    """The chunks that say what `completion` says. `usage_at`: as `openai_stream.usage_at`."""
    usage = completion.get("usage")
    shared = {name: value for name, value in completion.items() if name not in ("choices", "usage")}
    *others, last = completion["choices"]
    for position, choice in enumerate(others):
        yield from ({**shared, "choices": [piece]} for piece in _pieces(choice, position))
    said, end = _pieces(last, len(others))
    yield {**shared, "choices": [said]}
    told = {"usage": usage} if usage is not None and usage_at == "last" else {}
    yield {**shared, "choices": [end], **told}
    if usage is not None and usage_at == "own":
        yield {**shared, "choices": [], "usage": usage}


def _pieces(choice: dict[str, Json], position: int) -> tuple[dict[str, Json], dict[str, Json]]:
    """What a choice says, then its end: clients stop adding up at the `finish_reason`."""
    said = {
        "text": choice["text"],
        "index": position,
        "logprobs": choice.get("logprobs"),
        "finish_reason": None,
    }
    return said, {**choice, "text": "", "index": position, "logprobs": None}


def _grow(choices: dict[int, dict[str, Json]], piece: Json, position: int) -> None:
    if not isinstance(piece, dict):
        raise Unfit("malformed")
    index = piece.get("index", position)
    if type(index) is not int or index < 0:
        raise Unfit("malformed")
    choice = choices.setdefault(index, {"text": "", "index": index})
    if choice.get("finish_reason") and piece.get("text"):
        raise Unfit("malformed")
    for name, value in piece.items():
        match name, value:
            case "text", str(text):
                choice["text"] += text
            case "text", None:
                pass
            case "text", _:
                raise Unfit("malformed")
            case "logprobs", dict() if isinstance(choice.get(name), dict | None):
                choice[name] = _longer(choice.get(name) or {}, value)
            case "logprobs", _ if value is not None and choice.get(name) is not None:
                raise Unfit("malformed")
            case _ if value is not None or name not in choice:
                choice[name] = value


def _longer(old: dict[str, Json], new: dict[str, Json]) -> dict[str, Json]:
    grown = {**old}
    for name, value in new.items():
        known = old.get(name)
        both = isinstance(known, list) and isinstance(value, list)
        grown[name] = known + value if both else (known if value is None else value)
    return ordered(grown, _LOGPROBS)
