"""A recorder from settings; by meaning with the embedding model and the store that are shipped."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from khazad_mitm.assembly import build
from khazad_mitm.errors import ConfigError
from khazad_mitm.fronts import Played
from khazad_mitm.messages import Request
from khazad_mitm.record.recorder import Recorder
from khazad_mitm.settings import from_mapping
from tests.record.calls import SSE, answer, chat, play, record

STORED = "How do I change my password?"
ALIKE = "How can I change my password?"
FRAMES = (
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":'
    b'[{"index":0,"delta":{"role":"assistant","content":"So."},"finish_reason":null}]}\n\n'
    b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"gpt-4o","choices":'
    b'[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
)


def opened(folder: Path, **settings: str) -> Recorder:
    made = build(from_mapping({"cassette": str(folder), "record": "none", **settings}))
    assert isinstance(made, Recorder)
    return made


@pytest.fixture(scope="module")
def by_meaning(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Recorder]:
    folder = tmp_path_factory.mktemp("cassette")
    record(folder, (chat(STORED), answer("In the settings.")))
    record(folder, (chat("Where is order 4711?"), answer("On its way.")))
    record(folder, (chat("How do I cancel my subscription?", stream=True), FRAMES), headers=SSE)
    record(folder, (chat("What went wrong?"), b'{"error": {}}'), status=500)
    recorder = opened(folder, on_miss="semantic", embedder="local")
    yield recorder
    recorder.close()


def asked(recorder: Recorder, request: Request) -> tuple[int, str]:
    outcome = recorder.look_up(request)
    assert isinstance(outcome, Played)
    return outcome.reply.status, outcome.reply.headers.joined("cache-status")


def test_the_same_question_in_other_words_has_its_recording(by_meaning: Recorder) -> None:
    assert (200, answer("In the settings.")) == play(by_meaning, chat(ALIKE))
    status, said = asked(by_meaning, chat(ALIKE.upper()))
    assert 200 == status
    assert 'detail="semantic' in said


@pytest.mark.parametrize(
    "request_",
    [
        chat("Where is order 4712?"),
        chat("How can I delete my account?"),
        chat(ALIKE, temperature=0.5),
        chat("What has gone wrong?"),
    ],
    ids=["another figure", "another question", "another setting", "an error is no answer"],
)
def test_what_the_cache_would_not_serve_is_refused(by_meaning: Recorder, request_: Request) -> None:
    assert 400 == play(by_meaning, request_)[0]


def test_a_recorded_stream_answers_by_meaning_too(by_meaning: Recorder) -> None:
    outcome = by_meaning.look_up(chat("How can I cancel my subscription?", stream=True))

    assert isinstance(outcome, Played)
    assert outcome.is_stream
    assert FRAMES == outcome.reply.body


def test_nothing_goes_upstream(by_meaning: Recorder) -> None:
    assert by_meaning.is_closed


def test_an_empty_cassette_cannot_be_played(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no recording in .*, and record=none"):
        opened(tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="is no directory"):
        opened(tmp_path / "file")
