"""Gemini's generateContent: Google's Gemini API, Vertex AI, and gateways to them.

A request is ours if its path ends in `models/{model}:generateContent` or
`:streamGenerateContent` (or names an endpoint, a tuned or a dynamic model) and its body has
`contents`; the host does not matter. The verb says whether to stream, and the query how:
`alt=sse` as events, else as a JSON array that grows. `alt=json;enum-encoding=int` spells enums
as numbers: that is another answer, so it stays in the resource.

An array is complete when its bracket is closed. Events have no such mark: a stream of them is
complete when all the candidates that were asked for have their `finishReason` and
`usageMetadata` came with the last of these or later, as in all that we have seen. A
connection that breaks right there is told from a whole one by HTTP, not by us. What follows the
end may repeat but not change the answer, or the stream is not kept; so are those of models
before Gemini 2, which put a `finishReason` into every chunk.

`cachedContent` names a context that never changes while it lives: exact repeats may share an
answer, but what is not seen is not compared by meaning. Counting tokens, embedding, batches,
cached contents and interactions pass untouched.
Source: Gemini API reference, "Generating content"; Vertex AI reference, "Method:
models.streamGenerateContent"; google-genai 3.4; wires in tests/wires/gemini.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote, unquote_plus

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Path, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import json_array, sse, target
from khazad_mitm.wire.gemini_calls import is_piece
from khazad_mitm.wire.gemini_chunks import Merger, index_of, merge, parts_of, split
from khazad_mitm.wire.generated import output_tokens
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(
    r".*/(?:models|tunedModels|endpoints|dynamic)/(?P<model>.+)"
    r":(?P<verb>generateContent|streamGenerateContent)"
)
_ALT = ("alt", "$alt")

# Vertex: "labels with user-defined metadata for the request", for the bill.
_IGNORED = frozenset({"labels"})

# The two that mean the same number in the Gemini API and in Vertex. No other word ends a whole
# answer, nor do we keep one that nobody has heard of.
_FINISH_NUMBERS = {1: "STOP", 2: "MAX_TOKENS"}
_FINISHED = frozenset({"STOP", "MAX_TOKENS"})

# What stands beside the content of a part; alone it says nothing.
_NO_CONTENT = frozenset({"text", "thought", "thoughtSignature", "partMetadata"})
_RESULTS = ("functionResponse", "toolResponse")
# Left by what Google ran or looked at on the way: true today.
_LIVE_PARTS = frozenset({"executableCode", "codeExecutionResult", "toolCall", "toolResponse"})
_LIVE_NOTES = ("groundingMetadata", "urlContextMetadata")


class Gemini:
    """The provider `gemini`."""

    name = "gemini"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of `contents`; model, verb and framing stand in the target."""
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
        alt = _alt(request.query)
        framing = _framing(path["verb"], alt)
        if framing is None or not _is_conversation(body) or _candidate_count(body) is None:
            target.passed_by(self.name, "no content request")
            return None
        question, exact_only = _question(body)
        return ParsedRequest(
            provider=self,
            request=request,
            resource=_resource(path, request.query, alt),
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
        """Read a whole answer; JSON is kept as sent, a stream as one GenerateContentResponse."""
        return outcome(lambda: _read(body, parsed))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or a chunk for each part, as events or as the elements of an array."""
        if not parsed.framing.is_stream:
            yield answer
            return
        chunks = split(bodies.parse(answer.decode()))
        if parsed.framing.media == "array":
            yield from json_array.write(chunks)
        else:
            for chunk in chunks:
                yield b"data: " + bodies.write(chunk) + b"\r\n\r\n"

    def content_type(self, parsed: ParsedRequest) -> str:
        """As Google sends it."""
        is_sse = parsed.framing.media == "sse"
        return "text/event-stream" if is_sse else "application/json; charset=UTF-8"


def _alt(query: str) -> str | None:
    """The value of `alt`, "" where there is none; None where it is said twice."""
    pairs = (pair.partition("=") for pair in query.split("&"))
    said = [unquote_plus(value) for name, _, value in pairs if unquote_plus(name) in _ALT]
    return None if len(said) > 1 else "".join(said)


def _framing(verb: str, alt: str | None) -> Framing | None:
    """None where the request asks for a framing that we do not speak (`alt=proto`)."""
    match verb, alt and alt.partition(";")[0]:
        case "generateContent", "" | "json":
            return Framing("json")
        case "streamGenerateContent", "" | "json":
            return Framing("array")
        case "streamGenerateContent", "sse":
            return Framing("sse")
        case _:
            return None


def _resource(path: re.Match[str], query: str, alt: str | None) -> str:
    whole = path.string[: path.start("verb")] + "generateContent"
    whole = target.with_placeholder(whole, path.span("model"))
    resource = target.resource(whole, query, _ALT)
    spelling = (alt or "").partition(";")[2]
    if not spelling:
        return resource
    return f"{resource}{'&' if '?' in resource else '?'}$alt=;{spelling}"


def _is_conversation(body: dict[str, Json]) -> bool:
    """Are there turns with parts? Like every Google API, this one takes one for a list of one."""
    return bool(_listed(body.get("contents"))) and all(
        isinstance(turn, dict)
        and isinstance(turn.get("role"), str | None)
        and isinstance(turn.get("parts"), list | dict)
        for turn in _listed(body["contents"])
    )


def _candidate_count(body: dict[str, Json]) -> int | None:
    """How many candidates are asked for; None where we do not understand it."""
    config = _field(body, "generationConfig")
    match _field(config, "candidateCount") if isinstance(config, dict) else None:
        case None | False:
            return 1
        case int(count):
            return max(int(count), 1)
        case _:
            return None


def _question(body: dict[str, Json]) -> tuple[Path | None, str]:
    """Where the last user text stands, or None and why there is none to compare by meaning."""
    if _candidate_count(body) != 1:
        return None, "n"
    if any(map(_is_run_by_google, _listed(body.get("tools")))):
        return None, "live-tools"
    if _field(body, "cachedContent"):
        return None, "cached-content"
    contents = body["contents"]
    turn = _listed(contents)[-1]
    where: Path = ("contents", len(contents) - 1) if isinstance(contents, list) else ("contents",)
    parts = _listed(turn.get("parts"))
    if any(_field(part, name) is not None for part in parts for name in _RESULTS):
        return None, "tool-result"
    match turn.get("role"):
        case "model":
            return None, "assistant-last"
        case "function" | "tool":
            return None, "tool-result"
        case None | "" | "user":
            pass
        case _:
            return None, "no-question"
    for position in range(len(parts) - 1, -1, -1):
        match parts[position]:
            case {"text": str(text)} if text.strip():
                step: Path = (position,) if isinstance(turn["parts"], list) else ()
                return (*where, "parts", *step, "text"), ""
    return None, "no-text"


def _is_run_by_google(tool: Json) -> bool:
    """Searching, running code, looking at files: anything but the declarations of functions."""
    return isinstance(tool, dict) and any(
        value is not None and name not in ("functionDeclarations", "function_declarations")
        for name, value in tool.items()
    )


def _listed(value: Json) -> list[Json]:
    """A list, of which Google lets a single item stand for itself."""
    if isinstance(value, list):
        return value
    return [] if value is None else [value]


def _field(fields: Json, name: str) -> Json:
    """The value of a field in either spelling: `generationConfig` or `generation_config`."""
    if not isinstance(fields, dict):
        return None
    value = fields.get(name)
    return fields.get(re.sub("[A-Z]", r"_\g<0>", name).lower()) if value is None else value


def _read(body: bytes, parsed: ParsedRequest) -> Answer:
    count = _candidate_count(parsed.body) or 1
    match parsed.framing.media:
        case "sse":
            response = _from_events(body, count)
        case "array":
            response = merge(json_array.values(body))
        case _:
            response = bodies.parse(body.decode())
    canonical = bodies.write(response)  # fails where no stream could be made of it
    answer = canonical if parsed.framing.is_stream else body
    return Answer(answer, _judge(response, count), _tokens(response), output_tokens(response))


def _from_events(body: bytes, count: int) -> Json:
    """The answer at the end of the stream. Raises Unfit where that never comes, or is not it."""
    merger = Merger()
    whole = None
    for chunk in _chunks(body):
        merger.add(chunk)
        if whole is None and "usageMetadata" in chunk and merger.has_finished(count):
            whole = merger.result()
    if whole is None:
        raise Unfit("cut")
    if whole != merger.result():
        raise Unfit("after-end")
    return whole


def _chunks(body: bytes) -> Iterator[Json]:
    frames, rest = sse.split(body)
    for frame in frames:
        event = sse.parse(frame)
        # Google reports a failure in bare JSON, without `data:` (google-genai, "API returns an
        # error message").
        if event is None and frame.lstrip().startswith((b"{", b"[")):
            raise Unfit("error")
        if event is not None:
            yield {"error": event.data} if event.name == "error" else bodies.parse(event.data)
    if rest.strip():
        raise Unfit("cut")


def _judge(response: Json, count: int) -> str:
    """Why this answer may serve exact repeats only, or "". Raises Unfit where it serves none."""
    match response:
        case {"error": error} if error:
            raise Unfit("error")
        case {"promptFeedback": {"blockReason": reason}} if reason:
            raise Unfit("blocked")
        case {"candidates": list(candidates)} if candidates:
            pass
        case dict() if not response.get("candidates"):
            raise Unfit("empty")
        case _:
            raise Unfit("malformed")
    if len({*map(index_of, candidates)}) < len(candidates):
        raise Unfit("malformed")
    words = {*map(_finish_reason, candidates)}
    parts = [part for candidate in candidates for part in parts_of(candidate)]
    if len(candidates) < count:
        raise Unfit("cut")
    if any(map(is_piece, parts)):
        raise Unfit("unknown-event")
    if not any(map(_says_something, parts)):
        raise Unfit("empty")
    if "MAX_TOKENS" in words:
        return "length"
    return "live-tools" if any(map(_is_live, candidates)) else ""


def _finish_reason(candidate: dict[str, Json]) -> str:
    """The word that ends a whole answer."""
    match candidate.get("finishReason"):
        case bool():
            raise Unfit("malformed")
        case None | "" | 0 | "FINISH_REASON_UNSPECIFIED":
            raise Unfit("cut")
        case int(number):
            word = _FINISH_NUMBERS.get(number, f"finish reason {number}")
        case str(word):
            pass
        case _:
            raise Unfit("malformed")
    if word not in _FINISHED:
        raise Unfit(word.lower().replace("_", "-"))
    return word


def _says_something(part: dict[str, Json]) -> bool:
    """A thought is no answer, nor is a signature alone."""
    if part.get("thought"):
        return False
    return is_filled(part.get("text")) or any(
        value is not None for name, value in part.items() if name not in _NO_CONTENT
    )


def _is_live(candidate: dict[str, Json]) -> bool:
    """Made with a search, with pages that were looked at, or with code that was run."""
    return any(is_filled(candidate.get(name)) for name in _LIVE_NOTES) or any(
        not part.keys().isdisjoint(_LIVE_PARTS) for part in parts_of(candidate)
    )


def _tokens(response: dict[str, Json]) -> int:
    match response.get("usageMetadata"):
        case {"totalTokenCount": int(total)} if total > 0:
            return int(total)
    return 0
