"""Clients that are given a stream which another client has asked for, while it comes.

A follower's stream sends what has come, and then waits for more by a hook of ours, which blocks it
alone. And whoever asked first may leave: mitmproxy would end the upstream's stream with him, so its
word that he has gone is kept from his stream while others follow.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mitmproxy.proxy import commands
from mitmproxy.proxy.layers import http as http_layer

from khazad_mitm.proxy import flows
from khazad_mitm.proxy.privates import FOLLOWED, Patches

if TYPE_CHECKING:
    from mitmproxy import http
    from mitmproxy.connection import Client

    from khazad_mitm.cache.live import Live
    from khazad_mitm.exchange import Reply

# A stream whose first client has gone goes on for its followers: no model talks longer.
LONGEST_S = 1800.0

# Is there, and not announced.
_said: Any = http_layer


@dataclass(frozen=True)
class More:
    """Who waits for the chunk at this place."""

    live: Live
    place: int


@dataclass
class KhazadMoreHook(commands.StartHook):
    """Completed when there is more of a stream, or its end."""

    more: More


class Followers:
    """Installed while `KhazadAddon` runs. Where it cannot be, nobody follows."""

    def __init__(self, live_of: Callable[[http.HTTPFlow], Live | None]) -> None:
        """`live_of(flow)`: what others may read of the answer to it."""
        self._live_of = live_of
        self._patches = Patches()
        self._plans: WeakKeyDictionary[http.HTTPFlow, Live] = WeakKeyDictionary()
        self._left: defaultdict[str, list[Live]] = defaultdict(list)
        """By connection: streams whose first client has gone."""
        self._is_there = False

    def install(self) -> None:
        self._is_there = FOLLOWED.is_there()
        if self._is_there:
            self._patches.put(_said.HttpStream, "send_response", self._following)
            self._patches.put(_said.HttpStream, "handle_protocol_error", self._staying)

    def uninstall(self) -> None:
        self._is_there = False
        self._patches.undo()

    def can(self, flow: http.HTTPFlow) -> bool:
        """May this client be given a body of unknown length?"""
        return self._is_there and flow.request.http_version not in ("HTTP/1.0", "HTTP/0.9")

    def plan(self, flow: http.HTTPFlow, head: Reply, live: Live) -> None:
        """Answer this flow with a stream that is still coming."""
        flow.response = flows.to_head(head, is_chunked=not flow.request.is_http2)
        self._plans[flow] = live

    async def khazad_more(self, more: More) -> None:
        await more.live.wait_async(more.place)

    def stays(self, flow: http.HTTPFlow) -> bool:
        """Its client goes: must its stream go on for those who follow?"""
        live = self._live_of(flow)
        if live is None or live.leave():
            return False
        if live not in (left := self._left[flow.client_conn.id]):
            left.append(live)
        return True

    async def until_over(self, client: Client) -> None:
        """This client has gone: wait until nobody needs his connections to the upstream."""
        for live in self._left.get(client.id, ()):
            try:
                await asyncio.wait_for(live.until_over(), LONGEST_S)
            except asyncio.TimeoutError:
                live.end(is_whole=False)
        # Not before: a stream that is held up in a hook hears only now that he has gone.
        self._left.pop(client.id, None)

    def _following(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def send_response(
            stream: http_layer.HttpStream, already_streamed: bool = False
        ) -> Iterator[commands.Command]:
            live = self._plans.pop(stream.flow, None)
            if live is None or already_streamed:
                yield from original(stream, already_streamed)
                return
            client, id_ = stream.context.client, stream.stream_id
            head = _said.ResponseHeaders(id_, stream.flow.response, end_stream=False)
            yield _said.SendHttp(head, client)
            place = 0
            while True:
                yield KhazadMoreHook(More(live, place))
                chunks = live.after(place)
                if not chunks and live.is_over:
                    break
                place += len(chunks)
                yield _said.SendHttp(_said.ResponseData(id_, b"".join(chunks)), client)
            if live.is_whole:
                yield from original(stream, True)
            else:
                yield from stream.handle_protocol_error(_cut(id_))

        return send_response

    def _staying(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def handle_protocol_error(
            stream: http_layer.HttpStream, event: Any
        ) -> Iterator[commands.Command]:
            has_left = isinstance(event, _said.RequestProtocolError)
            if not (has_left and self.stays(stream.flow)):
                yield from original(stream, event)

        return handle_protocol_error


def _cut(stream_id: int) -> Any:
    # From mitmproxy 12 on an error says of which kind it is.
    codes = getattr(_said, "ErrorCode", None)
    kind = () if codes is None else (codes.GENERIC_SERVER_ERROR,)
    return _said.ResponseProtocolError(stream_id, "the stream that was followed was cut", *kind)
