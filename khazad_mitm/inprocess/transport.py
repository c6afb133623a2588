"""What stands between a client and its transport for the time of one request.

Asks the cache; plays what it knows; sends the rest on, untouched, and reads along. The blocking
and the awaiting transport differ in the calls they wait for and in nothing else. Whatever goes
wrong in here, the request goes upstream.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Protocol

from khazad_mitm.cache.live import Followed
from khazad_mitm.cache.policy import CONTROL_HEADERS
from khazad_mitm.errors import tell
from khazad_mitm.exchange import Bypass, Hit, Miss, Unsatisfied
from khazad_mitm.fronts import Decision, Played, Unrecorded
from khazad_mitm.inprocess.translation import Theirs, Translation
from khazad_mitm.own_calls import guarded, is_guarded

if TYPE_CHECKING:
    from khazad_mitm.exchange import Reply
    from khazad_mitm.fronts import Front
    from khazad_mitm.inprocess.library import Library
    from khazad_mitm.inprocess.streams import Capture
    from khazad_mitm.messages import Request

logger = logging.getLogger("khazad")

_on_their_way: set[asyncio.Task[None]] = set()
"""Background calls: an event loop alone would let them be collected."""


@contextmanager
def ending(capture: Capture) -> Iterator[None]:
    """A background call, of which nobody hears: a client that was closed meanwhile ends it."""
    try:
        yield
    except Exception as error:  # an edge: nobody waits for this one, whatever a library raises
        logger.debug("[Khazad] a background call failed: %s", error)
    finally:
        capture.abort()  # does nothing where the answer is whole


class SyncWrapped(Protocol):
    def handle_request(self, request: Any) -> Any: ...
    def close(self) -> None: ...


class AsyncWrapped(Protocol):
    async def handle_async_request(self, request: Any) -> Any: ...
    async def aclose(self) -> None: ...


class Interception:
    """The part of a transport that waits for nothing."""

    _is_async: bool

    def __init__(self, library: Translation, cache: Front) -> None:
        self._library = library
        self._cache = cache

    def _read(self, theirs: Theirs) -> Request | None:
        try:
            return self._library.request(theirs, whole=self._cache.wants_all)
        except Exception:  # an edge: an odd request of the library is its own business
            tell(logger, "[Khazad] Could not read a request, passing it on")
            return None

    def _answer(self, theirs: Theirs, outcome: Decision | None) -> Theirs:
        """The response where the outcome is one; None: ask the upstream."""
        match outcome:
            case Hit():
                is_stream = outcome.parsed.framing.is_stream
            case Played():
                is_stream = outcome.is_stream
            case Unsatisfied() | Followed():
                is_stream = False
            case Miss() | Bypass() | Unrecorded() | None:
                return None
        try:
            reply = self._cache.reply(outcome)
            if isinstance(outcome, Followed):
                return self._library.following(reply, theirs, outcome.live)
            made = self._library.response(reply, theirs, is_stream=is_stream)
        except Exception:  # an edge: the caller gets his answer from the upstream
            if self._cache.is_closed:
                raise
            tell(logger, "[Khazad] Could not replay an answer, asking again")
            return None
        if reply.resets_after == 0:
            raise self._library.reset(theirs)
        return made

    def _cleaned(self, theirs: Theirs) -> Theirs:
        return self._library.without_headers(theirs, CONTROL_HEADERS)

    def _outgoing(self, theirs: Theirs, outcome: Decision | None) -> tuple[Theirs, Decision | None]:
        """What to send, and what its answer will be the answer to: of a batch, the rest only."""
        cleaned = self._cleaned(theirs)
        if isinstance(outcome, Miss) and outcome.partial is not None:
            try:
                body = outcome.partial.rest.request.body
                return self._library.with_body(cleaned, body), outcome
            except Exception:  # an edge: the batch goes out as it came
                tell(logger, "[Khazad] Could not split a batch, asking for all")
                outcome = replace(outcome, partial=None)
        return cleaned, outcome

    @contextmanager
    def _abandoning(self, outcome: Decision | None) -> Iterator[None]:
        """Others may be waiting for an answer that will not come."""
        try:
            yield
        except BaseException:
            self._cache.abandon(outcome)
            raise

    def _completes(self, response: Theirs, outcome: Decision | None) -> Miss | None:
        """The batch that this answer is the rest of, or None: it is an answer, or an error, as
        any other."""
        if self._library.status(response) == HTTPStatus.OK and isinstance(outcome, Miss):
            return None if outcome.partial is None else outcome
        return None

    def _whole(self, theirs: Theirs, reply: Reply | None) -> Theirs:
        return None if reply is None else self._library.response(reply, theirs, is_stream=False)

    def _forwarded(self, response: Theirs, outcome: Decision | None) -> Theirs:
        """The upstream's answer, with what we did said on it, and a capture reading along."""
        if not isinstance(outcome, (Miss, Bypass, Unrecorded)):
            return response
        try:
            if not isinstance(outcome, Bypass):
                self._listen(response, self._cache.capture(outcome))
            self._library.add_header(response, "Cache-Status", self._cache.cache_status(outcome))
        except Exception:  # an edge: the answer is the caller's, the rest is ours alone
            self._cache.abandon(outcome)
            tell(logger, "[Khazad] could not read along with an answer")
        return response

    def _listen(self, response: Theirs, capture: Capture) -> None:
        if not self._library.is_read(response):
            self._library.tee(response, capture, is_async=self._is_async)
            return
        # A transport that has read the body itself, as mock transports do, left it decoded.
        whole = self._library.whole(response)
        capture.feed(whole.body)
        capture.finish(whole.status, whole.headers)

    def _again(
        self, theirs: Theirs, outcome: Decision | None, ask: Callable[[Theirs, Capture], None]
    ) -> None:
        """Have asked in the background what was just answered, where the cache wants to know."""
        try:
            capture = self._cache.shadow(outcome)
            if capture is not None:
                ask(self._library.again(self._cleaned(theirs)), capture)
        except Exception:  # an edge: the caller has his answer
            tell(logger, "[Khazad] Could not ask again in the background")


