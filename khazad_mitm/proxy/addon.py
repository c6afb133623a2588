"""`KhazadAddon`: what happens to a flow, hook by hook.

    requestheaders   let a large request that cannot be ours through in pieces
    request          ask the cache: a hit answers; a miss leaves a ticket on the flow
    responseheaders  say what happened (Cache-Status); put a tee into what is streamed
    response         the whole answer has passed: hand it over
    error            cut, reset, or the client went away: forget it

Everything of ours that fails ends in pass-through. What is decided, and why, is `cache`'s.
"""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from mitmproxy import ctx, exceptions, http

from khazad_mitm.assembly import build
from khazad_mitm.cache.live import Followed, Live
from khazad_mitm.errors import ConfigError, MissingExtra, tell
from khazad_mitm.exchange import Bypass, Hit, Miss, Unsatisfied
from khazad_mitm.fronts import Played, Unrecorded
from khazad_mitm.messages import Headers
from khazad_mitm.proxy import batches, flows, logs, magic, options, uploads
from khazad_mitm.proxy.again import Again, copy_of
from khazad_mitm.proxy.closed import Closed
from khazad_mitm.proxy.followers import Followers
from khazad_mitm.proxy.http1 import Http1
from khazad_mitm.proxy.lazy import LastWord, Lazy
from khazad_mitm.proxy.limits import Limits
from khazad_mitm.proxy.paced import Paced, reset
from khazad_mitm.proxy.reuse import Reuse
from khazad_mitm.proxy.tee import Tee, is_streamed
from khazad_mitm.proxy.tunnels import Tunnels
from khazad_mitm.proxy.unasked import Unasked

if TYPE_CHECKING:
    from collections.abc import Coroutine, Set

    from mitmproxy.addonmanager import Loader
    from mitmproxy.connection import Client
    from mitmproxy.proxy.server_hooks import ServerConnectionHookData

    from khazad_mitm.fronts import Front, Listener
    from khazad_mitm.proxy.team import Team
    from khazad_mitm.settings import Settings

# Answers that wait to be stored when the proxy ends.
DRAIN_TIMEOUT_S = 5.0

logger = logging.getLogger("khazad")


@dataclass(slots=True)
class Ticket:
    """What we remember of a request that went upstream."""

    cache_status: str
    capture: Listener | None
    """None: nothing is kept."""
    headers: Headers = Headers()  # noqa: RUF009  (immutable)
    """Of the answer as it came, without our own."""
    is_teed: bool = False
    batch: Miss | None = None
    """The upstream was asked for a part of this one; its answer is not for the client yet."""


