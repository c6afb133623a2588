"""Faults on replay: what a program does when its provider fails, tried on recordings.

    faults:
    - {status: 429, retry_after: 1, times: 1}      first an error, then the recording
    - {where: refund, delay_ms: 800}               slow
    - {where: refund, cut_after: 3}                a stream that ends after three frames

`where` is a part of the name of a recording; without it, every one is meant. `times`: how often,
without it always. An error is in the provider's shape and uses up no recording.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from khazad_mitm.exchange import ParsedRequest, Reply
from khazad_mitm.messages import Headers, Request
from khazad_mitm.wire import refusals


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule."""

    where: str = ""
    status: int | None = None
    retry_after: int | None = None
    """Seconds; with `status`."""
    delay_ms: int = 0
    cut_after: int | None = None
    times: int | None = None
    """None: always."""


class Faults:
    """The rules of a cassette, and how often each has struck. Thread-safe."""

    def __init__(self, rules: Sequence[Fault]) -> None:
        self._rules = rules
        self._lock = threading.Lock()
        self._struck: Counter[int] = Counter()

    def striking(self, name: str) -> list[Fault]:
        """The rules that strike the recording of this name now; each is counted."""
        found = []
        with self._lock:
            for number, rule in enumerate(self._rules):
                is_left = rule.times is None or self._struck[number] < rule.times
                if is_left and rule.where in name:
                    self._struck[number] += 1
                    found.append(rule)
        return found


def error_of(fault: Fault, request: Request, parsed: ParsedRequest | None) -> Reply:
    """The answer that a fault with a status gives."""
    status = fault.status or refusals.STATUS
    message = f"a fault of the cassette: status {status}"
    body, fields = refusals.refusal(request, parsed, message, "fault", status)
    headers = Headers(fields).plus(("Cache-Status", 'khazad; hit; detail="fault"'))
    if fault.retry_after is not None:
        headers = headers.plus(("Retry-After", str(fault.retry_after)))
    return Reply(status, headers, (body,))
