"""The families of models on Bedrock's invoke: one row each, how answers and streams are told.

The shape of an answer says whose it is; ids do not, as imported and customised models have any.
Source: Amazon Bedrock User Guide, "Inference request parameters and response fields for
foundation models".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from khazad_mitm.exchange import Json
from khazad_mitm.wire import (
    anthropic_events,
    anthropic_message,
    bedrock_message,
    bedrock_nova,
    bedrock_openai,
    bedrock_wholes,
    cohere_v1,
    openai_chat,
    openai_chunks,
)
from khazad_mitm.wire.bedrock_texts import Texts, verdict
from khazad_mitm.wire.unfit import Unfit

_Fields = dict[str, Json]


@dataclass(frozen=True, slots=True)
class Family:
    """How one family of models tells its answers."""

    answers: Callable[[_Fields], bool]
    """Is this a plain answer of the family?"""
    judge: Callable[[_Fields], str]
    """As every provider's: why an answer may serve exact repeats only; raises Unfit."""
    streams: Callable[[_Fields], bool]
    """Does this chunk open a stream of the family?"""
    merge: Callable[[Iterable[Json]], _Fields]
    split: Callable[[_Fields], Iterator[_Fields]]
    tokens: Callable[[_Fields], int] | None = None
    """What a hit saves, where it is more than both `counts`."""
    ends_itself: bool = False
    """Its streams have a last event of their own; `merge` reads no further."""


def of_answer(answer: _Fields) -> Family:
    """Whose this plain answer is. Raises Unfit where nobody's."""
    return _first(family for family in FAMILIES if family.answers(answer))


def of_stream(chunk: _Fields) -> Family:
    """Whose stream this chunk opens. Raises Unfit where nobody's."""
    return _first(family for family in FAMILIES if family.streams(chunk))


def counts(answer: _Fields) -> tuple[int, int] | None:
    """Tokens of prompt and completion; None where an answer of the family does not say."""
    match answer:
        case {"usage": {"input_tokens": int(prompt), "output_tokens": int(completion)}}:
            return prompt, completion
        case {"usage": {"inputTokens": int(prompt), "outputTokens": int(completion)}}:
            return prompt, completion
        case {"usage": {"prompt_tokens": int(prompt), "completion_tokens": int(completion)}}:
            return prompt, completion
        case {"prompt_token_count": int(prompt), "generation_token_count": int(completion)}:
            return prompt, completion
        case {"inputTextTokenCount": prompt, "results": [{"tokenCount": completion}]}:
            return _whole_number(prompt), _whole_number(completion)
        case {"inputTextTokenCount": prompt}:
            return _whole_number(prompt), 0
    return None


def _whole_number(count: Json) -> int:
    """Behind a guardrail Titan counts with floats."""
    match count:
        case int():
            return int(count)
        case float() if count.is_integer():
            return int(count)
    return 0


def _first(families: Iterator[Family]) -> Family:
    for family in families:
        return family
    raise Unfit("unknown-shape")


def _of_texts(texts: Texts) -> Family:
    return Family(texts.answers, texts.judge, texts.streams, texts.merge, texts.split)


def _whole(answers: Callable[[_Fields], bool], judge: Callable[[_Fields], str]) -> Family:
    return Family(answers, judge, answers, bedrock_wholes.merge, bedrock_wholes.split)


def _judge_cohere(answer: _Fields) -> str:
    """Words as the other texts'; a tool call or search queries need no text."""
    says = "it" if cohere_v1.says_something(answer) else ""
    return verdict([(says, answer["finish_reason"])])


FAMILIES: tuple[Family, ...] = (
    Family(
        answers=lambda answer: answer.get("type") == "message" and "content" in answer,
        judge=anthropic_message.judge,
        streams=lambda chunk: chunk.get("type") in ("message_start", "ping", "error"),
        merge=anthropic_events.merge,
        split=anthropic_events.split,
        tokens=anthropic_message.tokens,
        ends_itself=True,
    ),
    Family(
        answers=lambda answer: "output" in answer and "stopReason" in answer,
        judge=bedrock_message.judge,
        streams=lambda chunk: "messageStart" in chunk,
        merge=bedrock_nova.merge,
        split=bedrock_nova.split,
        tokens=bedrock_message.tokens,
        ends_itself=True,
    ),
    # OpenAI's words: gpt-oss, Jamba, Pixtral, Qwen, DeepSeek, Gemma and whoever came later.
    Family(
        answers=lambda answer: bedrock_openai.has_choices(answer, "message", "finish_reason"),
        judge=openai_chat.judge,
        streams=bedrock_openai.opens,
        merge=openai_chunks.merge,
        split=lambda answer: openai_chunks.split(answer, usage_at="own"),
    ),
    # Mistral Large: nearly the same, with `stop_reason`.
    Family(
        answers=lambda answer: bedrock_openai.has_choices(answer, "message", "stop_reason"),
        judge=bedrock_openai.judge,
        streams=lambda chunk: bedrock_openai.has_choices(chunk, "message", "stop_reason"),
        merge=bedrock_openai.merge,
        split=bedrock_openai.split,
    ),
    # Llama
    _of_texts(Texts("generation", "stop_reason")),
    # Titan
    _of_texts(
        Texts(
            "outputText",
            "completionReason",
            among="results",
            is_flat=True,
            beside=("inputTextTokenCount",),
            renamed={"totalOutputTextTokenCount": "tokenCount"},
        )
    ),
    # Mistral
    _of_texts(Texts("text", "stop_reason", among="outputs")),
    # DeepSeek-R1; imported models in the words of vLLM
    _of_texts(Texts("text", "stop_reason", among="choices")),
    _of_texts(Texts("text", "finish_reason", among="choices")),
    # Claude before Messages
    _of_texts(Texts("completion", "stop_reason")),
    # Cohere Command
    _of_texts(
        Texts(
            "text",
            "finish_reason",
            among="generations",
            is_flat=True,
            beside=("prompt",),
            at_end="is_finished",
        )
    ),
    # Cohere Command R
    Family(
        answers=lambda answer: "text" in answer and "finish_reason" in answer,
        judge=_judge_cohere,
        streams=lambda chunk: "event_type" in chunk,
        merge=cohere_v1.merge,
        split=cohere_v1.split,
        ends_itself=True,
    ),
    _whole(bedrock_wholes.is_jurassic, bedrock_wholes.judge_jurassic),
    _whole(bedrock_wholes.is_embedding, bedrock_wholes.judge_embedding),
    _whole(bedrock_wholes.is_picture, bedrock_wholes.judge_picture),
    _whole(bedrock_wholes.is_ranking, bedrock_wholes.judge_ranking),
    # TwelveLabs Pegasus; last, as embeddings may have a `message` too
    _of_texts(Texts("message", "finishReason")),
)
