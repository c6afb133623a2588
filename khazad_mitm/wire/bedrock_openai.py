"""OpenAI's words on Bedrock's invoke, and Mistral Large's, which are nearly the same.

Mistral Large says `stop_reason` for `finish_reason`, and calls the delta of a chunk `message`.
Source: Amazon Bedrock User Guide, "Mistral AI chat completion".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from khazad_mitm.exchange import Json
from khazad_mitm.wire import openai_chat, openai_chunks
from khazad_mitm.wire.unfit import Unfit


def has_choices(answer: dict[str, Json], *names: str) -> bool:
    """Choices, each with these fields."""
    choices = answer.get("choices")
    return (
        isinstance(choices, list)
        and bool(choices)
        and all(isinstance(choice, dict) and choice.keys() >= {*names} for choice in choices)
    )


def opens(chunk: dict[str, Json]) -> bool:
    """Does this chunk open a stream as OpenAI's do?"""
    return has_choices(chunk, "delta") or chunk.get("choices") == []


def judge(answer: dict[str, Json]) -> str:
    """As OpenAI's."""
    return openai_chat.judge(_renamed(answer, {"stop_reason": "finish_reason"}))


def merge(chunks: Iterable[Json]) -> dict[str, Json]:
    """One answer of Mistral Large. Raises Unfit where the chunks make none."""
    names = {"stop_reason": "finish_reason", "message": "delta"}
    completion = openai_chunks.merge(_renamed(chunk, names) for chunk in chunks)
    return _renamed(completion, {"finish_reason": "stop_reason"})


def split(answer: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """The chunks that say what `answer` of Mistral Large says."""
    completion = _renamed(answer, {"stop_reason": "finish_reason"})
    for chunk in openai_chunks.split(completion, usage_at="own"):
        yield _renamed(chunk, {"finish_reason": "stop_reason", "delta": "message"})


def _renamed(told: Json, names: dict[str, str]) -> dict[str, Json]:
    """`told` with the fields of its choices renamed."""
    match told:
        case {"choices": list(choices)} if all(isinstance(choice, dict) for choice in choices):
            renamed = [
                {names.get(name, name): value for name, value in choice.items()}
                for choice in choices
            ]
            return {**told, "choices": renamed}
        case dict():
            return told
    raise Unfit("malformed")
