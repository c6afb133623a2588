from __future__ import annotations

from dataclasses import replace

import pytest

from khazad_mitm.messages import Headers, Request

HEADERS = Headers([("X-A", "1"), ("x-a", "2"), ("Authorization", "Bearer secret")])


def test_names_compare_without_case_and_repeats_are_kept() -> None:
    assert ("1", ["1", "2"], "1, 2") == (
        HEADERS.get("x-A"),
        HEADERS.get_all("X-a"),
        HEADERS.joined("x-a"),
    )
    assert "AUTHORIZATION" in HEADERS
    assert [("X-A", "1"), ("x-a", "2"), ("Authorization", "Bearer secret")] == list(HEADERS)


def test_what_is_not_there_is_nothing() -> None:
    assert (None, [], "") == (HEADERS.get("b"), HEADERS.get_all("b"), HEADERS.joined("b"))
    assert "b" not in HEADERS


def test_without_and_plus_make_others() -> None:
    assert [("Authorization", "Bearer secret")] == list(HEADERS.without("X-A"))
    assert "3" == HEADERS.plus(("B", "3")).get("b")
    assert 3 == len(HEADERS)


def test_equal_lists_are_equal_whoever_was_asked_before() -> None:
    same = Headers(list(HEADERS))
    HEADERS.get("x-a")

    assert same == HEADERS
    assert hash(same) == hash(HEADERS)


def test_no_value_stands_in_a_repr() -> None:
    assert "secret" not in repr(HEADERS)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://API.Example.com/v1?a=b", ("https", "api.example.com", 443, "/v1?a=b")),
        ("http://h:8080", ("http", "h", 8080, "/")),
        ("http://h?q", ("http", "h", 80, "/?q")),
    ],
)
def test_a_url_is_taken_apart(url: str, expected: tuple[str, str, int, str]) -> None:
    request = Request.to(url)

    assert expected == (request.scheme, request.host, request.port, request.target)


def test_path_and_query_are_parts_of_the_target() -> None:
    request = Request.to("https://h/p/q?a=b&c")

    assert ("/p/q", "a=b&c") == (request.path, request.query)


@pytest.mark.parametrize(
    ("sni", "hosts", "others"),
    [
        ("", [], ()),
        ("h.example", ["H.Example:443"], ()),
        ("evil.example", ["h.example"], ("evil.example",)),
        ("", ["h.example", "evil.example:443"], ("evil.example:443",)),
        # `str.lower` makes this a k; DNS may not.
        ("", ["\u212a.example"], ("\u212a.example",)),
    ],
)
def test_names_beside_the_authority_dialled_are_told(
    sni: str, hosts: list[str], others: tuple[str, ...]
) -> None:
    headers = Headers([("Host", host) for host in hosts])
    request = replace(Request.to("https://h.example/p", headers=headers), sni=sni)

    assert others == request.other_names
