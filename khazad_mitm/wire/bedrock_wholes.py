"""Answers of models on Bedrock that come whole: embeddings, rankings, pictures, Jurassic-2.

None of these models streams. Asked for a stream, an answer that is known all the same is one
chunk: the request is the same, and Bedrock itself would refuse it.
Source: Amazon Bedrock User Guide, "Inference request parameters and response fields for
foundation models"; Amazon Nova User Guide, "Generating images", "Embeddings".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from khazad_mitm.exchange import Json
from khazad_mitm.wire.bedrock_texts import verdict
from khazad_mitm.wire.unfit import Unfit

_VECTORS = ("embedding", "embeddings", "embeddingsByType")


def merge(chunks: Iterable[Json]) -> dict[str, Json]:
    """The one chunk there is."""
    answers = list(chunks)
    if len(answers) != 1:
        raise Unfit("unknown-event")
    return dict(answers[0])


def split(answer: dict[str, Json]) -> Iterator[dict[str, Json]]:
    yield answer


def is_embedding(answer: dict[str, Json]) -> bool:
    """Of Titan, Cohere or Nova, or of Marengo, which lists them in `data`."""
    match answer:
        case {"data": [{"embedding": _}, *_]}:
            return True
    return any(name in answer for name in _VECTORS)


def judge_embedding(answer: dict[str, Json]) -> str:
    """Raises Unfit where a vector is missing or empty."""
    if answer.get("message"):
        raise Unfit("error")  # Titan Multimodal: what went wrong
    told = [answer[name] for name in (*_VECTORS, "data") if answer.get(name) is not None]
    if not told or not all(map(_is_vector, told)):
        raise Unfit("empty")
    return ""


def is_ranking(answer: dict[str, Json]) -> bool:
    match answer:
        case {"results": [{"index": _, "relevance_score": _}, *_]}:
            return True
    return False


def judge_ranking(answer: dict[str, Json]) -> str:
    match answer:
        case {"results": list(results)} if all(map(_is_score, results)):
            return ""
    raise Unfit("malformed")


def is_picture(answer: dict[str, Json]) -> bool:
    return any(isinstance(answer.get(name), list) for name in ("images", "artifacts"))


def judge_picture(answer: dict[str, Json]) -> str:
    """Raises Unfit where a picture is missing or filtered; null means success at Stability."""
    if answer.get("error"):
        raise Unfit("error")
    artifacts = _list(answer.get("artifacts"))
    if not all(isinstance(artifact, dict) for artifact in artifacts):
        raise Unfit("malformed")
    words = [artifact.get("finishReason") for artifact in artifacts]
    if any(word != "SUCCESS" for word in words):
        raise Unfit("content-filter")
    if any(word not in (None, "SUCCESS") for word in _list(answer.get("finish_reasons"))):
        raise Unfit("content-filter")
    pictures = [*_list(answer.get("images")), *(artifact.get("base64") for artifact in artifacts)]
    if not pictures or not all(isinstance(picture, str) and picture for picture in pictures):
        raise Unfit("empty")
    return ""


def is_jurassic(answer: dict[str, Json]) -> bool:
    match answer:
        case {"completions": [{"data": {"text": _}, "finishReason": _}, *_]}:
            return True
    return False


def judge_jurassic(answer: dict[str, Json]) -> str:
    return verdict(map(_jurassic_text, answer["completions"]))


def _list(value: Json) -> list[Json]:
    """Absent and null are empty."""
    if not isinstance(value, list | None):
        raise Unfit("malformed")
    return value or []


def _jurassic_text(completion: Json) -> tuple[Json, Json]:
    match completion:
        case {"data": {"text": text}, "finishReason": {"reason": word}}:
            return text, word
    raise Unfit("malformed")


def _is_vector(value: Json) -> bool:
    """Numbers, or base64 of them, or lists and objects that hold nothing but filled ones."""
    match value:
        case {"embedding": inner}:
            return _is_vector(inner)
        case dict():
            return bool(value) and all(map(_is_vector, value.values()))
        case list():
            return bool(value) and all(
                isinstance(item, int | float) or _is_vector(item) for item in value
            )
        case str():
            return bool(value)
    return False


def _is_score(result: Json) -> bool:
    match result:
        case {"index": int(), "relevance_score": int() | float()}:
            return True
    return False
