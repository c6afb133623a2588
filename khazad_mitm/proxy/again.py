"""Ask the upstream again, in the background, what was just served from the cache.

By mitmproxy's own client replay, so that the call goes out as any other: TLS is verified as the
options say, an upstream proxy is gone through, and other addons see a flow that calls itself a
replay. The copy of the request, credential included, lives as long as the call. Its answer goes
through our own hooks into a capture, as that of a miss does.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from mitmproxy import ctx
from mitmproxy.addons.clientplayback import ReplayHandler

from khazad_mitm.errors import tell
from khazad_mitm.proxy import flows

if TYPE_CHECKING:
    from collections.abc import Callable

    from mitmproxy import http

# A long answer of a large model; whoever takes longer teaches nothing.
PATIENCE_S = 300.0

logger = logging.getLogger("khazad")


def copy_of(flow: http.HTTPFlow) -> http.HTTPFlow:
    """The flow as it is to be asked again, not answered yet."""
    again: http.HTTPFlow = flow.copy()
    again.response = None
    again.error = None
    again.comment = again.marked = ""
    again.is_replay = "request"
    flows.strip_controls(again.request)
    return again


class Again:
    """The background calls that are on their way."""

    def __init__(self, forget: Callable[[http.HTTPFlow], None]) -> None:
        """`forget(flow)`: no answer will come to this one."""
        self._forget = forget
        self._tasks: set[asyncio.Task[None]] = set()

    def ask(self, again: http.HTTPFlow) -> None:
        """Send a copy of a flow on its way; returns at once."""
        task = asyncio.get_running_loop().create_task(self._replay(again))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _replay(self, again: http.HTTPFlow) -> None:
        try:
            await asyncio.wait_for(ReplayHandler(again, ctx.options).replay(), PATIENCE_S)
        except Exception:  # an edge: nobody waits for this one
            tell(logger, "[Khazad] a background call failed")
        finally:
            # Does nothing where the answer has come.
            self._forget(again)

    def stop(self) -> None:
        for task in list(self._tasks):
            task.cancel()
