"""Faults on replay: what a program does when its provider fails, tried on recordings.

    faults:
    - {status: 429, retry_after: 1, times: 1}      first an error, then the recording
    - {where: refund, delay_ms: 800}               slow
    - {timing: 2}                                  in twice the time it took
    - {where: refund, cut_after: 3}                a stream that ends after three frames
    - {reset: true, times: 2}                      the connection is reset; after cut_after frames

`where` is a part of the name of a recording; without it, every one is meant. `times`: how often,
without it always. An error is in the provider's shape and uses up no recording, nor does a
connection that is reset before anything came.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import ParsedRequest, Reply
from khazad_mitm.messages import Headers, Request
from khazad_mitm.record.yamls import NotYaml, load
from khazad_mitm.wire import refusals

_KINDS: dict[str, tuple[type, ...]] = {
    "where": (str,),
    "status": (int,),
    "retry_after": (int,),
    "delay_ms": (int,),
    "timing": (int, float),
    "cut_after": (int,),
    "reset": (bool,),
    "times": (int,),
}
_DOES = ("status", "delay_ms", "timing", "cut_after", "reset")
EXAMPLE = "for example: --fault 'status: 429, retry_after: 1, times: 1'"


@dataclass(frozen=True, slots=True)
class Fault:
    """One rule."""

    where: str = ""
    status: int | None = None
    retry_after: int | None = None
    """Seconds; with `status`."""
    delay_ms: int = 0
    timing: float | None = None
    """The recorded times are multiplied by this; None: they do not count."""
    cut_after: int | None = None
    reset: bool = False
    times: int | None = None
    """None: always."""


def fault_of(rule: Mapping[str, Any]) -> Fault:
    """The fault that a rule declares. Raises ValueError."""
    for name, value in rule.items():
        if name not in _KINDS:
            raise ValueError(f"{name!r} is none of {', '.join(_KINDS)}")
        kinds = _KINDS[name]
        if type(value) not in kinds or (type(value) in (int, float) and value < 0):
            raise ValueError(f"{name}: {value!r} is no {kinds[0].__name__}")
    if not rule.keys() & set(_DOES):
        raise ValueError(f"a fault has one of {', '.join(_DOES)}")
    if not 400 <= rule.get("status", 400) <= 599:
        raise ValueError(f"status: {rule['status']} is no error (400 to 599)")
    return Fault(**rule)


def fault_in(text: str, option: str = "--fault") -> Fault:
    """A rule as it stands in a cassette, its braces optional. Raises ConfigError."""
    inner = text.strip().removeprefix("{").removesuffix("}")
    try:
        rule = load(f"{{{inner}}}")
        return fault_of(rule if isinstance(rule, dict) else {})
    except (NotYaml, ValueError) as error:
        raise ConfigError(f"{option}: {text!r}: {error}", EXAMPLE) from None


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
