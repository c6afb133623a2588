"""A cross-encoder of sentence-transformers as a verifier: it reads both questions at once.

By its name on the Hugging Face hub or its folder; loaded when it is named, with the rules of
`embed.huggingface`: what lies on this machine is taken as it is, the rest is downloaded, and code
that comes with a model is never run.
"""

from __future__ import annotations

import math
from threading import Lock
from typing import TYPE_CHECKING, Any

from khazad_mitm.embed import huggingface
from khazad_mitm.errors import CacheUnavailable, ConfigError
from khazad_mitm.own_calls import guarded

if TYPE_CHECKING:
    from khazad_mitm.exchange import Pair

AT_LEAST = 0.5
"""Of a score from 0 to 1, as models for duplicate questions are trained to give."""


class CrossEncoderVerifier:
    """A model with one output, on the CPU; one pair at a time, since it spreads over all cores."""

    threads = 2

    def __init__(self, name: str) -> None:
        """`name` may end in `>=0.8`: the least score, in place of 0.5. Raises ConfigError."""
        self._option = f"verifier: 'cross-encoder:{name}'"
        if not huggingface.is_installed():
            raise ConfigError(
                f"{self._option} needs sentence-transformers",
                'pip install "khazad-mitm[huggingface]"',
            )
        model, found, least = name.partition(">=")
        self._at_least = self._score(least) if found else AT_LEAST
        self._lock = Lock()
        self._model = self._loaded(model)
        self.name = f"cross-encoder:{huggingface.identity(model)}>={self._at_least}"

    def approves(self, pair: Pair) -> bool:
        # In both directions: they give different scores, and which question came first is chance.
        both = [(pair.stored, pair.asked), (pair.asked, pair.stored)]
        with self._lock:
            if any(self._is_cut(one, other) for one, other in both):
                return False
            scores = self._model.predict(both, show_progress_bar=False)
        least = min(float(score) for score in scores)
        if not math.isfinite(least):
            raise CacheUnavailable("the cross-encoder gave a score that is not finite")
        return least >= self._at_least

    def _is_cut(self, one: str, other: str) -> bool:
        # The tokenizer's, which sentence-transformers cuts by: its own name for it has changed.
        tokenizer = self._model.tokenizer
        tokens = tokenizer(one, other, truncation=False, verbose=False)
        return bool(len(tokens["input_ids"]) > tokenizer.model_max_length)

    def _score(self, text: str) -> float:
        try:
            score = float(text)
        except ValueError:
            score = math.nan
        if not 0 < score < 1:
            raise ConfigError(f"{self._option}: {text!r} is not a score (expected 0 to 1)")
        return score

    def _loaded(self, name: str) -> Any:
        import torch
        from sentence_transformers import CrossEncoder

        try:
            with guarded():
                model = CrossEncoder(
                    name,
                    device="cpu",
                    local_files_only=huggingface.is_here(name),
                    # Some models' own settings leave the score as it comes.
                    activation_fn=torch.nn.Sigmoid(),
                )
        except Exception as error:
            # An edge: torch, the hub and the model's own configuration may fail in any way.
            reason = (str(error).strip().splitlines() or [""])[0]
            raise ConfigError(
                f"{self._option} cannot be loaded: {type(error).__name__}: {reason}",
                "give a folder, or a cross-encoder on the Hugging Face hub",
            ) from error
        if model.num_labels != 1:
            raise ConfigError(
                f"{self._option} gives {model.num_labels} scores (expected 1)",
                "take a model for duplicate questions; one for inference gives three scores",
            )
        return model
