from __future__ import annotations

from typing import Any

import pytest

from khazad_mitm.embed import huggingface
from khazad_mitm.embed.callables import CallableEmbedder
from khazad_mitm.embed.choose import choose
from khazad_mitm.embed.huggingface import HuggingFaceEmbedder
from khazad_mitm.embed.local import LocalEmbedder
from khazad_mitm.errors import ConfigError


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Any:
    caplog.set_level("INFO", "khazad")
    return lambda: caplog.messages


def machine(monkeypatch: pytest.MonkeyPatch, *, installed: bool, here: bool) -> list[str]:
    """Where sentence-transformers and its default model are or are not; the models read."""
    read: list[str] = []

    def read_model(name: str, downloads: bool) -> Any:
        read.append(name)
        raise ConfigError("not loaded in this test")

    monkeypatch.setattr(huggingface, "is_installed", lambda: installed)
    monkeypatch.setattr(huggingface, "is_here", lambda name: here)
    monkeypatch.setattr(huggingface, "identity", lambda name: name)
    monkeypatch.setattr(huggingface, "_read", read_model)
    return read


def test_auto_is_local_without_sentence_transformers(
    monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    machine(monkeypatch, installed=False, here=False)

    assert isinstance(choose("auto", None), LocalEmbedder)
    assert [f"[Khazad] Embedding with {LocalEmbedder.model}"] == lines()


def test_auto_downloads_nothing(monkeypatch: pytest.MonkeyPatch, lines: Any) -> None:
    read = machine(monkeypatch, installed=True, here=False)

    assert isinstance(choose("auto", None), LocalEmbedder)
    assert [] == read
    assert "redis/langcache-embed-v2 is not on this machine" in lines()[0]


def test_auto_is_huggingface_where_its_model_lies_there_and_leaves_loading_for_later(
    monkeypatch: pytest.MonkeyPatch, lines: Any
) -> None:
    read = machine(monkeypatch, installed=True, here=True)

    chosen = choose("auto", None)

    assert isinstance(chosen, HuggingFaceEmbedder)
    assert ([], False) == (read, chosen.is_loaded)
    assert ["[Khazad] Embedding with redis/langcache-embed-v2"] == lines()


@pytest.mark.parametrize("embedder", ["huggingface", "auto"])
def test_a_named_model_is_loaded_at_once(monkeypatch: pytest.MonkeyPatch, embedder: str) -> None:
    read = machine(monkeypatch, installed=True, here=False)
    with pytest.raises(ConfigError, match="not loaded in this test"):
        choose(embedder, "some/model")

    assert ["some/model"] == read


def test_nothing_is_loaded_where_nothing_will_be_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    read = machine(monkeypatch, installed=True, here=False)
    choose("huggingface", None, embeds=False)

    assert [] == read


def test_huggingface_without_its_library_fails_with_a_hint(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    machine(monkeypatch, installed=False, here=False)
    with pytest.raises(ConfigError, match=r'hint: pip install "khazad-mitm\[huggingface\]"'):
        choose("huggingface", None)


def test_local_takes_no_model() -> None:
    assert isinstance(choose("local", None), LocalEmbedder)
    with pytest.raises(ConfigError, match=r"'other' was given"):
        choose("local", "other")


def test_a_function_is_named_by_the_model_option() -> None:
    chosen = choose(lambda texts: texts, "mine")

    assert isinstance(chosen, CallableEmbedder)
    assert "mine" == chosen.model
