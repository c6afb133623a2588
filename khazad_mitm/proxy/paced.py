"""A replay frame by frame, at the pace asked for, over HTTP/1 and HTTP/2.

mitmproxy sends an answer that an addon has set in one piece, at once. Here its stream waits before
each frame, by the timer that layers have (`RequestWakeup`); a command that blocks holds up this
stream alone, and other streams of the connection go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mitmproxy.proxy import commands, events
from mitmproxy.proxy.layers import http as http_layer

from khazad_mitm.proxy.privates import PACED, Patches

if TYPE_CHECKING:
    from mitmproxy import http

# Is there, and not announced.
_said: Any = http_layer


class _Pause(commands.RequestWakeup):
    """The layer goes on where it was once the time is over."""

    blocking = True


class Paced:
    """Installed while `KhazadAddon` runs. Where it cannot be, all is sent at once."""

    def __init__(self) -> None:
        self._patches = Patches()
        self._plans: WeakKeyDictionary[http.HTTPFlow, list[tuple[float, bytes]]] = (
            WeakKeyDictionary()
        )

    def plan(self, flow: http.HTTPFlow, frames: Sequence[bytes], waits: Sequence[float]) -> None:
        """Send the body of this flow's response so, unless another addon changes it."""
        self._plans[flow] = list(zip(waits, frames, strict=True))

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
            whole = b"".join(frame for _, frame in plan)
            for command in original(stream, already_streamed):
                event = getattr(command, "event", None)
                if not isinstance(event, _said.ResponseData) or event.data != whole:
                    yield command
                    continue
                for wait, frame in plan:
                    if wait > 0:
                        yield _Pause(wait)
                    if frame:
                        data = _said.ResponseData(event.stream_id, frame)
                        yield _said.SendHttp(data, stream.context.client)

        return send_response
