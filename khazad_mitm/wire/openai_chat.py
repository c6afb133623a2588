"""OpenAI chat completions, and everyone who speaks them: Azure, Mistral, Groq, OpenRouter ...

A request is ours if its path ends in `/chat/completions` (or is a Databricks serving endpoint)
and its body has `messages`; the host does not matter.

A stream is complete when every choice has its `finish_reason` and `[DONE]` was seen. Cerebras
behind HuggingFace's router sends no `[DONE]`: its streams are passed on and not kept, because
nothing tells their end from a cut before the usage chunk.

An answer is kept with the usage it came with. A stream that nobody asked usage of has none, so
`assemble(replay(x)) == x` holds with `include_usage`, and without it for `x` less its usage.
Source: OpenAI API reference, "Chat Completions"; wires in tests/wires/openai_chat.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Path, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import hosts, openai_stream, sse, target, turns
from khazad_mitm.wire.generated import output_tokens
from khazad_mitm.wire.openai_chunks import is_error, merge, split
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(
    r".*/deployments/(?P<deployment>[^/]+)/chat/completions/?"
    r"|.*/serving-endpoints/(?P<endpoint>[^/]+)/invocations/?"
    r"|.*/chat/completions/?"
)
_IGNORED = frozenset({"prompt_cache_key", "prompt_cache_retention", "safety_identifier"})

# What a message says; reasoning alone is no answer.
_SAID = ("content", "refusal", "tool_calls", "function_call", "audio", "images")
# OpenAI's, xAI's; Azure's "on your data", DashScope's, OpenRouter's.
_LIVE_REQUEST = (
    *("web_search_options", "search_parameters"),
    *("data_sources", "enable_search", "plugins"),
)
# Models that look things up whatever is asked: OpenAI's, OpenRouter's, Groq's.
_LIVE_MODEL = re.compile(r".*(-search-preview|-search-api)\b.*|.*:online|(groq/)?compound.*")
# Tools that the caller runs; others have a type of their own (`web_search`, `builtin_function`).
_CALLERS_TOOLS = ("function", "custom")
# Perplexity's, DashScope's, Zhipu's; of a message Azure's, Groq's and LiteLLM's too.
_LIVE_ANSWER = ("citations", "search_results", "search_info", "web_search")
_LIVE_MESSAGE = ("citations", "executed_tools", "vertex_ai_grounding_metadata")

# Who sends a tool call in one piece; Mistral's SDK wants a name in every piece.
_WHOLE_CALLS = ("*.mistral.ai", "api.groq.com")


class OpenAIChat:
    """The provider `openai-chat`."""

    name = "openai-chat"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of `messages`; the model may stand in the path (Azure, Databricks)."""
        if request.method != "POST":
            return None
        path = _PATH.fullmatch(request.path)
        if path is None:
            return None
        read = bodies.read(request)
        if isinstance(read, bodies.NotJson):
            target.passed_by(self.name, read.reason)
            return None
        body = read.value
        messages = body.get("messages")
        framing = openai_stream.framing(body)
        model = _model(path, body)
        if framing is None or model is None or not turns.are_turns(messages):
            target.passed_by(self.name, "no chat request")
            return None
        question, exact_only = _question(body)
        return ParsedRequest(
            provider=self,
            request=request,
            resource=_resource(path, request.query),
            model=model,
            framing=framing,
            body=body,
            spellings=read.spellings,
            question=question,
            exact_only=exact_only,
            ignored=_IGNORED,
            leaves_traces=bool(body.get("store")),
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, a stream as one `chat.completion`."""
        return outcome(lambda: _read(body, parsed.framing))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or the frames of a stream, one for each field of each message."""
        if not parsed.framing.is_stream:
            yield answer
            return
        usage_at = openai_stream.usage_at(parsed)
        whole_calls = hosts.matches(parsed.request.host, _WHOLE_CALLS)
        completion = bodies.parse(answer.decode())
        for chunk in split(completion, whole_calls=whole_calls, usage_at=usage_at):
            yield sse.write(bodies.write(chunk).decode())
        yield sse.write(openai_stream.DONE)

    def content_type(self, parsed: ParsedRequest) -> str:
        return openai_stream.content_type(parsed)


def _read(body: bytes, framing: Framing) -> Answer:
    if framing.is_stream:
        completion = merge(openai_stream.chunks(body))
        answer = bodies.write(completion)
    else:
        completion = bodies.parse(body.decode())
        bodies.write(completion)  # fails where no stream could be made of it
        answer = body
    return Answer(
        answer, judge(completion), openai_stream.tokens(completion), output_tokens(completion)
    )


def _model(path: re.Match[str], body: dict[str, Json]) -> str | None:
    """The path's word counts where there is one; "" where neither names a model."""
    in_path = path["deployment"] or path["endpoint"]
    model = unquote(in_path) if in_path else body.get("model")
    if model is None:
        return ""
    return model if isinstance(model, str) else None


def _resource(path: re.Match[str], query: str) -> str:
    whole = path.string
    for group in ("deployment", "endpoint"):
        if path[group]:
            whole = target.with_placeholder(whole, path.span(group))
    return target.resource(whole, query)


def _question(body: dict[str, Json]) -> tuple[Path | None, str]:
    """Where the last user text stands, or why there is none to compare by meaning."""
    if body.get("n") not in (None, 1):
        return None, "n"
    if any(body.get(name) not in (None, False, []) for name in _LIVE_REQUEST):
        return None, "live-tools"
    if _LIVE_MODEL.fullmatch(str(body.get("model"))) or any(map(_is_live_tool, _tools(body))):
        return None, "live-tools"
    return turns.question(body["messages"])


def _tools(body: dict[str, Json]) -> list[Json]:
    tools = body.get("tools")
    return tools if isinstance(tools, list) else []


def _is_live_tool(tool: Json) -> bool:
    # Some servers take a function without its type.
    return isinstance(tool, dict) and tool.get("type", "function") not in _CALLERS_TOOLS


def judge(completion: Json) -> str:
    """Why this answer may serve exact repeats only, or "". Raises Unfit where it serves none."""
    if not isinstance(completion, dict):
        raise Unfit("malformed")
    if is_error(completion):
        raise Unfit("error")
    choices = completion.get("choices")
    if not isinstance(choices, list) or not choices:
        raise Unfit("empty")
    if not isinstance(completion.get("usage"), dict | None):
        raise Unfit("malformed")
    words = {_finish_reason(choice, position) for position, choice in enumerate(choices)}
    messages = [choice["message"] for choice in choices]
    if not any(is_filled(message.get(name)) for message in messages for name in _SAID):
        raise Unfit("empty")
    if words & openai_stream.LENGTH:
        return "length"
    return "live-tools" if _is_live(completion, messages) else ""


def _finish_reason(choice: Json, position: int) -> str:
    """The word that ends a well-formed choice, in lower case."""
    match choice:
        case {"error": error} if error:
            raise Unfit("error")
        case {"finish_reason": _}:
            word = openai_stream.finish_word(choice)
        case _:
            raise Unfit("malformed")
    message = choice.get("message")
    if (
        isinstance(message, dict)
        and _is_well_formed(message)
        and choice.get("index") in (None, position)
    ):
        return word
    raise Unfit("malformed")


def _is_well_formed(message: dict[str, Json]) -> bool:
    calls = message.get("tool_calls") or []
    return (
        isinstance(message.get("content"), str | list | dict | None)
        and isinstance(calls, list)
        and all(isinstance(call, dict) for call in calls)
    )


def _is_live(completion: dict[str, Json], messages: list[dict[str, Json]]) -> bool:
    """Made with a search of the web: true today, and for these words only."""
    if any(completion.get(name) for name in _LIVE_ANSWER):
        return True
    for message in messages:
        notes = message.get("annotations")
        context = message.get("context")
        if any(message.get(name) for name in _LIVE_MESSAGE) or (
            isinstance(context, dict) and context.get("citations")
        ):
            return True
        if isinstance(notes, list) and any(
            isinstance(note, dict) and note.get("type") == "url_citation" for note in notes
        ):
            return True
    return False
