from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import CacheScope
from khazad_mitm.settings import OPTIONS, Settings, from_mapping


def read(environ: dict[str, str] | None = None, **values: Any) -> Settings:
    return from_mapping(values, environ=environ or {})


def test_every_field_is_an_option_and_every_default_is_the_one_shown() -> None:
    assert [f.name for f in fields(Settings)] == [o.name for o in OPTIONS]
    assert Settings() == from_mapping({o.name: o.default for o in OPTIONS}, environ={})


def test_nothing_given_is_the_default() -> None:
    assert Settings() == read()


def test_the_environment_stands_behind_what_is_given() -> None:
    settings = read({"KHAZAD_TTL": "60", "KHAZAD_NAMESPACE": "n"}, namespace="m")

    assert (60, "m") == (settings.ttl, settings.namespace)


@pytest.mark.parametrize("value", [0, "0", "none", "None", None])
def test_a_ttl_of_nothing_means_no_expiry(value: Any) -> None:
    assert None is read(ttl=value).ttl


@pytest.mark.parametrize(("value", "expected"), [(False, False), ("Off", False), ("true", True)])
def test_a_switch_is_a_truth_value_or_its_word(value: Any, expected: bool) -> None:
    assert expected is read(split_batches=value).split_batches


@pytest.mark.parametrize(
    ("value", "expected"),
    [("on", "on"), (True, "on"), ("false", "off"), ("OFF", "off"), ("questions", "questions")],
)
def test_prompts_are_kept_or_not_or_only_questions(value: Any, expected: str) -> None:
    assert expected == read(store_prompts=value).store_prompts


def test_what_is_redacted_is_named_in_a_list_or_a_text_or_is_all() -> None:
    assert ("email", "keys") == read(redact=["email", "keys", "email"]).redact
    assert ("email", "cards") == read({"KHAZAD_REDACT": "email, cards"}).redact
    assert ("keys", "email", "cards", "iban") == read(redact="iban,all").redact


def test_the_profile_sets_the_threshold_unless_one_is_given() -> None:
    assert 0.80 == read(profile="strict").similarity_floor
    assert 0.9 == read(profile="strict", threshold="0.9").similarity_floor


def test_the_numbers_of_a_profile_are_for_the_bundled_model_only() -> None:
    assert 0.58 == read(profile="balanced").floor(calibrated=True)
    assert 0.90 == read(profile="balanced").floor(calibrated=False)
    assert 0.7 == read(profile="balanced", threshold="0.7").floor(calibrated=False)


@pytest.mark.parametrize("value", [None, ""])
def test_no_budget_is_none(value: Any) -> None:
    assert read(max_wrong_hits=value).max_wrong_hits is None


@pytest.mark.parametrize("value", [0, 1, "0", "1"])
def test_thresholds_0_and_1_are_honoured(value: Any) -> None:
    assert float(value) == read(threshold=value).similarity_floor


def test_hosts_are_a_list_or_a_text() -> None:
    expected = ("api.a.com", "*.b.com")

    assert expected == read(hosts=["api.A.com", "*.b.com"]).hosts
    assert expected == read(hosts="api.a.com, *.b.com").hosts


def test_guards_are_named_in_a_list_or_a_text() -> None:
    expected = frozenset({"order", "moment"})

    assert expected == read(guards_off=["order", "moment"]).guards_off
    assert expected == read({"KHAZAD_GUARDS_OFF": "order, moment"}).guards_off


def test_the_scope_is_an_enum_or_its_word() -> None:
    assert CacheScope.HOST is read(cache_scope="host").cache_scope
    assert CacheScope.HOST is read(cache_scope=CacheScope.HOST).cache_scope


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("threshold", 1.2, "threshold: 1.2 is not a cosine similarity"),
        ("threshold", "high", "threshold: high is not a cosine similarity"),
        ("threshold", True, "threshold: True is not a cosine similarity"),
        ("ttl", -1, "ttl: -1 is not a whole number of at least 0"),
        ("ttl", "1h", "ttl: '1h' is not a whole number"),
        ("ttl", 1.5, "ttl: 1.5 is not a whole number"),
        ("profile", "lax", "profile: 'lax' is not one of strict, balanced, faq"),
        ("embedder", "magic", "embedder: 'magic' is not one of auto, local, huggingface, openai"),
        ("mode", "on", "mode: 'on' is not one of cache, exact, refresh, off"),
        ("namespace", " ", "namespace: ' ' is not a non-empty text"),
        ("cache_scope", "all", "cache_scope: 'all' is not one of model, host"),
        ("tenant", "header:", "tenant: 'header:' is not one of"),
        ("hosts", ["https://a.com"], "hosts: 'https://a.com' is not a host name"),
        ("hosts", "*", "hosts: '\\*' is not a host name"),
        ("guards_off", "figurs", "guards_off: 'figurs' is no guard\n\nhint: did you mean figures"),
        ("guards_off", ["x"], "guards_off: 'x' is no guard\n\nhint: guards are figures"),
        ("verifier_margin", "much", "verifier_margin: much is not a margin"),
        ("verifier_margin", 0.6, "verifier_margin: 0.6 is not a margin"),
        ("verifier_deadline_ms", -1, "verifier_deadline_ms: -1 is not a whole number"),
        ("max_entries", 0, "max_entries: 0 is not a whole number of at least 1"),
        ("max_bytes", "lots", "max_bytes: 'lots' is no number of bytes"),
        ("max_bytes", True, "max_bytes: True is no number of bytes"),
        ("max_bytes", "-1GB", "max_bytes: '-1GB' is no number of bytes"),
        ("max_bytes", "64k", "max_bytes: '64k' is less than 1000000 bytes"),
        ("log_level", "LOUD", "log_level: 'LOUD' is not one of"),
        ("max_wrong_hits", 0, "max_wrong_hits: 0 is not a share .expected 0.001 to 0.5."),
        ("max_wrong_hits", "1%", "max_wrong_hits: 1% is not a share"),
        ("max_wrong_hits", True, "max_wrong_hits: True is not a share"),
        ("shadow_share", 1.1, "shadow_share: 1.1 is not a share .expected 0 to 1."),
        ("shadow_per_hour", -1, "shadow_per_hour: -1 is not a whole number of at least 0"),
        ("store_prompts", "no", "store_prompts: 'no' is not one of on, questions, off"),
        ("redact", "mail", "redact: 'mail' is nothing we look for\n\nhint: did you mean email"),
        ("on_redact", "drop", "on_redact: 'drop' is not one of store, skip"),
        ("split_batches", "maybe", "split_batches: 'maybe' is not one of true, false"),
        ("split_batches", None, "split_batches: None is not one of true, false"),
    ],
)
def test_a_value_out_of_bounds_is_named_with_its_bound(name: str, value: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read(**{name: value})


def test_the_message_carries_the_name_the_user_typed() -> None:
    with pytest.raises(ConfigError, match=r"^khazad_threshold: 2"):
        from_mapping({"threshold": "2"}, prefix="khazad_", environ={})
    with pytest.raises(ConfigError, match=r"^KHAZAD_THRESHOLD: 2"):
        read({"KHAZAD_THRESHOLD": "2"})


def test_a_misspelt_option_is_refused_with_a_suggestion() -> None:
    with pytest.raises(ConfigError, match="did you mean threshold"):
        read(treshold=0.9)


def test_a_password_in_a_bad_url_is_not_repeated() -> None:
    with pytest.raises(ConfigError) as error:
        read(redis_url="http://user:secret@host")

    assert "secret" not in str(error.value)
