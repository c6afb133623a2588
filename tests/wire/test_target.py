"""What a request's target asks for."""

from __future__ import annotations

import pytest

from khazad_mitm.wire import target


@pytest.mark.parametrize(
    ("query", "resource"),
    [
        ("", "/v1"),
        ("key=s", "/v1"),
        ("a=1&KEY=s&api%5Fkey=t", "/v1?a=1"),
        ("alt=sse&b=2&a=1", "/v1?b=2&a=1"),
        ("a", "/v1?a"),
        ("a=%26", "/v1?a=%26"),
    ],
)
def test_credentials_and_framing_are_no_part_of_the_resource(query: str, resource: str) -> None:
    assert resource == target.resource("/v1", query, framing=("alt",))


def test_a_model_is_taken_out_where_it_stands() -> None:
    assert "/models/{model}:run" == target.with_placeholder("/models/m-1:run", (8, 11))
