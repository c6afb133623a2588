"""What endpoints in OpenAI's style share: how a stream is asked for, how it and an answer end.

Source: OpenAI API reference, "Streaming" of chat completions and completions.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Literal

from khazad_mitm.exchange import Framing, Json, ParsedRequest
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import hosts, sse
from khazad_mitm.wire.unfit import Unfit

DONE = "[DONE]"

# Words that end a whole answer. A word nobody has heard of may be a failure, such as DeepSeek's
# `insufficient_system_resource`, so anything else is not kept.
FINISHED = frozenset(
    {"stop", "tool_calls", "function_call", "tool_call", "tool_use", "end_turn", "stop_sequence"}
    | {"complete", "completed", "finish", "eos", "eos_token", "endoftext", "end_of_text"}
)
LENGTH = frozenset({"length", "max_tokens"})

# Whose streams carry usage without being asked, in the last chunk instead of one of its own.
_USAGE_UNASKED = (
    "*.mistral.ai",
    "api.deepseek.com",
    "api.groq.com",
    "openrouter.ai",
    "api.perplexity.ai",
    "*.cloud.databricks.com",
    "*.azuredatabricks.net",
    "*.gcp.databricks.com",
)


def framing(body: dict[str, Json]) -> Framing | None:
    """None where the request says something about framing that we do not understand."""
    match body.get("stream"), body.get("stream_options"):
        case ((None | False), _):
            return Framing("json")
        case True, None:
            return Framing("sse")
        case True, dict(options):
            others = {k: v for k, v in options.items() if k != "include_usage" and v is not None}
            variant = json.dumps(others, sort_keys=True, separators=(",", ":")) if others else ""
            return Framing("sse", options.get("include_usage") is True, variant)
        case _:
            return None


def content_type(parsed: ParsedRequest) -> str:
    """As OpenAI sends it."""
    return "text/event-stream; charset=utf-8" if parsed.framing.is_stream else "application/json"


def chunks(body: bytes) -> Iterator[Json]:
    """The chunks of a stream up to `[DONE]`; raises Unfit("cut") where that never comes."""
    for event in sse.events(body):
        if event.name == "error":
            raise Unfit("error")
        if event.data == DONE:
            return
        yield bodies.parse(event.data)
    raise Unfit("cut")


def usage_at(parsed: ParsedRequest) -> Literal["own", "last", ""]:
    """Where this stream tells its usage: in a chunk of its own, in the last one, or nowhere."""
    if hosts.matches(parsed.request.host, _USAGE_UNASKED):
        return "last"
    return "own" if parsed.framing.include_usage else ""


def finish_word(choice: dict[str, Json]) -> str:
    """The word that ends a choice, in lower case. Raises Unfit where it ends no whole one."""
    match choice.get("finish_reason"):
        case None | "":
            raise Unfit("cut")
        case str(word) if word.lower() in FINISHED | LENGTH:
            return word.lower()
        case str(word):
            raise Unfit(word.lower().replace("_", "-"))
        case _:
            raise Unfit("malformed")


def tokens(answer: dict[str, Json]) -> int:
    """Prompt and completion tokens, 0 where the answer does not say."""
    match answer.get("usage"):
        case {"total_tokens": int(total)} if total > 0:
            return int(total)
    return 0
