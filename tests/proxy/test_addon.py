from __future__ import annotations

import asyncio
import gc
import logging
from typing import Any

import pytest
from mitmproxy import flow as flows
from mitmproxy import http
from mitmproxy.test import taddons, tflow

from khazad_mitm.cache.live import Live
from khazad_mitm.exchange import Bypass, Framing, Hit, Miss, ParsedRequest, Unsatisfied
from khazad_mitm.messages import Headers, Request
from khazad_mitm.proxy.addon import KhazadAddon
from tests.proxy.fakes import FakeCache, asked, head

PARSED = ParsedRequest(
    provider=None,  # type: ignore[arg-type]  # nobody asks
    request=Request.to("https://api.openai.com/v1/chat/completions"),
    resource="/v1/chat/completions",
    model="gpt-4o",
    framing=Framing("json"),
    body={},
)
MISS = Miss(PARSED, digests=None)  # type: ignore[arg-type]  # nobody asks
HIT = Hit(PARSED, entry=None, tier="exact")  # type: ignore[arg-type]  # nobody asks


def addon_with(outcome: Any) -> tuple[KhazadAddon, FakeCache]:
    cache = FakeCache(outcome)
    return KhazadAddon(cache), cache  # type: ignore[arg-type]  # the same face


async def test_a_hit_answers_the_flow():
    addon, _ = addon_with(HIT)
    flow = asked()

    await addon.request(flow)

    assert flow.response is not None
    assert b"from cache" == flow.response.raw_content
    assert ("khazad; hit", ":zap:") == (flow.comment, flow.marked)


async def test_an_unsatisfied_request_is_answered_and_not_marked():
    addon, _ = addon_with(Unsatisfied(PARSED, "only-if-cached"))
    flow = asked()

    await addon.request(flow)

    assert flow.response is not None
    assert "" == flow.marked


@pytest.mark.parametrize("state", ["answered", "failed", "over", "streamed"])
async def test_a_flow_that_is_not_waiting_for_us_is_left_alone(state: str):
    addon, cache = addon_with(HIT)
    flow = asked()
    match state:
        case "answered":
            flow.response = http.Response.make(418)
        case "failed":
            flow.error = flows.Error("gone")
        case "over":
            flow.live = False
        case "streamed":
            flow.request.stream = True

    await addon.request(flow)

    assert [] == cache.requests


async def test_what_is_not_ours_passes_without_a_trace():
    addon, _ = addon_with(None)
    flow = asked(headers=http.Headers([(b"x-khazad-tag", b"mine")]))

    await addon.request(flow)
    flow.response = head(content_length="2")
    addon.responseheaders(flow)

    assert "cache-status" not in flow.response.headers
    assert not flow.response.stream
    assert "x-khazad-tag" not in flow.request.headers


async def test_a_whole_answer_to_a_miss_is_kept_as_the_upstream_sent_it():
    addon, cache = addon_with(MISS)
    flow = asked()

    await addon.request(flow)
    flow.response = head(content_length="5")
    addon.responseheaders(flow)
    assert not flow.response.stream
    assert "khazad; fwd=miss" == flow.response.headers["cache-status"]
    flow.response.raw_content = b"whole"
    addon.response(flow)

    (kept,) = cache.kept
    assert (200, b"whole") == (kept.status, kept.body)
    assert "cache-status" not in kept.headers


async def test_a_streamed_answer_to_a_miss_is_kept_chunk_by_chunk():
    addon, cache = addon_with(MISS)
    flow = asked()

    await addon.request(flow)
    flow.response = head(content_type="text/event-stream")
    addon.responseheaders(flow)
    stream = flow.response.stream
    assert callable(stream)
    assert [b"one", b"two", b""] == [stream(b"one"), stream(b"two"), stream(b"")]
    addon.response(flow)

    assert [b"onetwo"] == [kept.body for kept in cache.kept]


async def test_another_addons_stream_decides_what_the_client_gets():
    addon, cache = addon_with(MISS)
    flow = asked()

    await addon.request(flow)
    flow.response = head(content_length="5")
    flow.response.stream = lambda chunk: chunk.upper()
    addon.responseheaders(flow)
    stream = flow.response.stream
    assert callable(stream)
    assert b"ONE" == stream(b"one")
    addon.response(flow)

    assert [b"one"] == [kept.body for kept in cache.kept]


