"""A batch that is partly known, on its way through mitmproxy.

The upstream is sent the request for the rest, and its answer is held back until it has become the
answer to the whole: a client must never see the rest alone.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from mitmproxy import ctx

from khazad_mitm.cache.status import of_incomplete
from khazad_mitm.messages import Headers, Response
from khazad_mitm.proxy import flows

if TYPE_CHECKING:
    from mitmproxy import http

    from khazad_mitm.exchange import Miss
    from khazad_mitm.fronts import Front


def split(flow: http.HTTPFlow, miss: Miss) -> Miss:
    """Have the flow ask for the rest; the miss as it then is, without `partial` if it may not."""
    if miss.partial is None:
        return miss
    # mitmproxy lets an answer through in pieces once it is found to be long, and asks nobody.
    if getattr(ctx.options, "stream_large_bodies", None):
        return replace(miss, partial=None)
    flows.replace_body(flow.request, miss.partial.rest.request.body)
    return miss


async def complete(flow: http.HTTPFlow, cache: Front | None, batch: Miss, headers: Headers) -> None:
    """Make the answer to the rest, which came with these headers, the answer to the whole."""
    response, reply = flow.response, None
    if cache is not None and response is not None and response.raw_content is not None:
        rest = Response(response.status_code, headers, response.raw_content)
        reply = await cache.complete_async(batch, rest)
    flow.response = flows.to_response(reply or of_incomplete(batch))
