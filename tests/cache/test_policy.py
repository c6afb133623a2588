from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from khazad_mitm.cache.policy import Controls, controls_of, kept_headers, may_serve, refusal
from khazad_mitm.messages import Headers, Request, Response

from .script import NOW, entry


def controls(*headers: tuple[str, str]) -> Controls:
    return controls_of(Request.to("https://api.example.com/v1", headers=Headers(headers)))


def test_a_request_that_says_nothing_asks_nothing() -> None:
    assert Controls() == controls()


def test_directives_are_read_from_every_field_and_in_any_case() -> None:
    read = controls(("Cache-Control", "No-Cache, MAX-AGE=60"), ("cache-control", "only-if-cached"))

    assert Controls(no_cache=True, max_age_s=60, only_if_cached=True) == read


def test_unknown_directives_are_ignored() -> None:
    assert Controls() == controls(("cache-control", 'max-stale, private="x", foo=bar'))


@pytest.mark.parametrize("value", ["max-age=soon", "max-age=-1", "max-age", "max-age=²"])
def test_a_max_age_that_is_no_number_is_malformed(value: str) -> None:
    assert "cache-control" == controls(("Cache-Control", value)).malformed


@pytest.mark.parametrize("value", ["high", "1.1", "-0.1", "nan", "inf", ""])
def test_a_threshold_that_is_no_similarity_is_malformed(value: str) -> None:
    assert "x-khazad-threshold" == controls(("X-Khazad-Threshold", value)).malformed


def test_tags_are_a_list() -> None:
    assert ("faq", "de") == controls(("X-Khazad-Tag", "faq, de,")).tags


@given(st.text(), st.text())
def test_no_header_of_a_caller_makes_reading_it_fail(one: str, other: str) -> None:
    assert isinstance(controls(("Cache-Control", one), ("X-Khazad-Threshold", other)), Controls)


@pytest.mark.parametrize(
    ("now", "max_age_s", "served"),
    [(NOW, None, True), (NOW + 100, None, False), (NOW, 10, True), (NOW, 9, False)],
)
def test_an_entry_is_served_while_fresh_and_young_enough(
    now: float, max_age_s: int | None, served: bool
) -> None:
    assert served == may_serve(entry(), Controls(max_age_s=max_age_s), now)


def test_an_entry_without_expiry_is_always_fresh() -> None:
    assert may_serve(entry(expires_at=None), Controls(), NOW + 10**9)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [(200, b"{}", ""), (201, b"{}", "status 201"), (429, b"{}", "status 429"), (200, b"", "empty")],
)
def test_only_a_whole_200_may_be_kept(status: int, body: bytes, reason: str) -> None:
    assert reason == refusal(Response(status, Headers(), body))


def test_what_is_no_longer_true_is_dropped_from_the_headers() -> None:
    kept = kept_headers(
        Headers(
            [
                ("Content-Type", "application/json"),
                ("X-Request-Id", "r1"),
                ("Connection", "close, X-Hop"),
                ("X-Hop", "1"),
                ("Transfer-Encoding", "chunked"),
                ("Content-Encoding", "gzip"),
                ("Set-Cookie", "a=b"),
                ("x-ratelimit-remaining-requests", "5"),
                ("anthropic-ratelimit-tokens-limit", "5"),
            ]
        )
    )

    assert [("Content-Type", "application/json"), ("X-Request-Id", "r1")] == list(kept)


@pytest.mark.parametrize(
    "tags", ["x" * 65, ",".join(map(str, range(17))), "caf\u00e9", "a\tb", "\ud800"]
)
def test_tags_that_could_not_be_found_again_are_malformed(tags: str) -> None:
    read = controls(("X-Khazad-Tag", tags))

    assert ((), "x-khazad-tag") == (read.tags, read.malformed)
