from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given

from khazad_mitm.cache.fingerprint import COUNTED_HEADERS
from khazad_mitm.messages import Headers, Request
from khazad_mitm.record.matching import Essence, Tolerances, essence
from tests.record.calls import URL, chat, post
from tests.strategies import json_objects

PLAIN = chat()


def digest(request: Request, tolerances: Tolerances | None = None) -> str:
    return essence(request, tolerances or Tolerances()).digest


def test_the_digest_is_the_same_on_every_machine() -> None:
    # Names of files in other people's repositories are made of it.
    assert "cf4ac30f16fd334aef795fa9333e6a0c" == digest(PLAIN)


def test_key_order_and_white_space_do_not_count() -> None:
    one = post(URL, b'{"model":"m","messages":[{"role":"user","content":"x"}]}')
    other = post(URL, b'{ "messages": [{"content": "x", "role": "user"}], "model": "m" }')

    assert digest(one) == digest(other)


@pytest.mark.parametrize("name", ["user", "metadata", "safety_identifier", "prompt_cache_key"])
def test_labels_do_not_count(name: str) -> None:
    assert digest(PLAIN) == digest(chat(**{name: "x"}))


@pytest.mark.parametrize(
    "more",
    [{"stream": True}, {"temperature": 0}, {"seed": 1}, {"unknown": 1}, {"model": "gpt-4o-mini"}],
)
def test_every_other_field_counts(more: dict[str, Any]) -> None:
    assert digest(PLAIN) != digest(chat(**more))


def test_the_spelling_of_a_number_counts() -> None:
    assert digest(post(URL, b'{"a":1.0}')) != digest(post(URL, b'{"a":1.00}'))


@pytest.mark.parametrize("name", COUNTED_HEADERS)
def test_the_headers_that_count_count(name: str) -> None:
    with_it = post(URL, PLAIN.body, **{name.replace("-", "_"): "x"})

    assert digest(PLAIN) != digest(with_it)


def test_who_asks_does_not_count() -> None:
    other = Request.to(URL, PLAIN.body, Headers([("Authorization", "Bearer other")]))
    keyed = Request.to(f"{URL}?key=abc", PLAIN.body)

    assert digest(PLAIN) == digest(other) == digest(keyed)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.openai.com/v1/chat/completions",
        "https://api.openai.com:8443/v1/chat/completions",
        "https://example.com/v1/chat/completions",
        "https://api.openai.com/v1/responses",
        f"{URL}?a=1",
    ],
)
def test_where_it_goes_counts(url: str) -> None:
    assert digest(PLAIN) != digest(Request.to(url, PLAIN.body))


def test_a_boundary_is_drawn_anew_for_each_call() -> None:
    def upload(boundary: str) -> Request:
        part = f"--{boundary}\r\nContent-Disposition: form-data\r\n\r\nhello\r\n--{boundary}--\r\n"
        headers = Headers([("Content-Type", f"multipart/form-data; boundary={boundary}")])
        return Request.to("https://api.openai.com/v1/files", part.encode(), headers)

    assert digest(upload("aaa111")) == digest(upload("bbb222"))


@given(json_objects)
def test_a_request_matches_itself(body: dict[str, Any]) -> None:
    request = post(URL, json.dumps(body).encode())

    assert digest(request) == digest(request)
    assert isinstance(essence(request), Essence)


def tolerating(*fields: tuple[str, ...], named: str = "") -> Tolerances:
    return Tolerances(fields, frozenset(named.split()))


def test_a_field_that_is_ignored_does_not_count_wherever_its_path_leads() -> None:
    def asked(*ids: str, tool: str = "t") -> Request:
        turns = [{"role": "user", "content": "x", "id": one} for one in ids]
        body = {"model": "m", "messages": turns, "tools": [{"name": tool, "description": tool}]}
        return post(URL, json.dumps(body).encode())

    ids = tolerating(("messages", "*", "id"))
    second = tolerating(("messages", "1", "id"), ("tools", "*"))

    assert digest(asked("1", "2"), ids) == digest(asked("3", "4"), ids)
    assert digest(asked("1"), ids) != digest(asked("1", "2"), ids)
    assert digest(asked("1", "2"), second) == digest(asked("1", "3", tool="u"), second)
    assert digest(asked("1", "2"), second) != digest(asked("9", "2"), second)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Today is 2026-11-24.", "Today is 2025-01-01."),
        ("It is Tuesday, November 24, 2026.", "It is Friday, May 1, 2026."),
        ("Now: 2026-11-24T21:41:46Z", "Now: 2026-11-25T07:01:02Z"),
        ("Date: 24 Nov 2026, 21:41", "Date: 3 Mar 2027, 09:00"),
    ],
)
def test_a_date_in_a_system_prompt_may_be_another(one: str, other: str) -> None:
    def asked(system: str, question: str = "x") -> list[Request]:
        turns = [{"role": "user", "content": question}]
        openai = {"messages": [{"role": "system", "content": system}, *turns]}
        anthropic = {"system": [{"type": "text", "text": system}], "messages": turns}
        return [post(URL, json.dumps(body).encode()) for body in (openai, anthropic)]

    tolerant = tolerating(named="date_in_system_prompt")

    for mine, theirs in zip(asked(one), asked(other), strict=True):
        assert digest(mine) != digest(theirs)
        assert digest(mine, tolerant) == digest(theirs, tolerant)
    for mine, theirs in zip(asked(one, one), asked(one, other), strict=True):
        assert digest(mine, tolerant) != digest(theirs, tolerant)


def test_dates_and_uuids_may_be_others_anywhere() -> None:
    one = chat("of 2026-11-24: 0f8fad5b-d9cb-469f-a165-70867728950e")
    other = chat("of 2026-11-25: 7c9e6679-7425-40de-944b-e07fc1f90ae7")

    tolerant = tolerating(named="dates uuids")
    assert digest(one, tolerant) == digest(other, tolerant)
    assert digest(one, tolerating(named="dates")) != digest(other, tolerating(named="dates"))
