"""OpenAI's embeddings, or those of a server that speaks like it; through the official SDK.

Key and address come from the environment, as the SDK reads it (`OPENAI_API_KEY`,
`OPENAI_BASE_URL`, ...). The client is our own, and its calls are not looked up. Whether the key is
accepted shows at the first text: nothing is asked, and nothing paid for, before.

A trip takes longer than a model in this process: with the default `embed_deadline_ms` many
questions will be exact only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from khazad_mitm.embed.batcher import THREADS, Batcher
from khazad_mitm.errors import CacheUnavailable, ConfigError

if TYPE_CHECKING:
    from khazad_mitm.exchange import Vector

DEFAULT_MODEL = "text-embedding-3-small"

# In bytes of UTF-8: a token of OpenAI's is at least one byte, so a text of as many bytes as the
# window has tokens is seen whole. Their tokenizer would count closer, and is a download.
WINDOW_BYTES = 8191
KNOWN_MODELS = ("text-embedding-3-small", "text-embedding-3-large", "text-embedding-ada-002")
# Of other models, as servers of one's own have them: the usual window is 512 tokens, two of which
# are the model's, and many servers cut in silence what is longer.
OTHER_WINDOW_BYTES = 510

# Our own limit; the driver's deadline comes first for everyone who waits.
TIMEOUT_S = 10.0

OFFICIAL_HOST = "api.openai.com"


class OpenAIEmbedder:
    """Asks an OpenAI-shaped `/embeddings`; thread-safe, texts that meet go in one call."""

    threads = THREADS
    is_loaded = True

    def __init__(self, model: str | None = None) -> None:
        """Raises ConfigError where the SDK or the key is missing."""
        self._name = model or DEFAULT_MODEL
        self._client = client_for("embedder: 'openai'")
        # A server of one's own may call any model by the name of another.
        host = self._client.base_url.host
        self.model = f"openai/{self._name}" + ("" if host == OFFICIAL_HOST else f"@{host}")
        self._window_bytes = WINDOW_BYTES if self._name in KNOWN_MODELS else OTHER_WINDOW_BYTES
        self._batcher = Batcher(self._call, "khazad-embed-openai")

    def load(self) -> None: ...

    def embed_if_fits(self, text: str) -> Vector | None:
        # The API refuses an empty text, and with it the whole call.
        if not text or len(text.encode()) > self._window_bytes:
            return None
        return self._batcher.embed(text)

    def _call(self, texts: list[str]) -> Any:
        from openai import OpenAIError

        try:
            answer = self._client.embeddings.create(model=self._name, input=texts)
        except OpenAIError as error:
            raise failure_of(error) from error
        rows = sorted(answer.data, key=lambda row: row.index)
        if [row.index for row in rows] != list(range(len(texts))):
            raise CacheUnavailable(f"openai gave {len(rows)} vectors for {len(texts)} texts")
        return [row.embedding for row in rows]


def failure_of(error: Exception) -> CacheUnavailable:
    """What went wrong, without the error's message, which may repeat part of a key."""
    facts = (getattr(error, name, None) for name in ("status_code", "code"))
    told = " ".join(str(fact) for fact in (type(error).__name__, *facts) if fact)
    return CacheUnavailable(f"openai: {told}")


def client_for(whom: str) -> Any:
    """A client of the official SDK; ConfigError, beginning with `whom`, where there can be none."""
    try:
        from openai import OpenAI, OpenAIError
    except ImportError as error:
        raise ConfigError(
            f"{whom} needs the package openai",
            'pip install "khazad-mitm[openai-embeddings]"',
        ) from error
    try:
        # No retries: who asked has gone on by then, and the breaker knows when to try again.
        return OpenAI(timeout=TIMEOUT_S, max_retries=0)
    except OpenAIError as error:
        raise ConfigError(
            f"{whom} cannot be used: {error}",
            "set OPENAI_API_KEY, and OPENAI_BASE_URL for another server than OpenAI's",
        ) from error
