"""What is compared by meaning: the last user text, and the request with that text taken out.

Only the question itself is embedded. Everything around it (system prompt, earlier turns, tools,
images) has to match exactly: measured with MiniLM, a shared system prompt of 58 words made two
unrelated questions 0.94 similar when the whole conversation was embedded.
"""

from __future__ import annotations

from khazad_mitm.exchange import Json, ParsedRequest, Path

# No provider accepts this as a turn, so no request can pretend to be the blank of another.
PLACEHOLDER: Json = {"khazad": "question"}

PREAMBLE_ROLES = ("system", "developer")


def question_text(parsed: ParsedRequest) -> str | None:
    """The last user text, or None where the request is for exact repeats only."""
    if parsed.question is None:
        return None
    value: Json = parsed.body
    for step in parsed.question:
        value = value[step]
    return value if isinstance(value, str) and value.strip() else None


def question_path(parsed: ParsedRequest) -> str:
    """Where the question stands, as people write it: `messages[2].content`."""
    steps = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in parsed.question or ())
    return "".join(steps).lstrip(".")


def preamble_length(parsed: ParsedRequest) -> int:
    """How many turns come before the conversation proper: what the application says itself."""
    spoken = turns(parsed)
    for index, turn in enumerate(spoken):
        if not isinstance(turn, dict) or turn.get("role") not in PREAMBLE_ROLES:
            return index
    return len(spoken)


def turns(parsed: ParsedRequest) -> list[Json]:
    """The conversation, oldest turn first. A bare text is a conversation of one turn."""
    value = parsed.body.get(parsed.turns_field, [])
    return value if isinstance(value, list) else [value]


def blank_turn(parsed: ParsedRequest) -> Json:
    """The last turn with the question replaced by a placeholder; images and files stay."""
    if parsed.question is None:
        raise ValueError("a request without a question has no blank turn")
    inner = parsed.question[1:]
    if isinstance(parsed.body[parsed.turns_field], list):
        inner = inner[1:]
    return _replaced(turns(parsed)[-1], inner)


def _replaced(value: Json, path: Path) -> Json:
    if not path:
        return PLACEHOLDER
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_replaced(v, rest) if i == step else v for i, v in enumerate(value)]
    return {k: _replaced(v, rest) if k == step else v for k, v in value.items()}
