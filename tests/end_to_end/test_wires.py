"""Every wire through a real proxy: passed on as it is, kept where it may be, replayed as it was."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from khazad_mitm.exchange import Answer as Kept
from khazad_mitm.exchange import ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import PROVIDERS, frames, hosts, recognise
from tests import wires
from tests.end_to_end.clients import HEADERS, Received
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Answer, Upstream
from tests.wires import Wire
from tests.wires.flip import flipped

WIRES = [wire for provider in PROVIDERS for wire in wires.of(provider.name)]
MEDIA = sorted({recognise(wire.request).framing.media for wire in WIRES} - {"json"})  # type: ignore[union-attr]


def parse(request: Request) -> ParsedRequest:
    parsed = recognise(request)
    assert parsed is not None
    return parsed


def is_kept(wire: Wire) -> bool:
    return wire.expect.startswith("answer")


def sent_by_the_upstream(wire: Wire, **changes: object) -> Answer:
    parsed = parse(wire.request)
    whole = {
        "headers": (("Content-Type", parsed.provider.content_type(parsed)),),
        "frames": frames.split(wire.body, parsed),
        "framing": "chunked" if parsed.framing.is_stream else "length",
    }
    return Answer(**{**whole, **changes})  # type: ignore[arg-type]


@dataclass
class Play:
    """Callers, one for each wire: what one is answered is no other's."""

    proxy: Proxy
    upstream: Upstream

    def stage(self, some: list[Wire]) -> None:
        answers = {self._key(wire): sent_by_the_upstream(wire) for wire in some}
        self.upstream.answer = lambda call: answers[call.headers["authorization"]]

    def ask(self, wire: Wire, request: Request | None = None) -> Received:
        request = request or wire.request
        more = {"Authorization": self._key(wire), **dict(request.headers)}
        # The TLS of hosts that nobody knows is not opened.
        if request.scheme == "https" and hosts.is_known(request.host):
            with self.proxy.client(request.host) as client:
                names = {name.replace("-", "_"): value for name, value in more.items()}
                return client.ask(request.body, request.target, **names)
        with self.proxy.client("127.0.0.1", self.upstream.port) as client:
            headers = {**HEADERS, **more}
            return client.send_plain("POST", request.target, request.body, headers)

    def _key(self, wire: Wire) -> str:
        return f"Bearer {wire.name}"


@pytest.fixture
def play(proxy: Proxy, upstream: Upstream) -> Play:
    return Play(proxy, upstream)


@pytest.mark.parametrize("provider", [provider.name for provider in PROVIDERS])
def test_wires_pass_and_come_back_as_they_were(provider: str, play: Play) -> None:
    mine = wires.of(provider)
    kept = [wire for wire in mine if is_kept(wire)]
    play.stage(mine)

    assert [wire.body for wire in mine] == [play.ask(wire).body for wire in mine]
    play.proxy.wait_until(stored=len(kept))
    assert len(mine) == len(play.upstream.calls)
    for wire in kept:
        again = play.ask(wire)
        assert (wire.name, wire.body) == (wire.name, again.body)
        assert again.cache_status.startswith("khazad; hit")
    assert len(mine) == len(play.upstream.calls)


@pytest.mark.parametrize("provider", [provider.name for provider in PROVIDERS])
def test_the_other_framing_is_answered_without_the_upstream(provider: str, play: Play) -> None:
    pairs = [
        (wire, other)
        for wire in wires.of(provider)
        if is_kept(wire) and (other := flipped(wire)) is not None
    ]
    play.stage([wire for wire, _ in pairs])

    for wire, _ in pairs:
        play.ask(wire)
    play.proxy.wait_until(stored=len(pairs))
    for wire, other in pairs:
        parsed = parse(other)
        answer = parsed.provider.assemble(wire.body, parse(wire.request))
        assert isinstance(answer, Kept)
        received = play.ask(wire, other)
        assert b"".join(parsed.provider.replay(answer.body, parsed)) == received.body
        assert parsed.provider.content_type(parsed) == received.headers["content-type"]
    assert len(pairs) == len(play.upstream.calls)


@pytest.mark.parametrize("media", MEDIA)
def test_the_first_frame_arrives_before_the_second_was_sent(media: str, play: Play) -> None:
    wire = next(wire for wire in WIRES if parse(wire.request).framing.media == media)
    pieces = frames.split(wire.body, parse(wire.request))
    drip = threading.Semaphore(0)
    play.upstream.answer = lambda call: sent_by_the_upstream(wire, drip=drip)

    with (
        play.proxy.client() as client,  # the host does not matter, it is known
        client.open(wire.request.body, wire.request.target) as response,
    ):
        first = response.read(len(pieces[0]))
        drip.release(len(pieces))
        rest = response.read()

    assert pieces[0] == first
    assert b"".join(pieces[1:]) == rest
