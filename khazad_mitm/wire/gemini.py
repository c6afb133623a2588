"""Gemini's `generateContent` and `streamGenerateContent`, on Google AI and on Vertex.

The model and the verb stand in the path. A stream comes as server-sent events where `alt=sse`
asks for it, else as one JSON array, an element at a time. `$alt=json;enum-encoding=int` spells
the words of the answer as numbers, so it is part of the key; sse or json is framing.

An answer is complete when every candidate has a `finishReason`. The array has a closing bracket
besides; the events have no last one, and older models told a `finishReason` in each. So a stream
of events is taken for whole only if its message ended, not if the caller stopped reading
(`ends_with_message`). Answers that safety rules cut or blocked are not kept.

Fields may be spelt in camelCase or snake_case, as Google takes both; the two are different keys,
which costs a hit and nothing else. `cachedContent` names something that never changes but
expires: exact repeats only. Vertex' `labels` are the caller's own. Counting, embedding, caching,
files and tuning are endpoints of their own.
Source: Gemini API reference, "Generating content"; Vertex AI, "GenerateContentResponse"; wires in
tests/wires/gemini.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Path, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import json_array, sse, target
from khazad_mitm.wire.gemini_chunks import merge, split
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(
    r".*/(?:models|tunedModels|endpoints)/(?P<model>[^:]+)"
    r":(?P<verb>generateContent|streamGenerateContent)"
)
_ALT = ("alt", "$alt")
_IGNORED = frozenset({"labels"})

# Words and their numbers in the protocol buffer.
_FINISHED = ("STOP", 1)
_LENGTH = ("MAX_TOKENS", 2)

# Tools that the caller runs. Any other looks at something that is not what it was.
_CALLERS_TOOLS = frozenset(
    {"functionDeclarations", "function_declarations", "computerUse", "computer_use"}
)
_LIVE_PARTS = frozenset({"codeExecutionResult", "executableCode", "toolCall", "toolResponse"})
_LIVE_NOTES = ("groundingMetadata", "urlContextMetadata")
_TOOL_RESULTS = ("functionResponse", "function_response", "toolResponse", "tool_response")


class Gemini:
    """The provider `gemini`."""

    name = "gemini"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of `contents`; model and streaming stand in the path."""
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
        spoken = _spoken(path["verb"], request.query)
        if spoken is None or not _is_conversation(body.get("contents")):
            target.passed_by(self.name, "no content request")
            return None
        framing, enums = spoken
        question, exact_only = _question(body)
        return ParsedRequest(
            provider=self,
            request=request,
            resource=_resource(path, request.query, enums),
            model=unquote(path["model"]),
            framing=framing,
            body=body,
            spellings=read.spellings,
            turns_field="contents",
            question=question,
            exact_only=exact_only,
            ends_with_message=framing.media == "sse",
            ignored=_IGNORED,
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, a stream as one response."""
        return outcome(lambda: _read(body, parsed.framing))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or a chunk for each part."""
        if not parsed.framing.is_stream:
            yield answer
            return
        chunks = split(bodies.parse(answer.decode()))
        if parsed.framing.media == "array":
            yield from json_array.write(chunks)
            return
        for chunk in chunks:
            yield b"data: " + bodies.write(chunk) + b"\r\n\r\n"

    def content_type(self, parsed: ParsedRequest) -> str:
        """As Google sends it."""
        if parsed.framing.media == "sse":
            return "text/event-stream"
        return "application/json; charset=UTF-8"


def _spoken(verb: str, query: str) -> tuple[Framing, str] | None:
    """The framing asked for, and how enums are to be spelt ("" for words); None: not ours."""
    asked = "json"
    for pair in query.split("&"):
        name, _, value = pair.partition("=")
        if unquote_plus(name) in _ALT:
            asked = unquote_plus(value)
    media, _, enums = asked.partition(";")
    match verb, media:
        case "generateContent", "json":
            return Framing("json"), enums
        case "streamGenerateContent", "json":
            return Framing("array"), enums
        case "streamGenerateContent", "sse":
            return Framing("sse"), enums
        case _:
            return None


def _resource(path: re.Match[str], query: str, enums: str) -> str:
    whole = target.with_placeholder(path.string[: path.start("verb")], path.span("model"))
    asked = target.resource(f"{whole}generateContent", query, _ALT)
    return f"{asked} {enums}" if enums else asked


def _is_conversation(contents: Json) -> bool:
    turns = contents if isinstance(contents, list) else [contents]
    return bool(turns) and all(
        isinstance(turn, dict)
        and isinstance(turn.get("parts"), list | dict)
        and isinstance(turn.get("role"), str | None)
        for turn in turns
    )


def _question(body: dict[str, Json]) -> tuple[Path | None, str]:
    """Where the last user text stands, or why there is none to compare by meaning."""
    if body.get("cachedContent") or body.get("cached_content"):
        return None, "cached-content"
    if _asks_for_several(body):
        return None, "n"
    if any(map(_is_live, _list(body.get("tools")))):
        return None, "live-tools"
    contents = body["contents"]
    if isinstance(contents, list):
        return _last_text(contents[-1], ("contents", len(contents) - 1))
    return _last_text(contents, ("contents",))


def _last_text(turn: dict[str, Json], place: Path) -> tuple[Path | None, str]:
    if turn.get("role") == "model":
        return None, "assistant-last"
    if turn.get("role") not in (None, "", "user"):
        is_result = turn.get("role") in ("function", "tool")
        return None, "tool-result" if is_result else "no-question"
    parts = turn["parts"]
    if isinstance(parts, dict):
        steps: list[tuple[Path, Json]] = [((*place, "parts"), parts)]
    else:
        steps = [((*place, "parts", number), part) for number, part in enumerate(parts)]
    if any(
        isinstance(part, dict) and part.get(name) for _, part in steps for name in _TOOL_RESULTS
    ):
        return None, "tool-result"
    for step, part in reversed(steps):
        match part:
            case {"text": str(text)} if text.strip():
                return (*step, "text"), ""
    return None, "no-text"


def _asks_for_several(body: dict[str, Json]) -> bool:
    for config in (body.get("generationConfig"), body.get("generation_config")):
        if isinstance(config, dict):
            for name in ("candidateCount", "candidate_count"):
                if config.get(name) not in (None, 1):
                    return True
    return False


def _is_live(tool: Json) -> bool:
    return not isinstance(tool, dict) or not tool.keys() <= _CALLERS_TOOLS


def _list(value: Json) -> list[Json]:
    match value:
        case None:
            return []
        case list():
            return value
        case _:
            return [value]


def _read(body: bytes, framing: Framing) -> Answer:
    if not framing.is_stream:
        response = bodies.parse(body.decode())
        bodies.write(response)  # fails where no stream could be made of it
        return Answer(body, _judge(response), _tokens(response))
    response = merge(json_array.values(body) if framing.media == "array" else _events(body))
    return Answer(bodies.write(response), _judge(response), _tokens(response))


def _events(body: bytes) -> Iterator[Json]:
    frames, rest = sse.split(body)
    if rest.strip():
        raise Unfit("cut")
    for frame in frames:
        event = sse.parse(frame)
        if event is not None:
            yield bodies.parse(event.data)


def _judge(response: Json) -> str:
    """Why this answer may serve exact repeats only, or "". Raises Unfit where it serves none."""
    match response:
        case {"error": error} if error:
            raise Unfit("error")
        case {"promptFeedback": {"blockReason": reason}} if reason:
            raise Unfit("blocked")
        case {"candidates": list(candidates)} if candidates:
            pass
        case dict():
            raise Unfit("empty")
        case _:
            raise Unfit("malformed")
    reasons = [_finish_reason(candidate) for candidate in candidates]
    parts = [part for candidate in candidates for part in _parts(candidate)]
    if not any(map(_says_something, parts)):
        raise Unfit("empty")
    if any(reason in _LENGTH for reason in reasons):
        return "length"
    is_live = any(part.keys() & _LIVE_PARTS for part in parts) or any(
        is_filled(candidate.get(name)) for candidate in candidates for name in _LIVE_NOTES
    )
    return "live-tools" if is_live else ""


def _finish_reason(candidate: Json) -> str | int:
    match candidate:
        case {"finishReason": (str() | int()) as reason} if reason in (*_FINISHED, *_LENGTH):
            return reason
        case {"finishReason": str(reason)} if reason:
            raise Unfit(reason.lower().replace("_", "-"))
        case {"finishReason": int(number)}:
            raise Unfit(f"finish reason {number}")
        case dict():
            raise Unfit("cut")
        case _:
            raise Unfit("malformed")


def _parts(candidate: dict[str, Json]) -> list[dict[str, Json]]:
    match candidate.get("content"):
        case None:
            return []
        case {"parts": list(parts)} if all(isinstance(part, dict) for part in parts):
            return parts
        case dict(content) if "parts" not in content:
            return []
        case _:
            raise Unfit("malformed")


def _says_something(part: dict[str, Json]) -> bool:
    if part.get("thought"):
        return False
    return any(
        is_filled(value) or name == "functionCall"
        for name, value in part.items()
        if name not in ("thought", "thoughtSignature")
    )


def _tokens(response: dict[str, Json]) -> int:
    match response.get("usageMetadata"):
        case {"totalTokenCount": int(total)} if total > 0:
            return int(total)
    return 0
