"""One block of a Converse message taken apart into its start and deltas, and put together.

What a stream cannot tell in pieces (documents, audio, kinds of tomorrow) is told whole in the
start: nobody loses it, and SDKs that do not know it show it as unknown. The texts of one cited
passage become one, since a stream has no border between them.
Source: service model of bedrock-runtime 2023-09-30 in botocore 1.44, `ContentBlock`,
`ContentBlockStart`, `ContentBlockDelta`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode

from khazad_mitm.exchange import Json
from khazad_mitm.wire import body as bodies
from khazad_mitm.wire.unfit import Unfit

_Start = dict[str, Json] | None
_Deltas = list[dict[str, Json]]


def together(start: _Start, deltas: _Deltas) -> dict[str, Json] | None:
    """The block that its start and deltas tell; None where they tell nothing at all.

    Raises Unfit where a delta belongs to no block of this kind, ValueError where the input of a
    tool or base64 cannot be read.
    """
    if start is None:
        return _unannounced(deltas)
    match start:
        case {"toolUse": dict(tool), **others} if not others:
            text = "".join(_piece(delta, "toolUse", "input", str) for delta in deltas)
            given = bodies.parse(text) if text else tool.get("input", {})
            return {"toolUse": _sorted({**tool, "input": given})}
        case {"toolResult": dict(result), **others} if not others:
            items = [item for delta in deltas for item in _only(delta, "toolResult", list)]
            return {"toolResult": _sorted({"content": items, **result})}
        case {"image": dict(image), **others} if not others and deltas:
            return {"image": _sorted({**image, "source": _source(deltas)})}
        case _ if not deltas and apart(start)[0] == start:
            return start
        case _:
            raise Unfit("unknown-event")


def apart(block: dict[str, Json]) -> tuple[_Start, _Deltas]:
    """The start of a block, None where its kind has none, and the deltas after it."""
    match block:
        case {"text": str(text), **others} if not others:
            return None, [{"text": text}]
        case {"citationsContent": dict(cited), **others} if not others and _is_told(cited):
            content = cited.get("content", [])
            passage = [{"text": "".join(item["text"] for item in content)}] if content else []
            notes = [{"citation": note} for note in cited.get("citations", [])]
            return None, [*passage, *notes]
        case {"reasoningContent": dict(thought), **others} if not others:
            pieces = _thoughts(thought)
            return (None, pieces) if pieces else (block, [])
        case {"toolUse": {"input": given, **tool}, **others} if not others:
            return {"toolUse": tool}, [{"toolUse": {"input": bodies.write(given).decode()}}]
        case {"toolResult": {"content": list(content), **result}, **others} if not others:
            return {"toolResult": result}, [{"toolResult": [item]} for item in content]
        case {"image": {"source": dict(source), **image}, **others} if not others:
            return {"image": image}, [{"image": {"source": source}}]
        case _:
            return block, []


def _unannounced(deltas: _Deltas) -> dict[str, Json] | None:
    """A text, with citations or without, or reasoning."""
    texts: list[str] = []
    citations: list[Json] = []
    thoughts: list[dict[str, Json]] = []
    for delta in deltas:
        match delta:
            case {"text": str(text), **others} if not others:
                texts.append(text)
            case {"citation": dict(citation), **others} if not others:
                citations.append(citation)
            case {"reasoningContent": dict(thought), **others} if not others and len(thought) == 1:
                thoughts.append(thought)
            case _:
                raise Unfit("unknown-event")
    if thoughts:
        if texts or citations:
            raise Unfit("malformed")
        return {"reasoningContent": _reasoning(thoughts)}
    text = "".join(texts)
    if citations:
        content = [{"text": text}] if texts else []
        return {"citationsContent": {"citations": citations, "content": content}}
    return {"text": text} if texts else None


def _reasoning(pieces: list[dict[str, Json]]) -> dict[str, Json]:
    told: dict[str, list[str]] = {"text": [], "signature": [], "redactedContent": []}
    for piece in pieces:
        for name, value in piece.items():
            if name not in told or not isinstance(value, str):
                raise Unfit("unknown-event")
            told[name].append(value)
    text, signature = "".join(told["text"]), "".join(told["signature"])
    if told["redactedContent"]:
        if text or signature:
            raise Unfit("malformed")
        return {"redactedContent": _joined(told["redactedContent"])}
    # Thinking that the caller wants omitted has a signature and no text.
    signed = {"signature": signature} if told["signature"] else {}
    return {"reasoningText": {**signed, "text": text}}


def _thoughts(thought: dict[str, Json]) -> _Deltas:
    """The deltas of reasoning; none where it has more to it than a stream can tell."""
    match thought:
        case {"reasoningText": {"text": str(text), **signed}, **others} if not others:
            if signed.keys() - {"signature"} or not isinstance(signed.get("signature", ""), str):
                return []
            pieces = [{"text": text}] if text or not signed else []
            return [
                {"reasoningContent": piece} for piece in (*pieces, *([signed] if signed else []))
            ]
        case {"redactedContent": str(), **others} if not others:
            return [{"reasoningContent": thought}]
        case _:
            return []


def _is_told(cited: dict[str, Json]) -> bool:
    """Can deltas say it? A text in front, citations, or both."""
    content, citations = cited.get("content", []), cited.get("citations", [])
    return (
        not cited.keys() - {"content", "citations"}
        and isinstance(content, list)
        and isinstance(citations, list)
        and bool(content or citations)
        and all(isinstance(citation, dict) for citation in citations)
        and all(
            isinstance(item, dict) and item.keys() == {"text"} and isinstance(item["text"], str)
            for item in content
        )
    )


def _source(deltas: _Deltas) -> Json:
    """Where an image is, or its bytes, which may come in pieces."""
    sources = [_piece(delta, "image", "source", dict) for delta in deltas]
    if len(sources) == 1:
        return sources[0]
    pieces = [source.get("bytes") for source in sources if source.keys() == {"bytes"}]
    if len(pieces) < len(sources) or not all(isinstance(piece, str) for piece in pieces):
        raise Unfit("unknown-event")
    return {"bytes": _joined(pieces)}


def _joined(pieces: list[Json]) -> Json:
    """Each piece is base64 of its own."""
    if len(pieces) == 1:
        return pieces[0]
    return b64encode(b"".join(b64decode(piece, validate=True) for piece in pieces)).decode()


def _only(delta: dict[str, Json], kind: str, of: type) -> Json:
    value = delta.get(kind)
    if len(delta) != 1 or not isinstance(value, of):
        raise Unfit("unknown-event")
    return value


def _piece(delta: dict[str, Json], kind: str, name: str, of: type) -> Json:
    told = _only(delta, kind, dict)
    if "error" in told:
        raise Unfit("error")
    return _only(told, name, of)


def _sorted(fields: dict[str, Json]) -> dict[str, Json]:
    return dict(sorted(fields.items()))
