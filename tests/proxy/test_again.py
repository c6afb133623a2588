from __future__ import annotations

from mitmproxy.test import tflow, tutils

from khazad_mitm.proxy.again import copy_of


def test_a_copy_is_not_answered_yet_and_says_what_it_is():
    flow = tflow.tflow(resp=True)
    flow.marked = ":zap:"
    again = copy_of(flow)

    assert ("request", None, "") == (again.is_replay, again.response, again.marked)
    assert flow.request.raw_content == again.request.raw_content
    assert flow.response is not None


def test_a_copy_leaves_our_headers_at_home():
    headers = ((b"x-khazad-tag", b"t"), (b"authorization", b"Bearer one"))
    flow = tflow.tflow(req=tutils.treq(headers=headers))
    again = copy_of(flow)

    assert "x-khazad-tag" not in again.request.headers
    assert "Bearer one" == again.request.headers["authorization"]
    assert "x-khazad-tag" in flow.request.headers
