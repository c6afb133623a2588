"""How a provider says that it will not answer: errors of ours in the shape its SDK reads.

By the format of the request where one is known, else by the host; OpenAI's shape for everyone
else, since most gateways speak it.
"""

from __future__ import annotations

from typing import NamedTuple

from khazad_mitm.exchange import Json, ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import hosts

# 400: the one error no SDK asks again after, and for which none has another use (404 may mean
# that a model or a file is gone, 422 is unknown to half of them).
STATUS = 400


class _Words(NamedTuple):
    """What the providers call an error."""

    anthropic: str
    google: str
    aws: str


_BY_STATUS = {
    401: _Words("authentication_error", "UNAUTHENTICATED", "UnrecognizedClientException"),
    403: _Words("permission_error", "PERMISSION_DENIED", "AccessDeniedException"),
    404: _Words("not_found_error", "NOT_FOUND", "ResourceNotFoundException"),
    429: _Words("rate_limit_error", "RESOURCE_EXHAUSTED", "ThrottlingException"),
    503: _Words("api_error", "UNAVAILABLE", "ServiceUnavailableException"),
    529: _Words("overloaded_error", "UNAVAILABLE", "ServiceUnavailableException"),
}
_REFUSED = _Words("invalid_request_error", "INVALID_ARGUMENT", "ValidationException")
_FAILED = _Words("api_error", "INTERNAL", "InternalServerException")


def refusal(
    request: Request, parsed: ParsedRequest | None, message: str, code: str, status: int = STATUS
) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """The body of the error, and its headers. `code` is one word, where the shape has a place."""
    words = _BY_STATUS.get(status, _REFUSED if status < 500 else _FAILED)
    headers = [("Content-Type", "application/json")]
    if status == STATUS:
        headers.append(("x-should-retry", "false"))
    value: Json
    told: Json
    match _speaks(request, parsed):
        case "anthropic-messages":
            told = {"type": words.anthropic, "message": message}
            value = {"type": "error", "error": told}
        case "gemini":
            value = {"error": {"code": status, "message": message, "status": words.google}}
        case "bedrock-converse" | "bedrock-invoke":
            headers.append(("x-amzn-ErrorType", words.aws))
            value = {"message": message}
        case "cohere-chat":
            value = {"message": message}
        case "ollama":
            value = {"error": message}
        case _:
            kind = "invalid_request_error" if status < 500 else "server_error"
            told = {"message": message, "type": kind, "param": None, "code": code}
            value = {"error": told}
    return bodies.write(value), tuple(headers)


def _speaks(request: Request, parsed: ParsedRequest | None) -> str:
    if parsed is not None and parsed.provider.name != "embeddings":
        return parsed.provider.name
    for host in hosts.KNOWN:
        if hosts.matches(request.host, (host.pattern,)):
            return host.speaks.partition(" ")[0]
    return ""
