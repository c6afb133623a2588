"""Reads what an upstream has said: the answer in it, or why it is none that may be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from khazad_mitm.cache import pace, policy
from khazad_mitm.exchange import Answer, ParsedRequest, Unkept
from khazad_mitm.messages import Response

Decode: TypeAlias = Callable[[bytes, str, int], "bytes | None"]
"""(body, Content-Encoding, most bytes) -> decoded body, or None where it cannot be."""


def read(
    parsed: ParsedRequest, response: Response, decode: Decode
) -> tuple[Answer, Response] | Unkept:
    """The answer in a response, and that response decoded."""
    reason = policy.refusal(response)
    if reason:
        return Unkept(reason)
    coding = response.headers.joined("content-encoding")
    body = decode(response.body, coding, policy.MAX_ANSWER_BYTES)
    if body is None:
        return Unkept("undecodable")
    answer = parsed.provider.assemble(body, parsed)
    if isinstance(answer, Unkept):
        return answer
    is_stream = parsed.framing.is_stream
    marks = pace.thinned(response.marks, len(response.body), len(body)) if is_stream else ()
    return answer, Response(response.status, response.headers, body, marks)
