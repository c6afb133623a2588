from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest
from mitmproxy import log

from khazad_mitm.proxy import logs

LOGGER = logging.getLogger("khazad")


class Heard(logging.Handler):
    def __init__(self, level: int = logging.DEBUG) -> None:
        super().__init__(level)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class Slow(Heard, log.LegacyLogEvents):
    def __init__(self) -> None:
        Heard.__init__(self)


@pytest.fixture
def handlers() -> Iterator[tuple[Heard, Heard, Slow]]:
    ours = Heard(), Heard(logging.ERROR), Slow()
    for handler in ours:
        logging.getLogger().addHandler(handler)
    logs.install()
    yield ours
    logs.uninstall()
    for handler in ours:
        logging.getLogger().removeHandler(handler)


def test_a_line_reaches_every_handler_but_the_slow_one(handlers: tuple[Heard, Heard, Slow]):
    everything, errors, slow = handlers

    LOGGER.warning("a line")

    assert (["a line"], [], []) == (everything.lines, errors.lines, slow.lines)


def test_a_line_that_somebody_hears_is_not_said_again(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(logging.getLogger(), "handlers", [])
    monkeypatch.setattr(LOGGER, "handlers", [ours := Heard()])
    logs.install()
    LOGGER.warning("a line")
    logs.uninstall()

    assert (["a line"], "") == (ours.lines, capsys.readouterr().err)


def test_afterwards_lines_go_the_ordinary_way(handlers: tuple[Heard, Heard, Slow]):
    logs.uninstall()

    LOGGER.error("a line")

    assert [["a line"]] * 2 == [handler.lines for handler in handlers[:2]]
    assert LOGGER.propagate
