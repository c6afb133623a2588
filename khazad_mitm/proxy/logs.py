"""Our log lines, past mitmproxy's slowest listener.

mitmproxy still turns every log record into an `add_log` event (deprecated since its version 9):
it formats the line, wakes the event loop and asks every addon, which costs more than the lookup
the line is about. While the addon runs, its lines go straight to all other handlers.
"""

from __future__ import annotations

import logging

from mitmproxy import log

# Gone one day, and then there is nothing to go past.
_SLOW: type | tuple[()] = getattr(log, "LegacyLogEvents", ())

_logger = logging.getLogger("khazad")


class _Direct(logging.Handler):
    """Hands a record to the handlers of the root logger, but not to the slow one."""

    def emit(self, record: logging.LogRecord) -> None:
        handlers = [h for h in logging.getLogger().handlers if not isinstance(h, _SLOW)]
        # As `logging` has it: only where nobody else hears our lines.
        if not handlers and logging.lastResort is not None and _logger.handlers == [self]:
            handlers = [logging.lastResort]
        for handler in handlers:
            if record.levelno >= handler.level:
                handler.handle(record)


_direct = _Direct()


def install() -> None:
    """Idempotent."""
    _logger.addHandler(_direct)
    _logger.propagate = False


def uninstall() -> None:
    """As it was. Idempotent."""
    _logger.removeHandler(_direct)
    _logger.propagate = True
