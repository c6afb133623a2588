from __future__ import annotations

import logging

import pytest

from khazad_mitm.proxy.tee import MAX_WHOLE_BYTES, Tee, is_streamed
from tests.proxy.fakes import head


class Broken:
    def feed(self, chunk: bytes) -> None:
        raise MemoryError


def test_a_capture_that_fails_does_not_stop_the_stream(caplog: pytest.LogCaptureFixture):
    tee = Tee(Broken())  # type: ignore[arg-type]  # fails as a capture might

    with caplog.at_level(logging.ERROR, "khazad"):
        assert [b"one", b"two", b""] == [tee(b"one"), tee(b"two"), tee(b"")]

    assert 1 == len(caplog.records)


@pytest.mark.parametrize(
    "headers",
    [
        {"content_type": "text/event-stream", "content_length": "10"},
        {"content_type": "Text/Event-Stream; charset=utf-8"},
        {"content_type": "application/x-ndjson"},
        {"content_type": "application/vnd.amazon.eventstream"},
        {"content_type": "application/json"},
        {"content_type": "application/json", "content_length": str(MAX_WHOLE_BYTES + 1)},
        {"content_type": "application/json", "content_length": "many"},
    ],
)
def test_streams_and_large_and_endless_answers_go_piece_by_piece(headers: dict[str, str]):
    assert is_streamed(head(**headers))


def test_a_small_answer_of_known_length_goes_whole():
    assert not is_streamed(head(content_type="application/json", content_length="1000"))
