"""How a provider says that it will not answer: errors of ours in the shape its SDK reads.

By the format of the request where one is known, else by the host; OpenAI's shape for everyone
else, since most gateways speak it.
"""

from __future__ import annotations

from khazad_mitm.exchange import Json, ParsedRequest
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import hosts

# 400: the one error no SDK asks again after, and for which none has another use (404 may mean
# that a model or a file is gone, 422 is unknown to half of them).
STATUS = 400


def refusal(
    request: Request, parsed: ParsedRequest | None, message: str, code: str
) -> tuple[bytes, tuple[tuple[str, str], ...]]:
    """The body of the error, and its headers. `code` is one word, where the shape has a place."""
    told: Json
    headers = [("Content-Type", "application/json"), ("x-should-retry", "false")]
    value: Json
    match _speaks(request, parsed):
        case "anthropic-messages":
            told = {"type": "invalid_request_error", "message": message}
            value = {"type": "error", "error": told}
        case "gemini":
            told = {"code": STATUS, "message": message, "status": "INVALID_ARGUMENT"}
            value = {"error": told}
        case "bedrock-converse" | "bedrock-invoke":
            headers.append(("x-amzn-ErrorType", "ValidationException"))
            value = {"message": message}
        case "cohere-chat":
            value = {"message": message}
        case "ollama":
            value = {"error": message}
        case _:
            told = {"message": message, "type": "invalid_request_error", "param": None}
            value = {"error": {**told, "code": code}}
    return bodies.write(value), tuple(headers)


def _speaks(request: Request, parsed: ParsedRequest | None) -> str:
    if parsed is not None and parsed.provider.name != "embeddings":
        return parsed.provider.name
    for host in hosts.KNOWN:
        if hosts.matches(request.host, (host.pattern,)):
            return host.speaks.partition(" ")[0]
    return ""