async def test_a_bypassed_stream_is_not_held_back_and_not_kept():
    addon, cache = addon_with(Bypass(PARSED, "no-store"))
    flow = asked()

    await addon.request(flow)
    flow.response = head(content_type="text/event-stream")
    addon.responseheaders(flow)
    addon.response(flow)

    assert flow.response.stream is True
    assert ([], []) == (cache.kept, cache.dropped)


async def test_an_error_forgets_the_answer():
    addon, cache = addon_with(MISS)
    flow = asked()

    await addon.request(flow)
    flow.response = head(content_type="text/event-stream")
    addon.responseheaders(flow)
    flow.error = flows.Error("connection closed")
    addon.error(flow)
    addon.response(flow)

    assert ([], ["cut"]) == (cache.kept, cache.dropped)


async def test_a_body_that_was_let_go_in_the_middle_is_not_kept():
    addon, cache = addon_with(MISS)
    flow = asked()

    await addon.request(flow)
    flow.response = head(content_length="5")
    addon.responseheaders(flow)
    addon.response(flow)

    assert ([], ["cut"]) == (cache.kept, cache.dropped)


async def test_an_answer_set_by_an_addon_behind_us_is_not_kept():
    addon, cache = addon_with(MISS)
    with taddons.context(addon) as context:
        addon.running()
        flow = asked()
        await addon.request(flow)
        flow.response = http.Response.make(200, b"mocked")
        context.master.addons.get("khazad-last").request(flow)
        addon.responseheaders(flow)
        addon.response(flow)
        addon.done()

    assert ([], ["cut"]) == (cache.kept, cache.dropped)
    assert "cache-status" not in flow.response.headers


async def test_a_failure_of_ours_lets_the_request_through(caplog: pytest.LogCaptureFixture):
    addon, _ = addon_with(RuntimeError("a mistake"))
    flow = asked()

    with caplog.at_level(logging.ERROR, "khazad"):
        await addon.request(flow)

    assert flow.response is None
    assert "could not be looked at, it goes on: RuntimeError at" in caplog.text


async def test_what_a_client_leaves_without_a_word_is_let_go():
    addon, cache = addon_with(MISS)
    flow, other = asked(), asked()
    await addon.request(flow)
    await addon.request(other)
    await addon.client_disconnected(flow.client_conn)

    assert ["cut"] == cache.dropped


async def test_who_goes_while_his_stream_is_held_up_leaves_it_to_those_who_follow():
    """mitmproxy tells the stream only when its hook has ended, and would close all by then."""
    addon, cache = addon_with(MISS)
    flow = asked()
    await addon.request(flow)
    capture = addon._tickets[flow].capture
    capture.live = live = Live(200, Headers())
    live.follow()
    going = asyncio.create_task(addon.client_disconnected(flow.client_conn))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not going.done()
    assert addon._followed.stays(flow)

    live.end(is_whole=True)
    await asyncio.wait_for(going, 10)
    assert [] == cache.dropped
    assert {} == addon._followed._left


async def test_a_flow_that_vanishes_takes_its_ticket_along():
    addon, _ = addon_with(MISS)
    flow = asked()
    await addon.request(flow)
    assert 1 == len(addon._tickets)

    del flow
    gc.collect()

    assert 0 == len(addon._tickets)


async def test_only_strings_are_left_on_a_flow():
    addon, _ = addon_with(MISS)
    flow = asked()

    await addon.request(flow)

    assert {} == flow.metadata
    assert http.HTTPFlow.from_state(flow.get_state()).comment == "khazad; fwd=miss"


async def test_the_end_stores_what_is_waiting_and_takes_the_last_word_away():
    addon, cache = addon_with(None)
    with taddons.context(addon) as context:
        addon.running()
        assert "khazad-last" in context.master.addons.lookup
        addon.done()
        assert "khazad-last" not in context.master.addons.lookup

    assert ["drain", "close"] == cache.life


async def test_flows_read_from_a_file_are_left_alone():
    addon, cache = addon_with(HIT)

    await addon.request(tflow.tflow(resp=True, live=False))

    assert [] == cache.requests
