from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from khazad_mitm import calibration_file
from khazad_mitm.assembly import build, build_cache
from khazad_mitm.cache.rules import Rules
from khazad_mitm.errors import ConfigError
from khazad_mitm.route_file import SETTINGS
from khazad_mitm.settings import from_mapping

from .cache.script import asked


@pytest.fixture(autouse=True)
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    return tmp_path


def embed(texts: list[str]) -> Any:
    return [[1.0, 0.0] for _ in texts]


def rules_of(own: bool = True, path: str = "/v1/chat", **values: Any) -> Rules:
    settings = from_mapping({"redis_url": "memory", "embedding_model": "mine", **values})
    cache = build(settings, embed if own else None)
    try:
        return cache._rulebook.of(asked("hello", url=f"https://api.example.com{path}"))
    finally:
        cache.close()


def test_a_profile_has_the_threshold_that_was_calibrated_for_the_model() -> None:
    calibration_file.save("mine", "balanced", 0.77, [], {})

    assert 0.77 == rules_of().threshold
    assert 0.95 == rules_of(profile="strict").threshold
    assert 0.90 == rules_of(embedding_model="another").threshold
    assert 0.90 == rules_of(guards_off="order").threshold
    assert 0.60 == rules_of(threshold=0.60).threshold


def test_a_route_has_it_too(tmp_path: Path) -> None:
    calibration_file.save("mine", "faq", 0.71, [], {})
    file = tmp_path / "routes.yaml"
    file.write_text(
        "- {path: /faq, profile: faq}\n"
        "- {path: /mine, profile: faq, threshold: 0.8}\n"
        "- {path: /short, ttl: 5, mode: exact}\n"
    )

    def routed(path: str) -> Rules:
        return rules_of(path=path, routes=str(file), threshold=0.93)

    assert [0.71, 0.8, 0.93] == [routed(path).threshold for path in ("/faq", "/mine", "/v1")]
    assert (5, "exact") == (routed("/short").ttl_s, routed("/short").mode)


def test_a_profile_of_another_model_is_said_to_be_that(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, "khazad"):
        rules_of(threshold=0.9)
        rules_of(mode="exact")
        calibration_file.save("known", "balanced", 0.8, [], {})
        rules_of(embedding_model="known")
        assert [] == caplog.messages
        rules_of()

    assert ["not for mine: run `khazad-mitm calibrate`, or set threshold"] == [
        message.partition("model, ")[2] for message in caplog.messages
    ]


def test_a_broken_calibration_fails_at_the_start(config: Path) -> None:
    (config / "khazad-mitm").mkdir()
    (config / "khazad-mitm" / "calibration.json").write_text("{")
    with pytest.raises(ConfigError, match=r"calibration\.json is not what"):
        rules_of()


def test_a_learned_threshold_has_a_lowest() -> None:
    def lowest(**values: Any) -> float:
        terms = rules_of(max_wrong_hits="0.02", **values).tolerates
        assert terms is not None
        return round(terms.lowest, 4)

    assert rules_of().tolerates is None
    assert 0.75 == lowest()
    assert 0.9 == lowest(threshold=0.9)
    local = {"own": False, "embedding_model": ""}
    assert [0.65, 0.5, 0.55] == [lowest(profile=p, **local) for p in ("strict", "balanced", "faq")]


def test_a_route_may_have_a_budget_and_a_tag_only_a_smaller_one(tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text(
        "- {path: /faq, max_wrong_hits: 0.05}\n"
        "- {tag: careful, max_wrong_hits: 0.01, threshold: 0.95}\n"
        "- {tag: lax, max_wrong_hits: 0.4}\n"
    )

    def budget(path: str, tag: str = "", **values: Any) -> float | None:
        settings = from_mapping({"redis_url": "memory", "routes": str(file), **values})
        cache = build_cache(settings, embed)
        try:
            url, headers = f"https://api.example.com{path}", {"X-Khazad-Tag": tag}
            terms = cache._rulebook.of(asked("hello", url=url, headers=headers)).tolerates
            return None if terms is None else terms.most_wrong
        finally:
            cache.close()

    assert [0.05, None] == [budget("/faq"), budget("/v1")]
    assert [0.01, 0.01] == [budget("/faq", "careful"), budget("/v1", "careful")]
    assert [0.05, 0.02] == [budget("/faq", "lax"), budget("/v1", "lax", max_wrong_hits="0.02")]


def test_whatever_a_route_may_set_it_sets(tmp_path: Path) -> None:
    sets: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "profile": ("strict", lambda rules: rules.profile),
        "threshold": ("0.7", lambda rules: rules.threshold),
        "mode": ("exact", lambda rules: rules.mode),
        "ttl": ("5", lambda rules: rules.ttl_s),
        "guards_off": ("order", lambda rules: rules.guards_off),
        "max_wrong_hits": ("0.01", lambda rules: rules.terms.most_wrong),
        "shadow_share": ("0.5", lambda rules: rules.terms.share),
        "verifier": ("off", lambda rules: rules.verifier),
        "verifier_margin": ("0.01", lambda rules: rules.verifier_margin),
        "tenant": ("shared", lambda rules: rules.tenant),
        "credential_ttl": ("5", lambda rules: rules.credential_ttl_s),
        "cache_scope": ("host", lambda rules: rules.cache_scope),
        "split_batches": ("false", lambda rules: rules.split_batches),
    }
    assert list(SETTINGS) == list(sets)

    for name, (value, of) in sets.items():
        file = tmp_path / f"{name}.yaml"
        file.write_text(f"- {{path: /here, {name}: {value}}}\n")
        options: dict[str, Any] = {
            "routes": str(file),
            "verifier": "operator:eq",
            "max_wrong_hits": "0.2",
        }

        assert of(rules_of(path="/here", **options)) != of(rules_of(path="/there", **options)), name


def test_a_margin_of_a_route_without_a_verifier_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text("- {path: /faq, verifier: off, verifier_margin: 0.05}\n")
    settings = from_mapping({"redis_url": "memory", "routes": str(file)})

    with pytest.raises(ConfigError, match=r"verifier_margin: 0\.05 without a verifier"):
        build(settings, embed, verify=lambda pair: True)


@pytest.mark.parametrize("by_route", [False, True])
def test_a_budget_and_a_verifier_that_nobody_waits_for_are_refused(
    tmp_path: Path, by_route: bool
) -> None:
    file = tmp_path / "routes.yaml"
    file.write_text("- {path: /faq, max_wrong_hits: 0.05}\n")
    budget = {"routes": str(file)} if by_route else {"max_wrong_hits": "0.05"}
    settings = from_mapping({"redis_url": "memory", "verifier_deadline_ms": 0, **budget})

    with pytest.raises(ConfigError, match="serves nothing by meaning"):
        build(settings, embed, verify=lambda pair: True)


def test_without_prompts_the_start_says_what_is_lost_and_loads_no_model(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "khazad")
    settings = from_mapping({"redis_url": "memory", "store_prompts": "off"})
    cache = build_cache(settings)
    try:
        assert not cache._rulebook.compares()
        assert "store_prompts=off: only repeats of a whole request are answered" in caplog.text
        assert "loading" == cache.parts()["embedder"]
    finally:
        cache.close()
