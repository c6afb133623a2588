"""Embeddings: OpenAI's and everyone who speaks like it, Gemini's, Cohere's, Ollama's.

A request is ours if path and body fit a row of `embedding_formats`; the host does not matter.
Vertex' `:predict`, pipelines of HuggingFace and contextualised embeddings pass by. There are no
streams, nothing is compared by meaning, and an answer is kept byte for byte.

Where nothing in a request can make one item's vector depend on another item, it is read as a list
of items even if it holds one text: the text and a list of it are the same question, and a batch
can be answered item by item (`embedding_batches`).
Source: see `embedding_formats`; wires in tests/wires/embeddings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import unquote

from khazad_mitm.exchange import Answer, Framing, Json, ParsedRequest, Unkept
from khazad_mitm.messages import Request
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire import target
from khazad_mitm.wire.embedding_batches import EmbeddingBatch
from khazad_mitm.wire.embedding_formats import FORMATS, Format, tokens
from khazad_mitm.wire.unfit import outcome

# More than any provider takes in one call (OpenAI: 2,048): the batch is kept whole.
MOST_ITEMS = 2_048

_BATCHES = {form: EmbeddingBatch(form) for form in FORMATS}


class Embeddings:
    """The provider `embeddings`."""

    name = "embeddings"

    def recognise(self, request: Request) -> ParsedRequest | None:
        """Read a POST that asks for embeddings; the model may stand in the path."""
        if request.method != "POST":
            return None
        rows = _rows(request.path)
        if not rows:
            return None
        read = bodies.read(request)
        if isinstance(read, bodies.NotJson):
            target.passed_by(self.name, read.reason)
            return None
        for form, path in rows:
            asked = form.asked(read.value)
            model = _model(path, read.value)
            if asked is not None and model is not None:
                return self._parsed(request, read, form, path, model, *asked)
        target.passed_by(self.name, "no embedding request")
        return None

    def _parsed(
        self,
        request: Request,
        read: bodies.JsonBody,
        form: Format,
        path: re.Match[str],
        model: str,
        field: str,
        items: list[Json],
    ) -> ParsedRequest:
        # Which item a number's spelling belongs to is not known.
        is_separable = (
            not form.is_single and not read.spellings and read.value.keys() <= form.known | {field}
        )
        return ParsedRequest(
            provider=self,
            request=request,
            resource=_resource(path, request.query),
            model=model,
            framing=Framing("json"),
            body={**read.value, field: items} if is_separable else read.value,
            spellings=read.spellings,
            turns_field=field if is_separable else "",
            exact_only="embedding",
            ignored=form.ignored,
            batch=_BATCHES[form] if is_separable and 1 < len(items) <= MOST_ITEMS else None,
        )

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        """Read a whole answer; it is kept as sent."""
        return outcome(lambda: _read(body, parsed))

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        """The answer as it is."""
        yield answer

    def content_type(self, parsed: ParsedRequest) -> str:
        """As all of them send it."""
        return "application/json"


def _rows(path: str) -> list[tuple[Format, re.Match[str]]]:
    return [(form, found) for form in FORMATS if (found := form.path.fullmatch(path))]


def _read(body: bytes, parsed: ParsedRequest) -> Answer:
    answer = bodies.parse(body.decode())
    for form, _ in _rows(parsed.request.path):
        asked = form.asked(parsed.body)
        if asked is not None:
            form.judge(answer, len(asked[1]))
            break
    return Answer(body, tokens=tokens(answer))


def _model(path: re.Match[str], body: dict[str, Json]) -> str | None:
    """The path's word counts where there is one; "" where neither names a model."""
    in_path = path.groupdict().get("model")
    model = unquote(in_path) if in_path else body.get("model")
    if model is None:
        return ""
    return model if isinstance(model, str) else None


def _resource(path: re.Match[str], query: str) -> str:
    whole = path.string
    if path.groupdict().get("model"):
        whole = target.with_placeholder(whole, path.span("model"))
    return target.resource(whole, query)
