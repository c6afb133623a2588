"""A conversation as a list of turns with roles: is it one, and where its question stands.

For formats whose turns are `{"role", "content"}`, a content is a text or a list of parts, and
text parts are `{"type": "text", "text"}`.
"""

from __future__ import annotations

from khazad_mitm.exchange import Json, Path


def are_turns(value: Json) -> bool:
    """A list of turns, at least one."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(turn, dict) and isinstance(turn.get("role"), str) for turn in value)
    )


def question(turns: list[dict[str, Json]]) -> tuple[Path | None, str]:
    """Where in `messages` the last user text stands, or why none may be compared by meaning."""
    last = len(turns) - 1
    match turns[last]["role"], turns[last].get("content"):
        case (("tool" | "function"), _):
            return None, "tool-result"
        case "assistant", _:
            return None, "assistant-last"
        case "user", str(text) if text.strip():
            return ("messages", last, "content"), ""
        case "user", list(parts):
            for position in range(len(parts) - 1, -1, -1):
                match parts[position]:
                    case {"type": "text", "text": str(text)} if text.strip():
                        return ("messages", last, "content", position, "text"), ""
            return None, "no-text"
        case "user", _:
            return None, "no-text"
        case _:
            return None, "no-question"
