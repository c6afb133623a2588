"""Any model that sentence-transformers can load, by its name on the Hugging Face hub or its folder.

What lies in the hub's cache on this machine is taken as it is: nothing asks whether there is a
newer one, so a start needs no network and the vectors stay comparable. Only what is not there is
downloaded. Code that comes with a model is never run.
"""

from __future__ import annotations

import hashlib
import logging
import os
from importlib.util import find_spec
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any

from khazad_mitm.embed.unit import unit_rows
from khazad_mitm.errors import ConfigError
from khazad_mitm.own_calls import guarded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from khazad_mitm.exchange import Vector

DEFAULT_MODEL = "redis/langcache-embed-v2"

# What a usable copy in the hub's cache has, and one of the second. The hub's library puts a file
# there when it is whole. Models in several files of weights are not recognised: they take the
# network at every start.
NEEDED = ("modules.json", "config.json", "tokenizer_config.json")
WEIGHTS = ("model.safetensors", "pytorch_model.bin")

# For the hub's first answer. Its library tries each file for half a minute, a dozen of them, before
# it believes that there is no network: so one question goes first.
HUB_TIMEOUT_S = 10.0

# Of a file of weights, as many pieces of so many bytes, evenly spread: training moves nearly every
# number of a layer, and no layer is as short as the gaps. Reading all takes a second a gigabyte.
PIECES = 256
PIECE_BYTES = 4096

logger = logging.getLogger("khazad")


class HuggingFaceEmbedder:
    """A sentence-transformers model on the CPU, in float32; thread-safe, one text at a time."""

    threads = 1

    def __init__(self, name: str | None = None, *, downloads: bool = True) -> None:
        """Loads nothing yet. Raises ConfigError where sentence-transformers is not installed."""
        if not is_installed():
            raise ConfigError(
                "embedder: 'huggingface' needs sentence-transformers",
                'pip install "khazad-mitm[huggingface]"',
            )
        self._name = name or DEFAULT_MODEL
        self._downloads = downloads
        # Neither the tokenizer's cutting and padding nor every module is safe to share; the
        # network itself spreads over all cores anyway.
        self._lock = Lock()
        self._loaded: tuple[Any, frozenset[int]] | None = None
        self.model = identity(self._name)

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    @property
    def window(self) -> int | None:
        """Tokens; None: not loaded yet, or the model does not say."""
        return None if self._loaded is None else self._loaded[0].max_seq_length

    def load(self) -> None:
        """Read the model, and download it first where it must be.

        Raises ConfigError where that fails. Afterwards `model` names the very version.
        """
        with self._lock:
            self._load()

    def embed_if_fits(self, text: str) -> Vector | None:
        with self._lock:
            model, always = self._load()
            if not _is_seen_whole(text, model, always):
                return None
            rows = unit_rows([model.encode(text, show_progress_bar=False)], 1)
        vector: Vector = rows[0]
        return vector

    def _load(self) -> tuple[Any, frozenset[int]]:
        if self._loaded is None:
            # The hub is asked through httpx. What it does on threads of its own is not covered,
            # but is no POST either.
            with guarded():
                model = _read(self._name, self._downloads)
            self.model = identity(self._name)
            self._loaded = (model, frozenset(_tokens("", model)))
        return self._loaded


def is_installed() -> bool:
    return find_spec("sentence_transformers") is not None


def is_here(name: str) -> bool:
    """Is it a folder, or in the hub's cache, so that no network is needed?"""
    return Path(name).is_dir() or _cached(name) is not None


def _read(name: str, downloads: bool) -> Any:
    logger.info("[Khazad] Loading embedding model %s", name)
    try:
        if is_here(name):
            try:
                return _loaded(name, local_files_only=True)
            except Exception:
                # A download that was broken off, perhaps.
                if Path(name).is_dir() or not downloads:
                    raise
        _ask_the_hub(name)
        logger.info("[Khazad] Downloading embedding model %s", name)
        return _loaded(name, local_files_only=False)
    except Exception as error:
        # An edge: torch, the hub and the model's own configuration may fail in any way.
        reason = (str(error).strip().splitlines() or [""])[0]
        raise ConfigError(
            f"embedding_model: {name!r} cannot be loaded: {type(error).__name__}: {reason}",
            "give a folder, or a model of sentence-transformers on the Hugging Face hub; a model"
            " of OpenAI's needs embedder=openai",
        ) from error


def _loaded(name: str, *, local_files_only: bool) -> Any:
    from sentence_transformers import SentenceTransformer

    # The files may be in 16 bits: `float` makes that 32.
    return SentenceTransformer(name, device="cpu", local_files_only=local_files_only).float()


def _ask_the_hub(name: str) -> None:
    """Raises what the hub's library raises where there is no such model, or no network."""
    from huggingface_hub import model_info

    model_info(_repository(name), timeout=HUB_TIMEOUT_S)


def _is_seen_whole(text: str, model: Any, always: frozenset[int]) -> bool:
    window = model.max_seq_length
    if window is None:
        return True
    # No tokenizer makes one token of more text than this, but of blanks: megabytes are refused
    # without reading them.
    if len(text) > window * 100:
        return False
    tokens = _tokens(_prompt(model) + text, model)
    # What it cannot read is one and the same token whatever it says; see `local`.
    unknown = getattr(model.tokenizer, "unk_token_id", None)
    return len(tokens) <= window and (unknown in always or unknown not in tokens)


def _tokens(text: str, model: Any) -> list[int]:
    """All of them: neither cut nor padded."""
    encoded = model.tokenizer(text, truncation=False, padding=False, verbose=False)
    ids: list[int] = encoded["input_ids"]
    return ids


def _prompt(model: Any) -> str:
    """What the model puts before every text."""
    return (model.prompts or {}).get(model.default_prompt_name) or ""


def identity(name: str) -> str:
    """Names the weights: with the version in the hub's cache, or a digest of the folder's files.

    The path of a folder does not count: the same files elsewhere are the same model.
    """
    folder = Path(name)
    if folder.is_dir():
        return f"{folder.resolve().name}@{_digest(folder)[:12]}"
    snapshot = _cached(name)
    return name if snapshot is None else f"{name}@{snapshot.name[:12]}"


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in (".safetensors", ".bin", ".json", ".txt", ".model") and path.is_file():
            digest.update(f"{path.relative_to(folder).as_posix()} {path.stat().st_size}\n".encode())
            for piece in _pieces(path):
                digest.update(piece)
    return digest.hexdigest()


def _pieces(path: Path) -> Iterator[bytes]:
    step = max(path.stat().st_size // PIECES, PIECE_BYTES)
    with path.open("rb") as file:
        for start in range(0, path.stat().st_size, step):
            file.seek(start)
            yield file.read(PIECE_BYTES)


def _cached(name: str) -> Path | None:
    """The newest whole copy in the hub's cache; None: none, or not by this name."""
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError:
        # It comes with sentence-transformers; where it does not load, loading will say why.
        return None
    cache = os.environ.get("SENTENCE_TRANSFORMERS_HOME")

    def find(file: str) -> Path | None:
        found = try_to_load_from_cache(_repository(name), file, cache_dir=cache)
        return Path(found) if isinstance(found, str) else None

    try:
        if all(map(find, NEEDED)) and any(map(find, WEIGHTS)):
            found = find(NEEDED[0])
            return None if found is None else found.parent
    except HFValidationError:
        pass
    return None


def _repository(name: str) -> str:
    """As sentence-transformers does with bare names."""
    return name if "/" in name else f"sentence-transformers/{name}"
