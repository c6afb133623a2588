"""What is not to be kept, from the argument of `init` to the store."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.inprocess.instance import Khazad
from tests.inprocess.upstream import PATH, PATIENCE_S, Upstream, question

MAIL = "Write to alice@example.com"


@pytest.fixture
def started(either: Any, upstream: Upstream) -> Iterator[Any]:
    caches = []

    def start(**settings: Any) -> Any:
        cache = Khazad("memory", mode="exact", **settings)
        caches.append(cache)

        def ask(text: str) -> Any:
            either.post(upstream.url + PATH, json=question(text), timeout=PATIENCE_S)
            here = cache._source.here()
            assert here is not None
            assert here.drain(PATIENCE_S)
            return cache

        return ask

    yield start
    for cache in caches:
        cache.stop()


def kept(cache: Khazad) -> str:
    here: Any = cache._source.here()
    return repr([one.entry for one in here._parts.store._kept.values()])


def test_a_prompt_is_kept_without_it_and_its_answer_is_served_again(
    started: Any, upstream: Upstream
) -> None:
    ask = started(redact="email")
    ask(MAIL)
    cache = ask(MAIL)

    assert (1, 1) == (len(upstream.calls), cache.get_stats().cache_hits)
    assert "alice" not in kept(cache)
    assert "Write to [email]" in kept(cache)


def test_an_answer_that_holds_it_is_given_whole_and_not_kept(
    started: Any, upstream: Upstream
) -> None:
    upstream.says = "Her address is alice@example.com."
    ask = started(redact="all")
    ask("hello")
    cache = ask("hello")

    assert 2 == len(upstream.calls)
    assert {"sensitive": 2} == cache.get_stats().unkept
    assert "alice" not in kept(cache)


def test_nothing_is_kept_of_such_a_prompt_where_that_is_set(
    started: Any, upstream: Upstream
) -> None:
    ask = started(redact=["email"], on_redact="skip")
    ask(MAIL)
    cache = ask(MAIL)

    assert 2 == len(upstream.calls)
    assert "[]" == kept(cache)


def test_a_function_and_names_go_together(started: Any, upstream: Upstream) -> None:
    ask = started(redact=["email", lambda text: text.replace("Initech", "[client]")])
    cache = ask(f"{MAIL} of Initech")

    assert "Write to [email] of [client]" in kept(cache)


def test_a_function_may_stand_alone_and_what_it_asks_is_not_looked_up(
    started: Any, either: Any, upstream: Upstream
) -> None:
    # Made once: a client costs some 50 ms, and texts are many.
    with either.Client(timeout=PATIENCE_S) as client:

        def redact(text: str) -> str:
            client.post(upstream.url + PATH, json=question("anything to hide?"))
            return text.replace("Initech", "[client]")

        cache = started(redact=redact)("Initech")

    assert "Initech" not in kept(cache)
    assert 1 == cache.get_stats().total_requests


async def asynchronous(text: str) -> str:
    return text


@pytest.mark.parametrize(
    ("redact", "message"),
    [(asynchronous, "redact: a function that is async"), (["mail"], "redact: 'mail' is nothing")],
)
def test_what_cannot_work_is_refused(redact: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Khazad("memory", mode="exact", redact=redact)
