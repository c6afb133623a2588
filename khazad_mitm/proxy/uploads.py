"""Large requests that cannot be ours: passed on piece by piece, as they come.

mitmproxy would hold all of an upload in memory before it sent the first byte on. The other
direction is `tee.is_streamed`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from khazad_mitm.cache.policy import MAX_REQUEST_BYTES
from khazad_mitm.proxy.tee import MAX_WHOLE_BYTES

if TYPE_CHECKING:
    from mitmproxy import http

# What a question to a model may be labelled as; the last is what `curl -d` says of its own accord.
_QUESTIONS = ("", "text/plain", "application/x-www-form-urlencoded")

_BODILESS = ("GET", "HEAD", "OPTIONS", "TRACE", "CONNECT")


def is_streamed(request: http.Request) -> bool:
    """Can this request not be ours, and may it be large? Judged by its head."""
    length = request.headers.get("content-length", "")
    is_sized = length.isdecimal()
    if is_sized and int(length) <= MAX_WHOLE_BYTES:
        return False
    if not is_sized and request.method in _BODILESS:
        return False
    if is_sized and int(length) > MAX_REQUEST_BYTES:
        return True
    return request.method != "POST" or not _may_be_a_question(request)


def _may_be_a_question(request: http.Request) -> bool:
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return "json" in media or media in _QUESTIONS
