"""The providers that one port can stand for: by the first part of a path, or by a host name.

A client that takes a base URL needs no proxy and no certificate: pointed at `http://proxy/openai/v1`
it asks the proxy, which asks `https://api.openai.com/v1`. A name below `localhost` does the same
(`http://openai.localhost:8080/v1`), and behind a name of its own, one that looks like
`openai.anything`.

Bedrock is not here: its requests are signed for the host they are sent to.
Variables are those the SDKs read themselves, as their sources have them (November 2026: openai 3,
anthropic 2, google-genai 3, cohere 7, ollama 0.6, groq 1.7, together 3.1, cerebras-cloud-sdk 1.91).
together before 3 wants `/v1` after what is told here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple
from urllib.parse import urlsplit


class BaseUrl(NamedTuple):
    """One provider."""

    name: str
    url: str
    """Scheme and host, and a path where there is one before the API's own."""
    variable: str = ""
    """The environment variable by which its SDK takes a base URL, where it has one."""
    suffix: str = ""
    """What that base URL ends with."""


BASE_URLS: tuple[BaseUrl, ...] = (
    BaseUrl("openai", "https://api.openai.com", "OPENAI_BASE_URL", "/v1"),
    BaseUrl("anthropic", "https://api.anthropic.com", "ANTHROPIC_BASE_URL"),
    BaseUrl("gemini", "https://generativelanguage.googleapis.com", "GOOGLE_GEMINI_BASE_URL"),
    BaseUrl("cohere", "https://api.cohere.com", "CO_API_URL"),
    BaseUrl("ollama", "http://127.0.0.1:11434", "OLLAMA_HOST"),
    BaseUrl("groq", "https://api.groq.com", "GROQ_BASE_URL"),
    BaseUrl("together", "https://api.together.ai", "TOGETHER_BASE_URL"),
    BaseUrl("cerebras", "https://api.cerebras.ai", "CEREBRAS_BASE_URL"),
    BaseUrl("mistral", "https://api.mistral.ai"),
    BaseUrl("deepseek", "https://api.deepseek.com"),
    BaseUrl("xai", "https://api.x.ai"),
    BaseUrl("openrouter", "https://openrouter.ai"),
    BaseUrl("perplexity", "https://api.perplexity.ai"),
    BaseUrl("fireworks", "https://api.fireworks.ai"),
    BaseUrl("voyage", "https://api.voyageai.com"),
    BaseUrl("jina", "https://api.jina.ai"),
)


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request is really to go."""

    scheme: str
    host: str
    port: int
    path: str
    """And query."""


def with_more(providers: Iterable[BaseUrl], more: Mapping[str, str]) -> tuple[BaseUrl, ...]:
    """The providers, with these URLs in place of, or beside, those of the same name."""
    known = {provider.name: provider for provider in providers}
    for name, url in more.items():
        known[name] = known[name]._replace(url=url) if name in known else BaseUrl(name, url)
    return tuple(known.values())


def target(providers: Iterable[BaseUrl], host: str, path: str) -> Target | None:
    """Where a request for a path at one of our own names is to go; None: that names none."""
    by_name = {provider.name: provider for provider in providers}
    label, _, rest = host.lower().partition(".")
    if rest and label in by_name:
        return _at(by_name[label], path)
    path, question, query = path.partition("?")
    name, _, below = path.removeprefix("/").partition("/")
    if name in by_name:
        return _at(by_name[name], f"/{below}{question}{query}")
    return None


def variables(providers: Iterable[BaseUrl], proxy: str) -> dict[str, str]:
    """The base URLs to give to clients, for a proxy at this URL."""
    base = proxy.rstrip("/")
    return {
        provider.variable: f"{base}/{provider.name}{provider.suffix}"
        for provider in providers
        if provider.variable
    }


def _at(provider: BaseUrl, path: str) -> Target:
    parts = urlsplit(provider.url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    return Target(parts.scheme, parts.hostname or "", port, parts.path.rstrip("/") + path)
