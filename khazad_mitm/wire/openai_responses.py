"""OpenAI Responses, and everyone who speaks them: Azure, xAI, OpenRouter, Bedrock, DeepSeek ...

A request is ours if its path ends in `/responses` and its body has `input` or a `prompt`. Reading,
compacting, cancelling and counting responses are endpoints of their own and pass untouched.

A stream is complete with `response.completed` and the status `completed`; `incomplete` (cut by
`max_output_tokens`, or filtered) and `failed` are never kept.

What the provider keeps for the caller:
- `store` (on, unless told otherwise) puts a response under its id. A hit repeats the id, which
  still names what the provider made of the same question: who goes on from it with
  `previous_response_id` goes on from there.
- `previous_response_id` and `item_reference` name things that never change: exact repeats only,
  as the conversation itself is not in the request. The same holds for `prompt`, a template that
  lies with the provider.
- A `conversation` grows with each call, a sandbox (`container`) is changed by each, and a
  `background` response is asked for again and again until it is there: they go by.

The answer repeats labels that the key ignores (`user`, `metadata` ...). Whoever sends others gets
his own back: they are in the framing's variant, and `replay` puts them in.
Source: OpenAI API reference, "Responses" and "Conversation state"; wires in
tests/wires/openai_responses.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Path, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import hosts, sse, target
from khazad_mitm.wire.generated import output_tokens
from khazad_mitm.wire.openai_response_events import merge, split
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(r".*/deployments/(?P<deployment>[^/]+)/responses/?|.*/responses/?")
_IGNORED = frozenset({"prompt_cache_key", "prompt_cache_retention", "safety_identifier"})

# Labels the answer repeats -> what it says where none was sent.
_LABELS: dict[str, Json] = {
    "user": None,
    "metadata": {},
    "safety_identifier": None,
    "prompt_cache_key": None,
    "prompt_cache_retention": None,
}
# Where the provider has something of its own to say instead.
_RETENTION = "prompt_cache_retention"
_OWN_METADATA = ("*.x.ai",)

# Tools that the caller runs. Any other looks at something that is not what it was.
_CALLERS_TOOLS = frozenset(
    {"function", "custom", "computer_use_preview", "computer", "local_shell", "apply_patch"}
)
_MADE_LIVE = frozenset(
    {"web_search_call", "file_search_call", "code_interpreter_call", "mcp_call", "x_search_call"}
)
_LIVE_REQUEST = ("web_search_options", "search_parameters")

_FINISHED = frozenset({"completed", "complete"})
_NO_ANSWER = frozenset({"reasoning", "compaction", "mcp_list_tools", "tool_search_output"})

_DONE = "[DONE]"


class OpenAIResponses:
    """The provider `openai-responses`."""

    name = "openai-responses"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of `input` or `prompt`; on Azure the model may stand in the path."""
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
        framing = _framing(body)
        deployment = path["deployment"]
        model = unquote(deployment) if deployment else body.get("model") or ""
        if framing is None or not isinstance(model, str) or not _asks(body):
            target.passed_by(self.name, "no responses request")
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
            turns_field="input",
            question=question,
            exact_only=exact_only,
            bypass=_bypass(body),
            # Kept for 30 days unless told otherwise.
            leaves_traces=body.get("store") is not False,
            ignored=_IGNORED,
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, of a stream the response it ends with."""
        return outcome(lambda: _read(body, parsed.framing))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or the events of a stream; with the labels of whoever asks."""
        response = bodies.parse(answer.decode())
        labelled = response | _labels(response, parsed)
        if parsed.framing.is_stream:
            for event in split(labelled):
                yield sse.write(bodies.write(event).decode(), event["type"])
        else:
            yield answer if labelled == response else bodies.write(labelled)

    def content_type(self, parsed: ParsedRequest) -> str:
        """As OpenAI sends it."""
        return (
            "text/event-stream; charset=utf-8" if parsed.framing.is_stream else "application/json"
        )


def _asks(body: dict[str, Json]) -> bool:
    match body:
        case {"input": str(text)}:
            return bool(text)
        case {"input": list(items)}:
            return bool(items) and all(isinstance(item, dict) for item in items)
        case {"prompt": dict()}:
            return body.get("input") is None
        case _:
            return False


def _framing(body: dict[str, Json]) -> Framing | None:
    """None where the request says something about framing that we do not understand."""
    labels = {name: body[name] for name in _LABELS if body.get(name) not in (None, {}, "")}
    match body.get("stream"), body.get("stream_options"):
        case ((None | False), _):
            return Framing("json", variant=_told(labels))
        case True, None:
            return Framing("sse", variant=_told(labels))
        case True, dict(options):
            said = {name: value for name, value in options.items() if value is not None}
            return Framing("sse", variant=_told({**labels, "stream_options": said}))
        case _:
            return None


def _told(values: dict[str, Json]) -> str:
    return json.dumps(values, sort_keys=True, separators=(",", ":")) if values else ""