class KhazadAddon:
    """Load it last among scripts: what comes before it, it sees as the client sent it."""

    name = "khazad"

    def __init__(self, cache: Front | None = None, team: Team | None = None) -> None:
        """With a `cache` that is built already, no options are declared and none are read.

        `team`: the processes that serve the same port.
        """
        self._team = team
        self._given = cache is not None
        self._cache = cache
        self._settings: Settings | None = None
        self._is_running = False
        self.is_ending = False
        """No more work, please: so says the page for load balancers."""
        # Weak: a flow that mitmproxy drops without another hook takes its ticket along.
        self._tickets: WeakKeyDictionary[http.HTTPFlow, Ticket] = WeakKeyDictionary()
        self._last_word = LastWord(self.decrypts, self._forget, self.response_waits)
        self._again = Again(self._forget)
        # Hooks of the connection, told elsewhere. They are lent to this addon: one more addon
        # in mitmproxy's chain is asked eight times for every request.
        tunnels, lazy = Tunnels(self.decrypts), Lazy(self._waits)
        self.next_layer = tunnels.next_layer
        self.tls_clienthello = tunnels.tls_clienthello
        self.http_connect = lazy.http_connect
        self.tls_start_server = lazy.tls_start_server
        self._reuse = Reuse()
        self.server_connected = self._reuse.server_connected
        self.client_connected = Limits().client_connected
        self._paced = Paced()
        self._followed = Followers(self._live)
        self.khazad_more = self._followed.khazad_more
        self._patches = (Unasked(), self._reuse, Closed(), Http1(), self._paced, self._followed)

    # -- life

    def load(self, loader: Loader) -> None:
        if not self._given:
            options.load(loader)
        loader.add_command("khazad.stats", self.stats)
        loader.add_command("khazad.flush", self.flush)

    def configure(self, updated: Set[str]) -> None:
        if self._given or not any(name.startswith(options.PREFIX) for name in updated):
            return
        settings = options.read(ctx.options)
        if settings == self._settings:
            return
        if self._is_running:
            try:
                self._open(settings)
            except (ConfigError, MissingExtra) as error:
                raise exceptions.OptionsError(str(error)) from error
        self._settings = settings

    def running(self) -> None:
        """Build the cache. What is wrong is logged as an error, which ends a starting mitmproxy."""
        self._is_running = True
        logs.install()
        for patch in self._patches:
            patch.install()
        if not self._given:
            complaint = options.misspelt(ctx.options)
            if complaint:
                logger.error(complaint)
                return
            if self._settings is None:
                return
            try:
                self._open(self._settings)
            except (ConfigError, MissingExtra) as error:
                logger.error("%s", error)
                return
        ctx.master.addons.add(self._last_word)

    def done(self) -> None:
        if self._last_word in ctx.master.addons:
            ctx.master.addons.remove(self._last_word)
        self._again.stop()
        self._close()
        for patch in reversed(self._patches):
            patch.uninstall()
        logs.uninstall()

    def _open(self, settings: Settings) -> None:
        cache = build(settings)
        logger.setLevel(settings.log_level)
        self._close()
        self._cache = cache

    def _close(self) -> None:
        cache, self._cache = self._cache, None
        if cache is not None:
            cache.drain(DRAIN_TIMEOUT_S)
            cache.close()

    def decrypts(self, host: str) -> bool:
        """May TLS of this host be opened?"""
        return self._cache is not None and self._cache.decrypts(host)

    def _waits(self, host: str) -> bool:
        return host == magic.HOST or self.decrypts(host)

    def server_connect(self, data: ServerConnectionHookData) -> None:
        if self._cache is not None and self._cache.is_closed:
            # No socket is opened where `error` is set, whoever asked for it.
            address = data.server.address
            data.server.error = (
                f"khazad_record=none: {address[0] if address else 'no'} is not dialled"
            )
            return
        self._reuse.server_connect(data)

    # -- flows

    def requestheaders(self, flow: http.HTTPFlow) -> None:
        if flow.response or flow.error or not flow.live:
            return
        flows.unfold(flow.request)
        # A cassette compares all of a request.
        wants_all = self._cache is not None and self._cache.wants_all
        if not flow.request.stream and not wants_all and uploads.is_streamed(flow.request):
            flow.request.stream = True
        # Its head goes upstream before we are asked.
        if flow.request.stream:
            flows.strip_controls(flow.request)

    async def request(self, flow: http.HTTPFlow) -> None:
        # A streamed request body has gone upstream by now.
        if flow.response or flow.error or not flow.live or flow.request.stream:
            return
        if flow in self._tickets:  # a background call of our own
            return
        try:
            if magic.is_meant(flow.request):
                is_local = flows.is_local(flow.client_conn)
                flow.response = await magic.page(
                    flow.request,
                    self._cache,
                    self.is_ending,
                    self._team,
                    is_local=is_local,
                    may_change=is_local or "proxyauth" in flow.metadata,
                )
            elif self._cache is not None:
                await self._ask(self._cache, flow)
        except Exception:  # an edge: a mistake of ours must not reach the caller
            tell(logger, "[Khazad] a request could not be looked at, it goes on", logging.ERROR)
            self._forget(flow)
        if flow.response is None:
            flows.strip_controls(flow.request)

    async def _ask(self, cache: Front, flow: http.HTTPFlow) -> None:
        follows = self._followed.can(flow)
        outcome = await cache.look_up_async(flows.to_request(flow), follows=follows)
        match outcome:
            case None:
                return
            case Hit() | Unsatisfied() | Played():
                reply = cache.reply(outcome)
                if reply.resets_after == 0:
                    reset(flow.client_conn)
                    flow.kill()
                    return
                flow.response = flows.to_response(reply)
                if reply.waits or reply.resets_after:
                    self._paced.plan(flow, reply)
                flow.comment = reply.headers.joined("cache-status")
                if isinstance(outcome, Hit):
                    flow.marked = ":zap:"
                    self._ask_again(cache, flow, outcome)
            case Followed():
                reply = cache.reply(outcome)
                self._followed.plan(flow, reply, outcome.live)
                flow.comment = reply.headers.joined("cache-status")
            case Miss():
                miss = batches.split(flow, outcome)
                ticket = Ticket(cache.cache_status(miss), cache.capture(miss))
                ticket.batch = None if miss.partial is None else miss
                self._admit(flow, ticket)
            case Unrecorded():
                self._admit(flow, Ticket(cache.cache_status(outcome), cache.capture(outcome)))
            case Bypass():
                self._admit(flow, Ticket(cache.cache_status(outcome), None))

    def _ask_again(self, cache: Front, flow: http.HTTPFlow, hit: Hit) -> None:
        capture = cache.shadow(hit)
        if capture is not None:
            again = copy_of(flow)
            self._tickets[again] = Ticket("", capture)
            self._again.ask(again)

    def _admit(self, flow: http.HTTPFlow, ticket: Ticket) -> None:
        self._tickets[flow] = ticket
        flow.comment = ticket.cache_status

    def responseheaders(self, flow: http.HTTPFlow) -> None:
        response = flow.response
        # An answer that has its body already is ours or another addon's.
        if response is None or response.raw_content is not None:
            return
        ticket = self._tickets.get(flow)
        if ticket is not None:
            ticket.headers = flows.to_headers(response.headers)
            # RFC 9211 §2: a cache appends to what the caches before it have said.
            if ticket.cache_status:
                response.headers.add("cache-status", ticket.cache_status)
            if response.status_code != HTTPStatus.OK:
                ticket.batch = None
        if ticket is not None and ticket.batch is not None:
            response.stream = False
        elif ticket is not None and ticket.capture is not None:
            if is_streamed(response) or response.stream:
                ticket.is_teed = True
                then = response.stream if callable(response.stream) else None
                response.stream = Tee(ticket.capture, then)
                ticket.capture.begin(response.status_code, ticket.headers)
        elif not response.stream and is_streamed(response):
            response.stream = True

    def response(self, flow: http.HTTPFlow) -> Coroutine[Any, Any, None] | None:
        """Hand over what has passed; to be awaited where a batch has to be put together first."""
        ticket = self._tickets.pop(flow, None)
        if ticket is None or ticket.capture is None or flow.response is None:
            return None
        if ticket.batch is not None:
            return batches.complete(flow, self._cache, ticket.batch, ticket.headers)
        try:
            if not ticket.is_teed:
                # None: `stream_large_bodies` has let it go by in the middle.
                if flow.response.raw_content is None:
                    ticket.capture.abort()
                    return None
                ticket.capture.feed(flow.response.raw_content)
            ticket.capture.finish(flow.response.status_code, ticket.headers)
        except Exception:  # an edge: the answer is the client's, keeping it our business alone
            tell(logger, "[Khazad] an answer could not be kept", logging.ERROR)
        return None

    def response_waits(self, flow: http.HTTPFlow) -> bool:
        """Will `response` have to be awaited? See `dispatch`."""
        ticket = self._tickets.get(flow)
        return ticket is not None and ticket.batch is not None

    def error(self, flow: http.HTTPFlow) -> None:
        self._forget(flow)

    def _forget(self, flow: http.HTTPFlow) -> None:
        ticket = self._tickets.pop(flow, None)
        if ticket is not None and ticket.capture is not None:
            ticket.capture.abort()

    async def client_disconnected(self, client: Client) -> None:
        # What waits for a connection to the upstream now is dropped by mitmproxy without a word,
        # and others may be waiting for its answer.
        for flow in [flow for flow in self._tickets if flow.client_conn is client]:
            if not self._followed.stays(flow):
                self._forget(flow)
        await self._followed.until_over(client)

    def _live(self, flow: http.HTTPFlow) -> Live | None:
        """What others may read of the answer to this flow while it comes."""
        ticket = self._tickets.get(flow)
        return None if ticket is None or ticket.capture is None else ticket.capture.live

    # -- commands

    def stats(self) -> str:
        """What the cache has done so far, as JSON."""
        return "{}" if self._cache is None else json.dumps(self._cache.stats().to_dict())

    def flush(self) -> None:
        """Forget every answer, and the counters."""
        if self._cache is not None:
            self._cache.flush()
