from __future__ import annotations

import json
import random
from dataclasses import replace
from pathlib import Path

import pytest

from khazad_mitm.cache.fingerprint import Chain
from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import Answer, Entry, Unkept
from khazad_mitm.messages import Headers
from khazad_mitm.store.codec import decode
from khazad_mitm.store.seal import Seal
from khazad_mitm.wire import PROVIDERS
from khazad_mitm.wire.openai_chat import OpenAIChat
from tests import fuzz, fuzz_cassettes, fuzz_replies, fuzz_requests, wires

NAMES = [provider.name for provider in PROVIDERS]
KEPT_AT_LEAST = 10


@pytest.mark.parametrize("name", NAMES)
def test_broken_exchanges_raise_nothing_and_nothing_wrong_is_kept(name: str) -> None:
    told = fuzz.run([name], random.Random(name), lambda cases: cases >= 600)

    # Else nothing would be proven of what is kept.
    assert told.kept[name] > KEPT_AT_LEAST


def test_the_same_seed_breaks_the_same_things() -> None:
    one, two = (fuzz.broken(WIRE, [WIRE], random.Random(5)) for _ in range(2))

    assert one == two


WIRE = wires.one("openai_chat/text-stream")
CASE = fuzz.Broken(WIRE.name, WIRE.request, WIRE.body)


def raising(body: bytes) -> Answer | Unkept:
    raise KeyError("a mistake")


def careless(body: bytes) -> Answer | Unkept:
    return Answer(json.dumps({"kept": len(body)}).encode())


@pytest.mark.parametrize(
    ("assemble", "words"), [(raising, "mistake"), (careless, "the same twice")]
)
def test_a_provider_that_raises_or_keeps_what_is_not_its_own_is_found(
    monkeypatch: pytest.MonkeyPatch, assemble: object, words: str
) -> None:
    monkeypatch.setattr(OpenAIChat, "assemble", lambda self, body, parsed: assemble(body))
    monkeypatch.setattr(OpenAIChat, "replay", lambda self, answer, parsed: iter([answer]))

    with pytest.raises((AssertionError, KeyError), match=words):
        fuzz.is_kept(CASE)


def test_a_stream_kept_without_its_end_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OpenAIChat, "assemble", lambda self, body, parsed: Answer(b"{}"))

    with pytest.raises(AssertionError, match="never ended"):
        fuzz.is_kept(fuzz.Broken(WIRE.name, WIRE.request, WIRE.body.replace(b"[DONE]", b"{}")))


# -- requests


def test_hostile_requests_raise_nothing_and_no_two_share_a_key() -> None:
    told = fuzz_requests.run(NAMES, random.Random(1), lambda cases: cases >= 3_000)

    assert all(told[name] > KEPT_AT_LEAST for name in NAMES)


@pytest.mark.parametrize("bomb", fuzz_requests.BOMBS)
def test_a_bomb_hurts_no_format(bomb: str) -> None:
    body, coding = fuzz_requests.BOMBS[bomb]()
    headers = Headers([("content-encoding", coding)] if coding else [])
    # What undoes a coding is the same for all of them, and takes seconds for all.
    for name in NAMES[:1] if coding else NAMES:
        wire = wires.of(name)[0]
        fuzz_requests.key_of(replace(wire.request, body=body, headers=headers))


def test_a_key_for_two_different_requests_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Chain, "of", classmethod(lambda cls, *_: cls(b"s", "0000", "m", ("r", "t"), (b"t",)))
    )
    monkeypatch.setattr(Chain, "scope", lambda *_: "scope")
    hotter = json.loads(WIRE.request.body) | {"temperature": 2}
    other = replace(WIRE.request, body=json.dumps(hotter).encode())

    with pytest.raises(AssertionError, match="one key for"):
        fuzz_requests.check(WIRE.request, other)


# -- replies


def test_replies_that_others_wrote_raise_nothing() -> None:
    told = fuzz_replies.run(random.Random(5), lambda cases: cases >= 3_000)

    assert told["found"] > KEPT_AT_LEAST
    assert told["found nearby"] > 0
    assert told["Get"] > KEPT_AT_LEAST
    assert told["Nearest"] > KEPT_AT_LEAST
    kinds = "Standing", "Weigh", "Recall", "Find", "Forget", "Resolve", "Lease", "Wanted", "Read"
    for kind in kinds:
        assert told[f"found by {kind}"] > 0, kind
    assert told["found sealed"] > 0


def test_a_sealed_namespace_that_takes_what_lies_in_the_clear_is_found(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def careless(id_: str, body: bytes | None, seal: Seal | None) -> Entry | None:
        return decode(body) if body else None

    monkeypatch.setattr("khazad_mitm.store.sealed.entry_of", careless)
    with pytest.raises(AssertionError):
        fuzz_replies.run(random.Random(1), lambda cases: cases >= 3_000)


# -- cassettes


def test_broken_cassettes_are_read_or_refused() -> None:
    told = fuzz_cassettes.run(random.Random(1), lambda cases: cases >= 400)

    assert told["recordings"] > KEPT_AT_LEAST
    assert told["rules"] > 0


def test_a_refusal_that_names_no_file_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def nameless(path: Path) -> None:
        raise ConfigError("a file is broken")

    monkeypatch.setattr("khazad_mitm.record.files.read", nameless)
    with pytest.raises(AssertionError, match="names no file"):
        fuzz_cassettes.run(random.Random(1), lambda cases: cases >= 20)
