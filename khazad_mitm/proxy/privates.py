"""Every private of mitmproxy that is used here, what was read of it, and what happens without it.

mitmproxy does not promise that these stay. Each was read in 11.0.2 and 12.2.3, is compared with
that before it is touched, and where it has changed one line says what is gone; nothing else is.
Beside these: public names only.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

logger = logging.getLogger("khazad")

_HTTP = "mitmproxy.proxy.layers.http"
_HTTP1 = "mitmproxy.proxy.layers.http._http1"
_MANAGER = "mitmproxy.addonmanager"
_HANDLER = "mitmproxy.proxy.server"


@dataclass(frozen=True, slots=True)
class Private:
    """A function, a method, or an attribute that a class announces (`attribute`)."""

    module: str
    name: str
    """`function` or `Class.method`."""
    parameters: str = ""
    """Their names, in order."""
    kind: Literal["plain", "generator", "coroutine", "attribute"] = "plain"

    def is_as_read(self) -> bool:
        owner_name, _, name = self.name.rpartition(".")
        try:
            owner = importlib.import_module(self.module)
        except ImportError:
            return False
        holder = getattr(owner, owner_name, None) if owner_name else owner
        if self.kind == "attribute":
            return name in inspect.get_annotations(holder) if isinstance(holder, type) else False
        function = getattr(holder, name, None)
        if not inspect.isfunction(function):
            return False
        return (
            list(inspect.signature(function).parameters) == self.parameters.split()
            and inspect.isgeneratorfunction(function) == (self.kind == "generator")
            and inspect.iscoroutinefunction(function) == (self.kind == "coroutine")
        )


@dataclass(frozen=True, slots=True)
class Feature:
    """Something of ours that stands on privates."""

    without: str
    """What is said, and true, where one of them has changed."""
    privates: tuple[Private, ...]

    def changed(self) -> list[str]:
        return [private.name for private in self.privates if not private.is_as_read()]

    def is_there(self) -> bool:
        """May it be used? Says so in the log where not."""
        changed = self.changed()
        if changed:
            logger.warning(
                "[Khazad] %s: mitmproxy has changed %s", self.without, ", ".join(changed)
            )
        return not changed


DISPATCH = Feature(
    "hooks go mitmproxy's own way, which is slower",
    (
        Private(_MANAGER, "AddonManager.handle_lifecycle", "self event", "coroutine"),
        Private(_MANAGER, "AddonManager.trigger_event", "self event", "coroutine"),
        # Yields (addon, handler) in order, children included.
        Private(_MANAGER, "AddonManager._iter_hooks", "self addon event", "generator"),
        # What changes `AddonManager.chain`.
        Private(_MANAGER, "AddonManager.register", "self addon"),
        Private(_MANAGER, "AddonManager.remove", "self addon"),
        Private(_MANAGER, "AddonManager.clear", "self"),
        # Logs what a handler raises, except AddonHalt and OptionsError.
        Private(_MANAGER, "safecall", ""),
    ),
)

UNASKED = Feature(
    "every addon of mitmproxy is asked at every hook, which is slower",
    (
        Private(_MANAGER, "AddonManager.trigger_event", "self event", "coroutine"),
        # Calls what `_iter_hooks` yields, which looks for a handler and for `addons`.
        Private(_MANAGER, "AddonManager.invoke_addon", "self addon event", "coroutine"),
        Private(_MANAGER, "AddonManager._iter_hooks", "self addon event", "generator"),
        Private(_MANAGER, "safecall", ""),
    ),
)

REUSE = Feature(
    "upstream connections are used again as mitmproxy does it, whether they still stand or not",
    (
        Private(_HTTP, "GetHttpConnection.connection_spec_matches", "self connection"),
        Private(_HTTP, "GetHttpConnection.address", kind="attribute"),
        Private(_HANDLER, "ConnectionHandler.transports", kind="attribute"),
        Private(_HANDLER, "ConnectionIO.writer", kind="attribute"),
    ),
)

CLOSED = Feature(
    "upstream connections that are over stay in memory as long as their client's",
    (
        # Not a generator where it is replaced: what it gives is one.
        Private(_HTTP, "HttpLayer.get_connection", "self event reuse", "generator"),
        Private(_HTTP, "HttpLayer.connections", kind="attribute"),
        Private(_HTTP, "HttpLayer.waiting_for_establishment", kind="attribute"),
    ),
)

LIMITS = Feature(
    "a client has five connections to an upstream at most, and idle ones end after ten minutes",
    (
        Private(_HANDLER, "ConnectionHandler.max_conns", kind="attribute"),
        Private(_HANDLER, "ConnectionHandler.timeout_watchdog", kind="attribute"),
    ),
)

HTTP1 = Feature(
    "HTTP/1 trailers, 1xx answers and HTTP/2 bodies of unknown length do not pass",
    (
        # In these, `Http1Connection.buf` and `body_reader` are h11's.
        Private(_HTTP1, "make_body_reader", "expected_size"),
        Private(_HTTP1, "Http1Connection.read_body", "self event", "generator"),
        Private(_HTTP1, "Http1Server.send", "self event", "generator"),
        Private(_HTTP1, "Http1Client.send", "self event", "generator"),
        Private(_HTTP1, "Http1Client.read_headers", "self event", "generator"),
        Private(_HTTP1, "Http1Connection.buf", kind="attribute"),
        Private(_HTTP1, "Http1Connection.body_reader", kind="attribute"),
        # Events, each with its end of message.
        Private(_HTTP, "RequestHeaders.request", kind="attribute"),
        Private(_HTTP, "RequestTrailers.trailers", kind="attribute"),
        Private(_HTTP, "ResponseTrailers.trailers", kind="attribute"),
    ),
)

LISTENING = Feature(
    "several processes cannot share a port",
    (
        Private(
            "mitmproxy.proxy.mode_servers",
            "AsyncioServerInstance.listen",
            "self host port",
            "coroutine",
        ),
        Private(
            "mitmproxy.proxy.mode_servers",
            "ServerInstance.handle_stream",
            "self reader writer",
            "coroutine",
        ),
    ),
)

ORIGIN_FORM = Feature(
    "a base URL works with the address the proxy listens on, not with another that leads there",
    (Private(_HTTP1, "Http1Server.read_headers", "self event", "generator"),),
)

PACED = Feature(
    "replays come at once and whole, whatever `replay_pace` and faults say",
    (
        # Those of the client, for a connection that is to be reset.
        Private(_HANDLER, "ConnectionHandler.transports", kind="attribute"),
        Private(_HANDLER, "ConnectionIO.writer", kind="attribute"),
        Private(_HTTP, "HttpStream.send_response", "self already_streamed", "generator"),
        # A layer that has said something that blocks goes on when it is completed, with `reply`,
        # which is all that a wake-up lacks.
        Private("mitmproxy.proxy.events", "Wakeup.command", kind="attribute"),
        Private(_HTTP, "ResponseData.data", kind="attribute"),
        Private(_HTTP, "SendHttp.event", kind="attribute"),
    ),
)

FOLLOWED = Feature(
    "equal questions for a stream at one moment make a call each",
    (
        *PACED.privates,
        # Ends the upstream's stream where the client has gone.
        Private(_HTTP, "HttpStream.handle_protocol_error", "self event", "generator"),
    ),
)

FEATURES = (
    *(DISPATCH, UNASKED, REUSE, CLOSED, LIMITS),
    *(HTTP1, LISTENING, ORIGIN_FORM, PACED, FOLLOWED),
)


class Patches:
    """Functions of mitmproxy that are others while we run."""

    def __init__(self) -> None:
        self._originals: list[tuple[Any, str, Any]] = []

    def put(self, owner: Any, name: str, make: Callable[[Any], Any]) -> None:
        """Replace `owner.name` by `make(original)`; what was not there is None, and taken away."""
        original = getattr(owner, name, None)
        self._originals.append((owner, name, original))
        replacement = make(original)
        if inspect.isfunction(original):
            # Two features may stand on one function: to the second it looks as it was read.
            functools.update_wrapper(replacement, original)
        setattr(owner, name, replacement)

    def undo(self) -> None:
        """As it was. Idempotent."""
        while self._originals:
            owner, name, original = self._originals.pop()
            if original is None:
                delattr(owner, name)
            else:
                setattr(owner, name, original)
