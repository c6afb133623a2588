from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

import khazad
from tests.inprocess.upstream import PATH, Upstream, question

ARGUMENTS: dict[str, Any] = {"redis_url": "memory", "mode": "exact"}


@pytest.fixture(autouse=True)
def stopped() -> Iterator[None]:
    """Leaves no cache behind; gives the logger a handler, so that caplog sees its lines."""
    handler = logging.NullHandler()
    logging.getLogger("khazad").addHandler(handler)
    yield
    if khazad.is_active():
        khazad.stop()
    logging.getLogger("khazad").removeHandler(handler)


def test_it_is_active_between_init_and_stop() -> None:
    before = khazad.is_active()
    khazad.init(**ARGUMENTS)
    between = khazad.is_active()
    khazad.stop()

    assert (False, True, False) == (before, between, khazad.is_active())


def test_a_second_init_does_nothing_and_says_so(
    either: Any, upstream: Upstream, caplog: pytest.LogCaptureFixture
) -> None:
    khazad.init(**ARGUMENTS)
    either.post(upstream.url + PATH, json=question())
    khazad.init(**ARGUMENTS)

    assert "[Khazad] Already initialized, call stop() first" in caplog.messages
    assert 1 == khazad.get_stats()["total_requests"]


def test_a_second_stop_does_nothing_and_says_so(caplog: pytest.LogCaptureFixture) -> None:
    khazad.init(**ARGUMENTS)
    khazad.stop()
    khazad.stop()

    assert "[Khazad] Not currently active" == caplog.messages[-1]


def test_what_is_stored_is_listed_and_forgotten_by_tag(either: Any, upstream: Upstream) -> None:
    khazad.init(**ARGUMENTS)
    headers = {"X-Khazad-Tag": "faq"}
    for number, given in enumerate((headers, {})):
        either.post(upstream.url + PATH, json=question(f"number {number}"), headers=given)
    listed = khazad.entries()

    assert [(), ("faq",)] == [one["tags"] for one in listed]
    assert 1 == len(khazad.entries(tag="faq"))
    assert 1 == khazad.forget(tag="faq")
    assert 1 == khazad.forget(listed[0]["id"])
    assert [] == khazad.entries(model="*", older=0)
    with pytest.raises(khazad.UnknownEntry):
        khazad.forget()


def test_stats_are_plain_values_and_zero_without_a_cache() -> None:
    stats = khazad.get_stats()

    first = ["total_requests", "cache_hits", "cache_misses", "hit_rate", "avg_hit_similarity"]
    assert first == list(stats)[:5]
    assert khazad.Stats().to_dict() == stats


def test_flush_resets_the_counters(either: Any, upstream: Upstream) -> None:
    khazad.init(**ARGUMENTS)
    either.post(upstream.url + PATH, json=question())
    khazad.flush()

    assert 0 == khazad.get_stats()["total_requests"]


def test_flush_without_a_cache_says_so(caplog: pytest.LogCaptureFixture) -> None:
    khazad.flush()

    assert "[Khazad] Not initialized, nothing to flush" == caplog.messages[-1]


def test_init_after_a_failed_one_works() -> None:
    with pytest.raises(khazad.ConfigError):
        khazad.init(**ARGUMENTS, threshold=2)
    khazad.init(**ARGUMENTS)

    assert khazad.is_active()


def test_importing_the_face_loads_nothing_heavy() -> None:
    program = """
import sys
import khazad
heavy = {"mitmproxy", "onnxruntime", "numpy", "torch", "redis", "httpx", "httpx2", "tokenizers"}
print(sorted(heavy & set(sys.modules)), sorted(khazad.__all__) == sorted(set(khazad.__all__)))
khazad.is_active(), khazad.Stats, khazad.CacheScope, khazad.ConfigError
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert ["[] True", "[]"] == done.stdout.splitlines()


def test_the_face_has_every_name_it_lists_and_no_other() -> None:
    assert all(getattr(khazad, name) is not None for name in khazad.__all__)
    with pytest.raises(AttributeError, match="'khazad' has no attribute 'innit'"):
        khazad.innit  # noqa: B018


def test_the_last_answer_of_a_program_that_never_stops_is_kept(
    either: Any, upstream: Upstream
) -> None:
    program = f"""
import atexit
def tell():
    print(khazad.get_stats()["stored"])
atexit.register(tell)  # runs after what was registered later
import {either.__name__} as http, khazad
khazad.init(redis_url="memory", mode="exact", log_level="ERROR")
http.post({upstream.url + PATH!r}, json={question()!r})
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert "1" == done.stdout.strip()
