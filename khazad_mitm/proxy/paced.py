"""A replay frame by frame, at the pace asked for or to its middle, over HTTP/1 and HTTP/2.

mitmproxy sends an answer that an addon has set in one piece, at once. Here its stream waits before
each frame, by the timer that layers have (`RequestWakeup`); a command that blocks holds up this
stream alone, and other streams of the connection go on.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable, Iterator
from itertools import zip_longest
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mitmproxy import ctx
from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import http as http_layer

from khazad_mitm.proxy.privates import PACED, Patches

if TYPE_CHECKING:
    from mitmproxy import http
    from mitmproxy.connection import Client

    from khazad_mitm.exchange import Reply

# Is there, and not announced.
_said: Any = http_layer


# SO_LINGER: on, for no time. The kernel then says RST, and not FIN (socket(7)).
_AT_ONCE = struct.pack("ii", 1, 0)


def reset(client: Client) -> None:
    """Reset the connection of a client, without the word of farewell that TLS has."""
    proxies = ctx.master.addons.get("proxyserver")
    handler = None if proxies is None else proxies.connections.get(client.id)
    io = None if handler is None else handler.transports.get(client)
    if io is not None and io.writer is not None:
        found = io.writer.get_extra_info("socket")
        found.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        io.writer.transport.abort()


class _Pause(commands.RequestWakeup):
    """The layer goes on where it was once the time is over."""

    blocking = True


class Paced:
    """Installed while `KhazadAddon` runs. Where it cannot be, all is sent at once."""

    def __init__(self) -> None:
        self._patches = Patches()
        self._plans: WeakKeyDictionary[http.HTTPFlow, Reply] = WeakKeyDictionary()

    def plan(self, flow: http.HTTPFlow, reply: Reply) -> None:
        """Send the body of this flow's response so, unless another addon changes it."""
        self._plans[flow] = reply

    def install(self) -> None:
        if PACED.is_there():
            self._patches.put(_said.HttpStream, "send_response", self._pacing)
            if not hasattr(events.Wakeup, "reply"):
                self._patches.put(events.Wakeup, "reply", lambda _: False)

    def uninstall(self) -> None:
        self._patches.undo()

    def _pacing(self, original: Callable[..., Any]) -> Callable[..., Any]:
        def send_response(
            stream: http_layer.HttpStream, already_streamed: bool = False
        ) -> Iterator[commands.Command]:
            plan = self._plans.pop(stream.flow, None)
            if plan is None or already_streamed:
                yield from original(stream, already_streamed)
                return
            whole = plan.body
            for command in original(stream, already_streamed):
                event = getattr(command, "event", None)
                if not isinstance(event, _said.ResponseData) or event.data != whole:
                    yield command
                    continue
                end = plan.resets_after
                for wait, frame in zip_longest(plan.waits[:end], plan.frames[:end]):
                    if wait:
                        yield _Pause(wait)
                    if frame:
                        data = _said.ResponseData(event.stream_id, frame)
                        yield _said.SendHttp(data, stream.context.client)
                if end is not None:
                    # What was sent is written before this, and not held for what might follow. The
                    # stream ends as one whose client has gone.
                    yield _Pause(0)
                    reset(stream.flow.client_conn)
                    return

        return send_response
