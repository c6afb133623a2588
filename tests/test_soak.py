from __future__ import annotations

import sys

import pytest

from tests.soak.ledger import Ledger, text_of
from tests.soak.run import play

ASKED = ("Bearer one", "hello")


@pytest.mark.skipif(sys.platform != "linux", reason="limits of other processes")
def test_fifteen_seconds_of_everything_at_once_leave_nothing_wrong_lost_or_hung() -> None:
    report = play(seconds=15, seed=1)

    assert report.is_good, "\n".join(report.lines())
    assert all(report.ledger.counts[what] for what in ("hits", "misses", "streams"))


def test_an_answer_that_the_upstream_gave_to_somebody_else_is_seen() -> None:
    ledger = Ledger()
    text = ledger.give(("Bearer two", "hello"))
    body = b'{"choices": [{"message": {"content": "%s"}}]}' % text.encode()
    ledger.served(ASKED, body, "khazad; hit", is_stream=False)

    assert 1 == len(ledger.wrong)


@pytest.mark.parametrize("body", [b"", b"data: {}\n\n", b"data: [DONE]\n\ndata:"])
def test_half_a_stream_is_no_answer(body: bytes) -> None:
    assert text_of(body, is_stream=True).startswith(("no whole", "unreadable"))
