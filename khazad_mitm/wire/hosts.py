"""The LLM hosts the world knows: whose TLS may be decrypted without being asked to.

One table. Recognising a request needs more than a host (path and body shape, in each provider's
file); deciding which connection to look into has nothing but the host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple


class Host(NamedTuple):
    """One row of the table."""

    pattern: str
    """An exact name, `*.suffix` for every name below it, or `*` for one label or part of one."""
    speaks: str
    """Wire formats, as in `Provider.name`; others of the same host may pass by."""
    model_in_path: str = ""
    """The path segment that precedes the model, or "" where the body names it."""


KNOWN: tuple[Host, ...] = (
    Host("api.openai.com", "openai-chat openai-responses openai-completions embeddings"),
    Host("*.api.openai.com", "openai-chat openai-responses openai-completions embeddings"),
    Host(
        "*.openai.azure.com",
        "openai-chat openai-responses openai-completions embeddings",
        "deployments",
    ),
    Host(
        "*.cognitiveservices.azure.com",
        "openai-chat openai-responses openai-completions embeddings",
        "deployments",
    ),
    Host("*.services.ai.azure.com", "openai-chat openai-responses anthropic-messages embeddings"),
    Host("*.models.ai.azure.com", "openai-chat embeddings"),
    Host("models.inference.ai.azure.com", "openai-chat embeddings"),
    Host("models.github.ai", "openai-chat embeddings"),
    Host("api.githubcopilot.com", "openai-chat openai-responses"),
    Host("api.anthropic.com", "anthropic-messages"),
    Host("generativelanguage.googleapis.com", "gemini openai-chat embeddings", "models"),
    Host("aiplatform.googleapis.com", "gemini anthropic-messages openai-chat", "models"),
    Host("*-aiplatform.googleapis.com", "gemini anthropic-messages openai-chat", "models"),
    Host("aiplatform.*.rep.googleapis.com", "gemini anthropic-messages openai-chat", "models"),
    Host("bedrock-runtime.*.amazonaws.com", "bedrock-converse bedrock-invoke openai-chat", "model"),
    Host(
        "bedrock-runtime-fips.*.amazonaws.com",
        "bedrock-converse bedrock-invoke openai-chat",
        "model",
    ),
    Host(
        "bedrock-runtime.*.amazonaws.com.cn", "bedrock-converse bedrock-invoke openai-chat", "model"
    ),
    Host(
        "*.bedrock-runtime.*.vpce.amazonaws.com",
        "bedrock-converse bedrock-invoke openai-chat",
        "model",
    ),
    Host("bedrock-mantle.*.api.aws", "openai-chat openai-responses"),
    Host("api.cohere.com", "cohere-chat embeddings"),
    Host("api.cohere.ai", "cohere-chat embeddings openai-chat"),
    Host("api.mistral.ai", "openai-chat openai-completions embeddings"),
    Host("codestral.mistral.ai", "openai-chat openai-completions"),
    Host("api.groq.com", "openai-chat openai-responses"),
    Host("api.deepseek.com", "openai-chat openai-responses openai-completions anthropic-messages"),
    Host("api.x.ai", "openai-chat openai-responses openai-completions anthropic-messages"),
    Host("*.api.x.ai", "openai-chat openai-responses"),
    Host(
        "openrouter.ai",
        "openai-chat openai-responses openai-completions anthropic-messages embeddings",
    ),
    Host("api.together.xyz", "openai-chat openai-completions embeddings"),
    Host("api.together.ai", "openai-chat openai-completions embeddings"),
    Host("api.cerebras.ai", "openai-chat openai-completions"),
    Host("api.perplexity.ai", "openai-chat openai-responses embeddings"),
    Host("router.huggingface.co", "openai-chat openai-responses embeddings"),
    Host("api-inference.huggingface.co", "openai-chat"),
    Host("*.endpoints.huggingface.cloud", "openai-chat"),
    Host(
        "*.cloud.databricks.com",
        "openai-chat openai-responses openai-completions anthropic-messages embeddings",
        "serving-endpoints",
    ),
    Host(
        "*.azuredatabricks.net",
        "openai-chat openai-responses openai-completions anthropic-messages embeddings",
        "serving-endpoints",
    ),
    Host(
        "*.gcp.databricks.com",
        "openai-chat openai-responses openai-completions anthropic-messages embeddings",
        "serving-endpoints",
    ),
    Host("*.snowflakecomputing.com", "openai-chat"),
    Host("api.cloudflare.com", "openai-chat openai-responses embeddings"),
    Host(
        "gateway.ai.cloudflare.com",
        "openai-chat openai-responses anthropic-messages gemini bedrock-converse embeddings",
    ),
    Host("api.fireworks.ai", "openai-chat openai-completions embeddings"),
    Host("api.sambanova.ai", "openai-chat"),
    Host("integrate.api.nvidia.com", "openai-chat embeddings"),
    Host("api.z.ai", "openai-chat anthropic-messages"),
    Host("open.bigmodel.cn", "openai-chat anthropic-messages"),
    Host("api.moonshot.ai", "openai-chat anthropic-messages"),
    Host("api.moonshot.cn", "openai-chat anthropic-messages"),
    Host("dashscope.aliyuncs.com", "openai-chat embeddings"),
    Host("dashscope-intl.aliyuncs.com", "openai-chat embeddings"),
    Host("dashscope-us.aliyuncs.com", "openai-chat embeddings"),
    Host("api.minimax.io", "openai-chat anthropic-messages"),
    Host("api.minimax.chat", "openai-chat"),
    Host("api.minimaxi.com", "openai-chat anthropic-messages"),
    Host("ark.cn-beijing.volces.com", "openai-chat openai-responses embeddings"),
    Host("api.voyageai.com", "embeddings"),
    Host("api.jina.ai", "embeddings"),
    Host(
        "api.portkey.ai",
        "openai-chat openai-responses openai-completions anthropic-messages embeddings",
    ),
    Host("ai-gateway.vercel.sh", "openai-chat openai-responses anthropic-messages embeddings"),
    Host("api.writer.com", "openai-chat"),
    Host("*.crusoecloud.com", "openai-chat"),
    Host("api.ai21.com", "openai-chat"),
    Host("api.deepinfra.com", "openai-chat openai-completions embeddings"),
    Host("api.hyperbolic.xyz", "openai-chat"),
    Host("api.novita.ai", "openai-chat"),
    Host("api.studio.nebius.com", "openai-chat embeddings"),
    Host("api.tokenfactory.nebius.com", "openai-chat embeddings"),
    Host("api.aleph-alpha.com", "openai-chat openai-completions"),
    Host("api.inference.net", "openai-chat"),
    Host("api.friendli.ai", "openai-chat"),
    Host("api.siliconflow.com", "openai-chat embeddings"),
    Host("api.siliconflow.cn", "openai-chat embeddings"),
    Host("inference.baseten.co", "openai-chat"),
    Host("api.stepfun.com", "openai-chat"),
    Host("llm.chutes.ai", "openai-chat"),
    Host("ollama.com", "ollama openai-chat"),
)


def is_known(host: str) -> bool:
    """Is this the name of an LLM host? Case-blind; a trailing dot does not count."""
    return _table().fullmatch(_normalise(host)) is not None


def matches(host: str, patterns: Iterable[str]) -> bool:
    """Does any pattern name this host? `*.example.com` covers every name below, not itself."""
    name = _normalise(host)
    return any(_pattern(pattern).fullmatch(name) for pattern in patterns)


def _normalise(host: str) -> str:
    return host.strip().lower().removesuffix(".")


@lru_cache(maxsize=1024)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(expression(pattern))


@lru_cache(maxsize=1)
def _table() -> re.Pattern[str]:
    return re.compile("|".join(expression(host.pattern) for host in KNOWN))


def expression(pattern: str) -> str:
    """A leading `*.` stands for one label or more; any other `*` stays within its label."""
    pattern = _normalise(pattern)
    if pattern.startswith("*."):
        return r"(?:[^.]+\.)+" + expression(pattern[2:])
    return "[^.]+".join(map(re.escape, pattern.split("*")))
