"""Which embedder the settings name. One that was named works when it is handed out, or an error
says what to change; loading what `auto` and `local` mean is left to the caller, in the background.

`auto` is huggingface where sentence-transformers is installed and its default model lies on this
machine, else local: it never downloads. That is decided by what is there, without loading torch. A
model that then fails to load costs the comparison by meaning, and the log says so; going over to
local at that point would put vectors of two models under one name.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Protocol

from khazad_mitm.cache.parts import Embedder
from khazad_mitm.embed import huggingface
from khazad_mitm.embed.callables import CallableEmbedder
from khazad_mitm.embed.local import LocalEmbedder
from khazad_mitm.errors import ConfigError

if TYPE_CHECKING:
    from khazad_mitm.embed.callables import TextsToVectors

logger = logging.getLogger("khazad")


class Chosen(Embedder, Protocol):
    threads: int
    """How many may usefully ask it at once."""


def choose(embedder: str | TextsToVectors, model: str | None, *, embeds: bool = True) -> Chosen:
    """The embedder by its option, with the model of option `embedding_model`.

    `embeds` False: nothing will be asked of it, so nothing is loaded. Raises ConfigError.
    """
    if callable(embedder):
        return CallableEmbedder(embedder, model)
    if embedder == "auto" and model is None:
        return _automatic(embeds)
    if embedder == "openai":
        from khazad_mitm.embed.openai import OpenAIEmbedder

        return OpenAIEmbedder(model)
    # A model without an embedder is one of the hub's, as with the original library.
    if embedder in ("huggingface", "auto"):
        named = huggingface.HuggingFaceEmbedder(model)
        if embeds:
            named.load()
        return named
    if model is not None:
        raise ConfigError(
            f"embedding_model: the local embedder has one model and takes no other"
            f" ({model!r} was given)",
            "leave embedding_model unset, or say embedder=huggingface",
        )
    return LocalEmbedder()


def _automatic(embeds: bool) -> Chosen:
    if not huggingface.is_installed():
        chosen: Chosen = LocalEmbedder()
        why = ""
    elif huggingface.is_here(huggingface.DEFAULT_MODEL):
        chosen = huggingface.HuggingFaceEmbedder(downloads=False)
        why = ""
    else:
        chosen = LocalEmbedder()
        why = f" ({huggingface.DEFAULT_MODEL} is not on this machine: embedder=huggingface gets it)"
    if embeds:
        logger.info("[Khazad] Embedding with %s%s", chosen.model, why)
    return chosen
