"""OpenAI's legacy completions, as Azure, vLLM, Together, DeepSeek and others still serve them.

A request is ours if its path ends in `/completions`, not `/chat/completions`, and its body has a
`prompt`. All of them are for exact repeats: a prompt is a text to be continued, not a question,
and a text that means the same is continued in other words.

A stream is complete when every choice has its `finish_reason` and `[DONE]` was seen. Mistral's
`/fim/completions` is asked like this and answers like chat; it passes untouched.
Source: OpenAI API reference, "Completions (legacy)"; wires in tests/wires/openai_completions.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from khazad_mitm.exchange import Answer, Json, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import openai_stream, sse, target
from khazad_mitm.wire.generated import output_tokens
from khazad_mitm.wire.openai_completion_chunks import merge, split
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit, outcome

_PATH = re.compile(
    r".*/deployments/(?P<deployment>[^/]+)/completions/?"
    r"|.*/serving-endpoints/(?P<endpoint>[^/]+)/invocations/?"
    r"|.*(?<!/chat)(?<!/fim)/completions/?"
)


class OpenAICompletions:
    """The provider `openai-completions`."""

    name = "openai-completions"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST of a `prompt`; the model may stand in the path (Azure, Databricks)."""
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
        framing = openai_stream.framing(body)
        in_path = path["deployment"] or path["endpoint"]
        model = unquote(in_path) if in_path else body.get("model") or ""
        if framing is None or not isinstance(model, str) or not _is_prompt(body.get("prompt")):
            target.passed_by(self.name, "no completion request")
            return None
        return ParsedRequest(
            provider=self,
            request=request,
            resource=_resource(path, request.query),
            model=model,
            framing=framing,
            body=body,
            spellings=read.spellings,
            turns_field="prompt",
            exact_only="prompt",
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; JSON is kept as sent, a stream as one `text_completion`."""
        return outcome(lambda: _read(body, parsed))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """JSON as it is, or the frames of a stream, two for each choice."""
        if not parsed.framing.is_stream:
            yield answer
            return
        completion = bodies.parse(answer.decode())
        for chunk in split(completion, openai_stream.usage_at(parsed)):
            yield sse.write(bodies.write(chunk).decode())
        yield sse.write(openai_stream.DONE)

    def content_type(self, parsed: ParsedRequest) -> str:
        return openai_stream.content_type(parsed)


def _is_prompt(value: Json) -> bool:
    """A text, a list of texts, the tokens of one, or a list of such."""
    return isinstance(value, str | list) and bool(value)


def _resource(path: re.Match[str], query: str) -> str:
    whole = path.string
    for group in ("deployment", "endpoint"):
        if path[group]:
            whole = target.with_placeholder(whole, path.span(group))
    return target.resource(whole.removesuffix("/"), query)


def _read(body: bytes, parsed: ParsedRequest) -> Answer:
    if parsed.framing.is_stream:
        completion = merge(openai_stream.chunks(body))
        answer = bodies.write(completion)
    else:
        completion = bodies.parse(body.decode())
        bodies.write(completion)  # fails where no stream could be made of it
        answer = body
    return Answer(
        answer, _judge(completion), openai_stream.tokens(completion), output_tokens(completion)
    )


def _judge(completion: Json) -> str:
    """`length`, or "" for a whole answer. Raises Unfit where it is none."""
    match completion:
        case {"error": error} if error:
            raise Unfit("error")
        case {"choices": list(choices)} if choices:
            if not isinstance(completion.get("usage"), dict | None):
                raise Unfit("malformed")
        case {"choices": _}:
            raise Unfit("empty")
        case _:
            raise Unfit("malformed")
    words = {_finish_reason(choice, position) for position, choice in enumerate(choices)}
    if not any(is_filled(choice["text"]) for choice in choices):
        raise Unfit("empty")
    return "length" if words & openai_stream.LENGTH else ""


def _finish_reason(choice: Json, position: int) -> str:
    match choice:
        case {"error": error} if error:
            raise Unfit("error")
        case {"text": str(), "finish_reason": _} if choice.get("index") in (None, position):
            return openai_stream.finish_word(choice)
        case _:
            raise Unfit("malformed")
