"""What it is for is proven end to end (`test_http_*`)."""

from __future__ import annotations

import pytest
from mitmproxy.proxy.layers.http import _http1

from khazad_mitm.proxy.http1 import Http1

PATCHED = (
    (_http1, "make_body_reader"),
    (_http1.Http1Connection, "read_body"),
    (_http1.Http1Server, "send"),
    (_http1.Http1Client, "send"),
    (_http1.Http1Client, "read_headers"),
)


def test_afterwards_mitmproxy_is_as_it_was():
    originals = [getattr(owner, name) for owner, name in PATCHED]
    http1 = Http1()

    http1.install()
    assert all(
        getattr(owner, name) is not o for (owner, name), o in zip(PATCHED, originals, strict=True)
    )
    http1.uninstall()

    assert originals == [getattr(owner, name) for owner, name in PATCHED]


def test_where_mitmproxy_has_changed_nothing_is_touched(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(_http1, "make_body_reader", lambda size, more: None)
    original = _http1.Http1Server.send

    Http1().install()

    assert original is _http1.Http1Server.send
