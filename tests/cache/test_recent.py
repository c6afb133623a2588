"""Proves: a repeat is read once, and what differs in anything is not taken for it."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Any

import pytest

from khazad_mitm.cache.recent import MAX_BYTES, MOST, Recent
from khazad_mitm.messages import Headers, Request

REQUEST = Request.to("https://api.example.com/v1/chat", b"{}", Headers([("X-Key", "one")]))
OTHERS: dict[str, Any] = {
    "method": "PUT",
    "scheme": "http",
    "host": "other.example.com",
    "port": 8443,
    "target": "/v1/other",
    "headers": Headers([("X-Key", "two")]),
    "body": b"[]",
    "sni": "other.example.com",
    "is_local": False,
    "proxy_user": "bob",
}


class Reader:
    """Says how often it was asked."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self, request: Request) -> int:
        self.times += 1
        return self.times


def again(request: Request) -> Request:
    """The same, made anew, as a second call has it."""
    return replace(request, headers=Headers(request.headers), body=bytes(bytearray(request.body)))


def test_a_repeat_is_read_once() -> None:
    recent = Recent(Reader())

    assert [1, 1] == [recent(REQUEST), recent(again(REQUEST))]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(Request)])
def test_whatever_differs_is_read_for_itself(field: str) -> None:
    recent = Recent(Reader())

    assert [1, 2, 1] == [
        recent(REQUEST),
        recent(replace(REQUEST, **{field: OTHERS[field]})),
        recent(again(REQUEST)),
    ]


@pytest.mark.parametrize(
    "request_",
    [
        replace(REQUEST, body=b"x" * (MAX_BYTES + 1)),
        replace(REQUEST, headers=Headers([("Content-Encoding", "gzip")])),
    ],
    ids=["long", "coded"],
)
def test_what_may_be_large_is_not_remembered(request_: Request) -> None:
    recent = Recent(Reader())

    assert [1, 2] == [recent(request_), recent(again(request_))]


def test_the_oldest_make_way() -> None:
    recent = Recent(Reader())
    recent(REQUEST)
    for number in range(MOST):
        recent(replace(REQUEST, port=number))

    assert MOST + 2 == recent(REQUEST)


def test_all_may_be_forgotten() -> None:
    recent = Recent(Reader())
    recent(REQUEST)
    recent.clear()

    assert 2 == recent(REQUEST)
