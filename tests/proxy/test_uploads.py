from __future__ import annotations

import pytest
from mitmproxy import http
from mitmproxy.test import tutils

from khazad_mitm.cache.policy import MAX_REQUEST_BYTES
from khazad_mitm.proxy.tee import MAX_WHOLE_BYTES
from khazad_mitm.proxy.uploads import is_streamed

LARGE = str(MAX_WHOLE_BYTES + 1)
HUGE = str(MAX_REQUEST_BYTES + 1)


def request(method: str, **headers: str) -> http.Request:
    fields = [(n.replace("_", "-").encode(), value.encode()) for n, value in headers.items()]
    return tutils.treq(method=method.encode(), headers=http.Headers(fields))


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"content_length": LARGE, "content_type": "multipart/form-data; boundary=x"}),
        ("POST", {"transfer_encoding": "chunked", "content_type": "application/octet-stream"}),
        ("POST", {"content_length": HUGE, "content_type": "application/json"}),
        ("PUT", {"content_length": LARGE, "content_type": "application/json"}),
        ("PATCH", {"transfer_encoding": "chunked"}),
    ],
)
def test_a_large_request_that_cannot_be_ours_goes_in_pieces(method: str, headers: dict[str, str]):
    assert is_streamed(request(method, **headers))


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", {"content_length": LARGE, "content_type": "Application/JSON; charset=utf-8"}),
        ("POST", {"content_length": LARGE, "content_type": "application/x-www-form-urlencoded"}),
        ("POST", {"content_length": LARGE}),
        ("POST", {"transfer_encoding": "chunked", "content_type": "application/json"}),
        ("PUT", {"content_length": "10", "content_type": "text/csv"}),
        ("GET", {}),
        ("HEAD", {}),
    ],
)
def test_what_may_be_a_question_or_is_small_is_read_whole(method: str, headers: dict[str, str]):
    assert not is_streamed(request(method, **headers))
