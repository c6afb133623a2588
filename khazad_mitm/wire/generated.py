"""How many of an answer's tokens the model has written, in the words of every format.

Those cost several times as much as the ones it has read. Thoughts that are billed and not shown
count where the provider counts them.
"""

from __future__ import annotations

from khazad_mitm.exchange import Json


def output_tokens(answer: Json) -> int:
    """Of a decoded plain answer; 0 where it does not say."""
    match answer:
        case (
            {"usage": {"completion_tokens": count}}  # OpenAI and who speaks like it
            | {"usage": {"output_tokens": count}}  # Anthropic, Responses
            | {"usage": {"outputTokens": count}}  # Bedrock, Nova
            | {"usage": {"tokens": {"output_tokens": count}}}  # Cohere v2
            | {"meta": {"tokens": {"output_tokens": count}}}  # Cohere v1
            | {"generation_token_count": count}  # Llama on Bedrock
            | {"results": [{"tokenCount": count}]}  # Titan
            | {"eval_count": count}  # Ollama
        ):
            return _whole(count)
        case {"usageMetadata": {**counts}}:  # Gemini
            names = ("candidatesTokenCount", "thoughtsTokenCount")
            return sum(_whole(counts.get(name)) for name in names)
    return 0


def _whole(count: Json) -> int:
    """Cohere counts with floats; others leave a null."""
    return max(0, int(count)) if type(count) in (int, float) else 0
