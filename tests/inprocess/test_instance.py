from __future__ import annotations

import inspect
import logging
from collections.abc import Iterator
from typing import Any

import pytest

import khazad
from khazad_mitm.errors import ConfigError
from khazad_mitm.inprocess.instance import Khazad
from tests.inprocess.upstream import PATH, Upstream, question

ARGUMENTS: dict[str, Any] = {"redis_url": "memory", "mode": "exact"}


@pytest.fixture
def made() -> Iterator[Khazad]:
    instance = Khazad(**ARGUMENTS)
    yield instance
    if instance.is_active():
        instance.stop()


def test_the_arguments_are_those_of_the_original_in_its_order() -> None:
    original = ["redis_url", "threshold", "ttl", "namespace", "embedder", "embedding_model"]
    original += ["log_level", "hosts", "cache_scope"]

    for callable_ in (Khazad, khazad.init):
        parameters = inspect.signature(callable_).parameters.values()
        assert original == [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]


def test_making_one_activates_it_and_stopping_ends_that(
    either: Any, made: Khazad, upstream: Upstream
) -> None:
    assert made.is_active()
    either.post(upstream.url + PATH, json=question())
    made.stop()
    either.post(upstream.url + PATH, json=question())

    assert not made.is_active()
    assert 1 == made.get_stats().total_requests


def test_stopping_twice_is_stopping(made: Khazad, caplog: pytest.LogCaptureFixture) -> None:
    made.stop()
    made.logger.propagate = True
    made.stop()

    assert "[Khazad] Not currently active" == caplog.messages[-1]


def test_an_answer_on_its_way_is_kept_before_it_stops(
    either: Any, made: Khazad, upstream: Upstream
) -> None:
    either.post(upstream.url + PATH, json=question())
    made.stop()

    assert 1 == made.get_stats().stored


def test_flush_forgets_answers_and_counters(either: Any, made: Khazad, upstream: Upstream) -> None:
    either.post(upstream.url + PATH, json=question())
    made.flush()
    assert 0 == made.get_stats().total_requests
    either.post(upstream.url + PATH, json=question())

    assert 2 == len(upstream.calls)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hosts": []}, "hosts: "),
        ({"threshold": 1.2}, "threshold: 1.2 is not a cosine similarity"),
        ({"ttl": -1}, "ttl: -1"),
        ({"cache_scope": "galaxy"}, "cache_scope: 'galaxy'"),
        ({"treshold": 0.9}, "treshold: no such option\n\nhint: did you mean threshold"),
    ],
)
def test_a_value_that_cannot_work_fails_before_anything_is_patched(
    either: Any, arguments: dict[str, Any], message: str
) -> None:
    before = either.Client._transport_for_url
    with pytest.raises(ConfigError, match=message):
        Khazad(**ARGUMENTS, **arguments)

    assert before is either.Client._transport_for_url


def settings_of(monkeypatch: pytest.MonkeyPatch, **arguments: Any) -> Any:
    """The settings that reach `build`, which is not run."""
    seen: list[Any] = []

    class Seen(Exception):
        pass

    def build(settings: Any, **_: Any) -> None:
        seen.append(settings)
        raise Seen

    monkeypatch.setattr("khazad_mitm.assembly.build", build)
    with pytest.raises(Seen):
        Khazad(**arguments)
    return seen[0]


def test_what_is_not_given_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KHAZAD_NAMESPACE", "from-environment")
    monkeypatch.setenv("KHAZAD_TTL", "7")

    assert "from-environment" == settings_of(monkeypatch).namespace
    assert 7 == settings_of(monkeypatch).ttl
    assert "given" == settings_of(monkeypatch, namespace="given").namespace


def test_a_ttl_of_none_is_no_expiry_and_an_absent_one_is_an_hour(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("KHAZAD_TTL", raising=False)

    assert settings_of(monkeypatch, ttl=None).ttl is None
    assert 3600 == settings_of(monkeypatch).ttl


def test_hosts_and_scope_are_taken_as_the_original_takes_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = settings_of(monkeypatch, hosts=["API.test", "*.llm.test"], cache_scope="host")

    assert ("api.test", "*.llm.test") == settings.hosts
    assert khazad.CacheScope.HOST is settings.cache_scope


def test_the_logger_gets_a_handler_if_it_has_none(made: Khazad) -> None:
    # pytest may have put one of its own beside it.
    [handler] = [one for one in made.logger.handlers if type(one) is logging.StreamHandler]

    assert handler.formatter is not None
    assert "%(message)s" == handler.formatter._fmt
    assert not made.logger.propagate


def test_the_handlers_of_the_application_are_left_alone() -> None:
    logger = logging.getLogger("khazad")
    own = logging.NullHandler()
    logger.addHandler(own)
    Khazad(**ARGUMENTS, log_level="WARNING").stop()

    assert [own] == logger.handlers
    assert logging.WARNING == logger.level
