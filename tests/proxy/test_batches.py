"""A batch that is partly known, as the hooks of the addon see it."""

from __future__ import annotations

import json

import pytest
from mitmproxy import http
from mitmproxy.test import taddons

from khazad_mitm.exchange import Miss, Partial, Reply
from khazad_mitm.messages import Headers
from khazad_mitm.proxy.addon import KhazadAddon
from tests.proxy.fakes import FakeCache, asked, head
from tests.wire import embedding

BATCH = embedding.asked(["a", "b", "c"])
assert BATCH.batch is not None
REST = BATCH.batch.rest(BATCH, [1])
MISS = Miss(
    BATCH,
    digests=None,  # type: ignore[arg-type]  # nobody asks
    items=("1", "2", "3"),
    partial=Partial({}, (1,), REST),
)
WHOLE = Reply(200, Headers([("Content-Type", "application/json")]), (b"whole",))


@pytest.fixture(autouse=True)
async def options():
    """A batch is split by an option of mitmproxy's, which a running one has."""
    with taddons.context():
        yield


def addon_with(whole: Reply | None) -> tuple[KhazadAddon, FakeCache]:
    cache = FakeCache(MISS, whole=whole)
    return KhazadAddon(cache), cache  # type: ignore[arg-type]  # the same face


async def answered(addon: KhazadAddon, flow: http.HTTPFlow, response: http.Response) -> None:
    flow.response = response
    addon.responseheaders(flow)
    flow.response.raw_content = b"the rest"
    waiting = addon.response(flow)
    if waiting is not None:
        await waiting


async def test_the_upstream_is_asked_for_the_rest():
    addon, _ = addon_with(WHOLE)
    headers = http.Headers([(b"content-encoding", b"gzip"), (b"x-own", b"1")])
    flow = asked(content=b"...", headers=headers)

    await addon.request(flow)

    assert REST.request.body == flow.request.raw_content
    assert str(len(REST.request.body)) == flow.request.headers["content-length"]
    assert "content-encoding" not in flow.request.headers
    assert "1" == flow.request.headers["x-own"]


@pytest.mark.parametrize("media", ["application/json", "text/event-stream"])
async def test_the_client_is_given_the_whole(media: str):
    addon, cache = addon_with(WHOLE)
    flow = asked()

    await addon.request(flow)
    await answered(addon, flow, head(content_type=media))

    (rest,) = cache.rests
    assert (200, b"the rest") == (rest.status, rest.body)
    assert "cache-status" not in rest.headers
    assert flow.response is not None
    assert (b"whole", "5") == (flow.response.raw_content, flow.response.headers["content-length"])
    assert ([], []) == (cache.kept, cache.dropped)


async def test_only_this_response_has_to_be_awaited():
    addon, _ = addon_with(WHOLE)
    batch, other = asked(), asked()

    await addon.request(batch)

    assert addon.response_waits(batch)
    assert not addon.response_waits(other)


async def test_an_error_of_the_upstream_is_passed_on_and_not_kept():
    addon, cache = addon_with(WHOLE)
    flow = asked()

    await addon.request(flow)
    await answered(addon, flow, head(status=429, content_length="8"))

    assert flow.response is not None
    assert (429, b"the rest") == (flow.response.status_code, flow.response.raw_content)
    assert ([], [429]) == (cache.rests, [kept.status for kept in cache.kept])


async def test_a_rest_that_fits_nothing_is_never_given_to_the_client():
    addon, _ = addon_with(None)
    flow = asked()

    await addon.request(flow)
    await answered(addon, flow, head())

    assert flow.response is not None
    assert 502 == flow.response.status_code
    assert "ask again" in json.loads(flow.response.content or b"")["error"]["message"]


async def test_a_proxy_that_was_closed_in_between_gives_no_half_answer():
    addon, _ = addon_with(WHOLE)
    flow = asked()

    await addon.request(flow)
    addon._cache = None
    await answered(addon, flow, head())

    assert flow.response is not None
    assert 502 == flow.response.status_code


async def test_nobody_behind_us_can_let_the_rest_through_in_pieces():
    addon, _ = addon_with(WHOLE)
    with taddons.context(addon) as context:
        addon.running()
        flow = asked()
        await addon.request(flow)
        flow.response = head()
        addon.responseheaders(flow)
        flow.response.stream = True
        context.master.addons.get("khazad-last").responseheaders(flow)
        addon.done()

    assert not flow.response.stream


async def test_where_mitmproxy_streams_large_bodies_no_batch_is_split():
    addon, _ = addon_with(WHOLE)
    with taddons.context(addon) as context:
        context.options.add_option("stream_large_bodies", str, "1m", "")
        flow = asked(content=b"all of it")
        await addon.request(flow)

    assert b"all of it" == flow.request.raw_content
    assert not addon.response_waits(flow)
    assert addon._tickets[flow].capture is not None


async def test_a_client_that_goes_away_is_forgotten():
    addon, cache = addon_with(WHOLE)
    flow = asked()

    await addon.request(flow)
    addon.error(flow)

    assert not addon.response_waits(flow)
    assert ["cut"] == cache.dropped
