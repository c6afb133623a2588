"""What holds for every provider and every wire, ours and recorded ones."""

from __future__ import annotations

import base64
import gzip
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from khazad_mitm.exchange import Answer, ParsedRequest, Unkept
from khazad_mitm.messages import Headers, Request
from khazad_mitm.wire import PROVIDERS, frames, recognise
from tests import wires
from tests.wires import Wire
from tests.wires.flip import flipped

WIRES = [wire for provider in PROVIDERS for wire in wires.of(provider.name)]
KEPT = [wire for wire in WIRES if wire.expect.startswith("answer")]

RECORDINGS = Path(
    os.environ.get(
        "KHAZAD_CORPUS", Path(__file__).parents[3] / "shared" / "corpus" / "dev.jsonl.gz"
    )
)


def every(some: list[Wire]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("wire", some, ids=lambda wire: wire.name)


def parse(request: Request) -> ParsedRequest:
    parsed = recognise(request)
    assert parsed is not None
    return parsed


def assemble(body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
    return parsed.provider.assemble(body, parsed)


def replay(answer: bytes, parsed: ParsedRequest) -> bytes:
    return b"".join(parsed.provider.replay(answer, parsed))


STREAMS = [wire for wire in WIRES if parse(wire.request).framing.is_stream]


def both_framings(wire: Wire) -> tuple[ParsedRequest, ParsedRequest]:
    """The question of a wire, asked plainly and as a stream with usage."""
    request = flipped(wire)
    assert request is not None
    plain, streamed = sorted(
        (parse(wire.request), parse(request)), key=lambda parsed: parsed.framing.is_stream
    )
    return plain, replace(streamed, framing=replace(streamed.framing, include_usage=True))


@every(WIRES)
def test_a_wire_is_recognised_by_one_provider_only(wire: Wire) -> None:
    assert 1 == sum(provider.recognise(wire.request) is not None for provider in PROVIDERS)


@every(WIRES)
def test_a_wire_is_kept_or_not_as_it_says(wire: Wire) -> None:
    match assemble(wire.body, parse(wire.request)):
        case Answer(exact_only=why):
            assert wire.expect == f"answer {why}".strip()
        case Unkept(reason):
            assert wire.expect == f"unkept {reason}"


@every(STREAMS)
def test_every_prefix_of_a_stream_assembles_to_nothing_or_to_the_whole(wire: Wire) -> None:
    parsed = parse(wire.request)
    whole = assemble(wire.body, parsed)

    for end in range(len(wire.body)):
        part = assemble(wire.body[:end], parsed)
        assert isinstance(part, Unkept) or part == whole


@every(STREAMS)
def test_line_ends_do_not_matter(wire: Wire) -> None:
    parsed = parse(wire.request)
    if parsed.framing.media != "sse":
        pytest.skip("not a stream of lines")
    lines = wire.body.replace(b"\r\n", b"\n")

    for eol in (b"\n", b"\r\n", b"\r"):
        assert assemble(wire.body, parsed) == assemble(lines.replace(b"\n", eol), parsed)


@every(KEPT)
def test_a_replay_assembles_to_the_same_answer(wire: Wire) -> None:
    parsed = parse(wire.request)
    answer = assemble(wire.body, parsed)

    assert isinstance(answer, Answer)
    assert answer == assemble(replay(answer.body, parsed), parsed)


@every([wire for wire in KEPT if flipped(wire) is not None])
def test_an_answer_survives_the_other_framing(wire: Wire) -> None:
    answer = assemble(wire.body, parse(wire.request))
    assert isinstance(answer, Answer)
    plain, streamed = both_framings(wire)

    assert answer == assemble(replay(answer.body, plain), plain)
    once = assemble(replay(answer.body, streamed), streamed)
    assert isinstance(once, Answer)
    assert (answer.exact_only, answer.tokens) == (once.exact_only, once.tokens)
    assert once == assemble(replay(once.body, streamed), streamed)


@every(WIRES)
def test_frames_put_together_are_the_body(wire: Wire) -> None:
    assert wire.body == b"".join(frames.split(wire.body, parse(wire.request)))


@every(WIRES)
def test_garbage_is_never_kept_and_never_raises(wire: Wire) -> None:
    parsed = parse(wire.request)

    for body in (
        b"",
        b"\x00" * 64,
        b"\xff\xfe",
        b"[]",
        b"null",
        b"{}",
        b"data: {}\n\n",
        b"[" * 9999,
    ):
        assert isinstance(assemble(body, parsed), Unkept)


def recordings() -> Iterator[tuple[str, ParsedRequest, bytes]]:
    """Every recorded 200 of a provider of ours: id, request, answer."""
    if not RECORDINGS.exists():
        pytest.skip("no recordings beside the checkout (KHAZAD_CORPUS)")
    with gzip.open(RECORDINGS, "rt", encoding="utf-8") as lines:
        for line in lines:
            exchange = json.loads(line)
            sent = exchange["request"]
            headers = Headers(sent["headers"].items())
            body = base64.b64decode(sent["body_b64"])
            request = Request.to(sent["url"], body, headers, sent["method"])
            parsed = recognise(request)
            if parsed is not None and exchange["response"]["status"] == 200:
                yield exchange["id"], parsed, base64.b64decode(exchange["response"]["body_b64"])


def trimmed(outcome: Answer | Unkept) -> Answer | Unkept:
    """JSON is whole without the white space that follows it."""
    return outcome if isinstance(outcome, Unkept) else replace(outcome, body=outcome.body.strip())


def test_recorded_answers_are_whole_or_nothing_wherever_they_are_cut() -> None:
    for name, parsed, body in recordings():
        whole = assemble(body, parsed)
        step = max(1, len(body) // 8)
        for end in {*range(0, len(body), step), *range(max(0, len(body) - 4), len(body))}:
            part = assemble(body[:end], parsed)
            assert isinstance(part, Unkept) or trimmed(part) == trimmed(whole), name


def test_recorded_answers_survive_their_own_replay() -> None:
    for name, parsed, body in recordings():
        answer = assemble(body, parsed)
        if isinstance(answer, Unkept):
            continue
        if parsed.framing.is_stream:
            parsed = replace(parsed, framing=replace(parsed.framing, include_usage=True))
        assert answer == assemble(replay(answer.body, parsed), parsed), name
