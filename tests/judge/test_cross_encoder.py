"""Needs torch: runs where sentence-transformers is installed (CONTRIBUTING.md)."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.errors import CacheUnavailable, ConfigError
from khazad_mitm.exchange import Pair
from khazad_mitm.judge.choose import choose

pytest.importorskip(
    "sentence_transformers", reason="sentence-transformers is not installed (torch is gigabytes)"
)

PAIR = Pair("how do i pay", "how can i pay", 0.95)
WORDS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"how do can i pay for it".split()]


def made(folder: Path, labels: int = 1) -> Path:
    """A model as small as they come, with random weights: what it says means nothing."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(7)
    config = BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2,
        intermediate_size=16, max_position_embeddings=16, num_labels=labels,
    )  # fmt: skip
    BertForSequenceClassification(config).save_pretrained(folder)
    (folder / "vocab.txt").write_text("\n".join(WORDS))
    tokenizer = BertTokenizerFast(vocab_file=str(folder / "vocab.txt"), model_max_length=16)
    tokenizer.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("tiny"))


def test_a_pair_is_approved_from_the_least_score_on(folder: Path) -> None:
    scored: Any = choose(f"cross-encoder:{folder}")
    both = [(PAIR.stored, PAIR.asked), (PAIR.asked, PAIR.stored)]
    score = float(min(scored._model.predict(both, show_progress_bar=False)))

    assert 0 < score < 1
    assert choose(f"cross-encoder:{folder}>={score - 0.001:.4f}").approves(PAIR)
    assert not choose(f"cross-encoder:{folder}>={score + 0.001:.4f}").approves(PAIR)


def test_which_question_came_first_does_not_count(folder: Path) -> None:
    verifier = choose(f"cross-encoder:{folder}>=0.4")
    turned = replace(PAIR, stored=PAIR.asked, asked=PAIR.stored)

    assert verifier.approves(PAIR) is verifier.approves(turned)


def test_what_the_model_would_not_see_whole_is_not_approved(folder: Path) -> None:
    long = " ".join(["pay"] * 20)

    assert not choose(f"cross-encoder:{folder}>=0.0001").approves(Pair(long, long + " it", 0.99))


def test_a_score_that_is_none_is_no_opinion(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    verifier: Any = choose(f"cross-encoder:{folder}")
    monkeypatch.setattr(verifier._model, "predict", lambda *_, **__: [float("nan"), 0.9])
    with pytest.raises(CacheUnavailable, match="not finite"):
        verifier.approves(PAIR)


def test_the_name_tells_the_weights_and_the_least_score(folder: Path) -> None:
    name = choose(f"cross-encoder:{folder}>=0.8").name

    assert name.startswith(f"cross-encoder:{folder.name}@")
    assert name.endswith(">=0.8")


@pytest.mark.parametrize("score", ["2", "high", ""])
def test_a_score_out_of_bounds_is_refused(folder: Path, score: str) -> None:
    with pytest.raises(ConfigError, match="is not a score"):
        choose(f"cross-encoder:{folder}>={score}")


def test_a_model_of_several_scores_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"gives 3 scores \(expected 1\)"):
        choose(f"cross-encoder:{made(tmp_path, labels=3)}")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be loaded"):
        choose(f"cross-encoder:{tmp_path}")