def _resource(path: re.Match[str], query: str) -> str:
    whole = path.string
    if path["deployment"]:
        whole = target.with_placeholder(whole, path.span("deployment"))
    return target.resource(whole.removesuffix("/"), query)


def _bypass(body: dict[str, Json]) -> str:
    if body.get("background"):
        return "background"
    if body.get("conversation") is not None:
        return "conversation"
    for tool in _list(body.get("tools")):
        match tool:
            case {"container": str()} | {"environment": {"type": "container_reference"}}:
                return "container"
    return ""


def _question(body: dict[str, Json]) -> tuple[Path | None, str]:
    """Where the last user text stands, or why there is none to compare by meaning."""
    if body.get("previous_response_id") is not None:
        return None, "previous-response"
    if body.get("prompt") is not None:
        return None, "prompt-template"
    if any(map(_is_live, _list(body.get("tools")))):
        return None, "live-tools"
    if any(body.get(name) is not None for name in _LIVE_REQUEST):
        return None, "live-tools"
    asked = body["input"]
    if isinstance(asked, str):
        return (("input",), "") if asked.strip() else (None, "no-text")
    if any(item.get("type") == "item_reference" for item in asked):
        return None, "item-reference"
    return _last_text(asked[-1], len(asked) - 1)


def _last_text(item: dict[str, Json], place: int) -> tuple[Path | None, str]:
    match item:
        case {"type": str(kind)} if kind.endswith(("_output", "_response")):
            return None, "tool-result"
        case {"type": str(kind)} if kind != "message":
            return None, "no-question"
        case {"role": "assistant"}:
            return None, "assistant-last"
        case {"role": "user", "content": str(text)} if text.strip():
            return ("input", place, "content"), ""
        case {"role": "user", "content": list(parts)}:
            for position in range(len(parts) - 1, -1, -1):
                match parts[position]:
                    case {"type": "input_text", "text": str(text)} if text.strip():
                        return ("input", place, "content", position, "text"), ""
            return None, "no-text"
        case {"role": "user"}:
            return None, "no-text"
        case _:
            return None, "no-question"


def _is_live(tool: Json) -> bool:
    return not isinstance(tool, dict) or str(tool.get("type")) not in _CALLERS_TOOLS


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _read(body: bytes, framing: Framing) -> Answer:
    if framing.is_stream:
        response = merge(_events(body))
        answer = bodies.write(response)
    else:
        response = bodies.parse(body.decode())
        bodies.write(response)  # fails where no stream could be made of it
        answer = body
    return Answer(answer, _judge(response), _tokens(response), output_tokens(response))


def _events(body: bytes) -> Iterator[Json]:
    for event in sse.events(body):
        if event.data == _DONE:
            raise Unfit("cut")
        yield {"type": "error"} if event.name == "error" else bodies.parse(event.data)


def _judge(response: Json) -> str:
    """Why this answer may serve exact repeats only, or "". Raises Unfit where it serves none."""
    match response:
        case {"error": error} if error:
            raise Unfit("error")
        case {"incomplete_details": details} if details:
            raise Unfit("incomplete")
        case {"status": str(status)} if status not in _FINISHED:
            raise Unfit(status.replace("_", "-"))
        case {"status": str(), "output": list(items)} if all(map(_is_item, items)):
            pass
        case _:
            raise Unfit("malformed")
    if not any(map(_says_something, items)):
        raise Unfit("empty")
    return "live-tools" if any(map(_is_made_live, items)) else ""


def _is_item(item: Json) -> bool:
    return isinstance(item, dict) and isinstance(item.get("type"), str)


def _says_something(item: dict[str, Json]) -> bool:
    if item["type"] != "message":
        return item["type"] not in _NO_ANSWER
    match item.get("content"):
        case str(text):
            return bool(text.strip())
        case list(parts):
            return any(
                is_filled({name: value for name, value in part.items() if name != "type"})
                for part in parts
                if isinstance(part, dict)
            )
        case _:
            return False


def _is_made_live(item: dict[str, Json]) -> bool:
    if item["type"] in _MADE_LIVE:
        return True
    return any(
        isinstance(note, dict) and note.get("type") == "url_citation"
        for part in _list(item.get("content"))
        if isinstance(part, dict)
        for note in _list(part.get("annotations"))
    )


def _labels(response: dict[str, Json], parsed: ParsedRequest) -> dict[str, Json]:
    """The labels of the answer as they are for this caller."""
    labels = {}
    for name, default in _LABELS.items():
        if name in response:
            sent = parsed.body.get(name)
            if sent is not None:
                labels[name] = sent
            elif response[name] and not _is_the_providers(name, parsed.request.host):
                labels[name] = default
    return labels


def _is_the_providers(label: str, host: str) -> bool:
    return label == _RETENTION or (label == "metadata" and hosts.matches(host, _OWN_METADATA))


def _tokens(response: dict[str, Json]) -> int:
    match response.get("usage"):
        case {"total_tokens": int(total)} if total > 0:
            return int(total)
    return 0
