from __future__ import annotations

from typing import Any

import pytest

from khazad_mitm.exchange import Reply
from khazad_mitm.inprocess.library import Library
from khazad_mitm.messages import Headers, Request


def ours(library: Any, *args: Any, **kwargs: Any) -> Request:
    request = Library(library).request(library.Request(*args, **kwargs))
    assert request is not None
    return request


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://api.openai.com/v1/x", "api.openai.com", 443, "/v1/x"),
        ("http://localhost", "localhost", 80, "/"),
        ("http://API.Test:8000/a%2Fb?q=%20&q=2", "api.test", 8000, "/a%2Fb?q=%20&q=2"),
        ("https://bücher.test/", "xn--bcher-kva.test", 443, "/"),
        ("http://[::1]:11434/api", "::1", 11434, "/api"),
    ],
)
def test_a_request_is_addressed_as_it_is_dialled(
    library: Any, url: str, host: str, port: int, target: str
) -> None:
    request = ours(library, "POST", url, content=b"{}", headers={"Host": "elsewhere.test"})

    assert (host, port, target) == (request.host, request.port, request.target)


def test_headers_keep_their_order_their_repeats_and_their_bytes(library: Any) -> None:
    raw = [(b"X-One", b"1"), (b"x-two", b"\xe9"), (b"X-One", b"2")]
    request = ours(library, "POST", "http://x.test/", content=b"", headers=raw)

    assert ["1", "2"] == request.headers.get_all("x-one")
    assert "é" == request.headers.get("X-Two")


def test_a_request_made_again_from_its_stream_is_read(library: Any) -> None:
    # As a redirect makes one.
    request = ours(library, "POST", "http://x.test/", stream=library.ByteStream(b"body"))

    assert b"body" == request.body


def test_a_target_that_replaces_the_path_is_not_read(library: Any) -> None:
    theirs = library.Request("POST", "http://x.test/", extensions={"target": b"/elsewhere"})

    assert Library(library).request(theirs) is None


def test_a_request_without_the_headers_asked_for_is_handed_back_itself(library: Any) -> None:
    theirs = library.Request("POST", "http://x.test/", content=b"body")

    assert theirs is Library(library).without_headers(theirs, ("x-khazad-tag",))


def test_taking_headers_out_leaves_the_rest_as_it_was(library: Any) -> None:
    theirs = library.Request(
        "POST",
        "http://x.test/",
        content=b"body",
        headers=[("X-Khazad-Tag", "a"), ("Accept", "b"), ("x-khazad-tag", "c")],
        extensions={"timeout": {"read": 3}},
    )
    copy = Library(library).without_headers(theirs, ("x-khazad-tag",))

    kept = [item for item in theirs.headers.raw if item[0].lower() != b"x-khazad-tag"]
    assert kept == copy.headers.raw
    assert theirs.extensions == copy.extensions
    assert theirs.stream is copy.stream


def test_a_reply_of_one_piece_has_a_length_and_a_stream_has_none(library: Any) -> None:
    reply = Reply(200, Headers([("Content-Type", "a/b")]), (b"one", b"two"))
    whole = Library(library).response(reply, None, is_stream=False)
    stream = Library(library).response(reply, None, is_stream=True)

    assert [(b"Content-Type", b"a/b"), (b"Content-Length", b"6")] == whole.headers.raw
    assert [(b"Content-Type", b"a/b")] == stream.headers.raw
    assert [b"one", b"two"] == list(stream.stream)