class SyncTransport(Interception):
    """Wraps the transport of a blocking client."""

    _is_async = False

    def __init__(self, library: Translation, cache: Front, wrapped: SyncWrapped) -> None:
        super().__init__(library, cache)
        self._wrapped = wrapped

    def handle_request(self, request: Theirs) -> Theirs:
        outcome = self._decide(request)
        answer = self._answer(request, outcome)
        if answer is not None:
            self._again(request, outcome, self._ask_again)
            return answer
        with guarded():
            outgoing, outcome = self._outgoing(request, outcome)
            with self._abandoning(outcome):
                response: Theirs = self._wrapped.handle_request(outgoing)
            batch = self._completes(response, outcome)
            if batch is not None:
                self._library.read(response)
                reply = self._cache.complete(batch, self._library.whole(response))
                whole = self._whole(request, reply)
                if whole is not None:
                    return whole
                outcome = replace(batch, partial=None)
                response = self._wrapped.handle_request(self._cleaned(request))
        return self._forwarded(response, outcome)

    def _decide(self, theirs: Theirs) -> Decision | None:
        if is_guarded():
            return None
        asked = self._read(theirs)
        if asked is None:
            return self._cache.unreadable()
        try:
            with guarded():
                return self._cache.look_up(asked, follows=self._library.follows)
        except Exception:  # an edge: a mistake of ours must not reach the caller
            if self._cache.is_closed:
                raise
            tell(logger, "[Khazad] Lookup failed, passing on")
            return None

    def _ask_again(self, theirs: Theirs, capture: Capture) -> None:
        def ask() -> None:
            with guarded(), ending(capture):
                response = self._wrapped.handle_request(theirs)
                self._listen(response, capture)
                if not self._library.is_read(response):
                    self._library.read(response)

        threading.Thread(target=ask, name="khazad-again", daemon=True).start()

    def close(self) -> None:
        self._wrapped.close()


class AsyncTransport(Interception):
    """Wraps the transport of an awaiting client."""

    _is_async = True

    def __init__(self, library: Translation, cache: Front, wrapped: AsyncWrapped) -> None:
        super().__init__(library, cache)
        self._wrapped = wrapped

    async def handle_async_request(self, request: Theirs) -> Theirs:
        outcome = await self._decide(request)
        answer = self._answer(request, outcome)
        if answer is not None:
            self._again(request, outcome, self._ask_again)
            return answer
        with guarded():
            outgoing, outcome = self._outgoing(request, outcome)
            with self._abandoning(outcome):
                response: Theirs = await self._wrapped.handle_async_request(outgoing)
            batch = self._completes(response, outcome)
            if batch is not None:
                async with aclosing(response):
                    await response.aread()
                reply = await self._cache.complete_async(batch, self._library.whole(response))
                whole = self._whole(request, reply)
                if whole is not None:
                    return whole
                outcome = replace(batch, partial=None)
                response = await self._wrapped.handle_async_request(self._cleaned(request))
        return self._forwarded(response, outcome)

    async def _decide(self, theirs: Theirs) -> Decision | None:
        if is_guarded():
            return None
        asked = self._read(theirs)
        if asked is None:
            return self._cache.unreadable()
        if self._cache.awaits:
            try:
                asyncio.get_running_loop()
            except RuntimeError:
                # Another event loop (trio): the cache's store and embedder cannot be awaited here.
                return None
        try:
            with guarded():
                follows = self._library.follows
                return await self._cache.look_up_async(asked, follows=follows)
        except Exception:  # an edge: a mistake of ours must not reach the caller
            if self._cache.is_closed:
                raise
            tell(logger, "[Khazad] Lookup failed, passing on")
            return None

    def _ask_again(self, theirs: Theirs, capture: Capture) -> None:
        async def ask() -> None:
            with guarded(), ending(capture):
                response = await self._wrapped.handle_async_request(theirs)
                async with aclosing(response):
                    self._listen(response, capture)
                    await response.aread()

        task = asyncio.get_running_loop().create_task(ask())
        _on_their_way.add(task)
        task.add_done_callback(_on_their_way.discard)

    async def aclose(self) -> None:
        await self._wrapped.aclose()


class Wrapping:
    """The two transports as members of one library's own class tree, which clients insist on."""

    def __init__(self, library: Library) -> None:
        self._library = library
        module = library.module
        self._sync: Any = type("KhazadTransport", (SyncTransport, module.BaseTransport), {})
        self._async: Any = type(
            "AsyncKhazadTransport", (AsyncTransport, module.AsyncBaseTransport), {}
        )

    def sync(self, cache: Front, transport: Any) -> Any:
        return self._sync(self._library, cache, transport)

    def asynchronous(self, cache: Front, transport: Any) -> Any:
        return self._async(self._library, cache, transport)
