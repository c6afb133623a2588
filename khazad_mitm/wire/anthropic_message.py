"""What a request and an answer in Anthropic's words mean, whoever carries them.

Anthropic itself, compatible hosts, Vertex and Bedrock share these bodies.
Source: Anthropic API reference, "Messages", "Handling stop reasons"; SDK 2.12.
"""

from __future__ import annotations

from khazad_mitm.exchange import Json, Path
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit

_FINISHED = frozenset({"end_turn", "stop_sequence", "tool_use"})

# Tools that the provider runs itself, by the beginning of their `type`: they look at a web, at
# files or at a sandbox that are not what they were. What the caller runs has no such type.
_SERVER_TOOLS = (
    "web_search",
    "web_fetch",
    "code_execution",
    "tool_search",
    "mcp_toolset",
    "advisor",
)
_NO_ANSWER = frozenset({"thinking", "redacted_thinking", "compaction", "fallback"})


def is_conversation(body: dict[str, Json]) -> bool:
    """Are there `messages`, each of a role, with content?"""
    messages = body.get("messages")
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(
            isinstance(turn, dict)
            and isinstance(turn.get("role"), str)
            and isinstance(turn.get("content"), str | list)
            for turn in messages
        )
    )


def bypass(body: dict[str, Json]) -> str:
    """`container` where the request works in a sandbox that each call changes, else ""."""
    match body.get("container"):
        case None | {"id": None}:
            return ""
        case dict(container) if "id" not in container:
            return ""  # skills for a sandbox yet to be made
        case _:
            return "container"


def question(body: dict[str, Json]) -> tuple[Path | None, str]:
    """Where the last user text stands, or None and why there is none to compare by meaning."""
    if body.get("mcp_servers") or any(map(_is_run_by_the_server, _list(body.get("tools")))):
        return None, "live-tools"
    last = len(body["messages"]) - 1
    turn = body["messages"][last]
    match turn["role"], turn["content"]:
        case "assistant", _:
            return None, "assistant-last"
        case "user", str(text):
            return (("messages", last, "content"), "") if text.strip() else (None, "no-text")
        case "user", list(blocks):
            if any(map(_is_tool_result, blocks)):
                return None, "tool-result"
            for position in range(len(blocks) - 1, -1, -1):
                match blocks[position]:
                    case {"type": "text", "text": str(text)} if text.strip():
                        return ("messages", last, "content", position, "text"), ""
            return None, "no-text"
        case _:
            return None, "no-question"


def judge(message: Json) -> str:
    """Why this answer may serve exact repeats only, or "". Raises Unfit where it serves none.

    `pause_turn` asks the caller to go on with a turn that the server has begun, `refusal` is the
    safety filter's, `model_context_window_exceeded` is a cut nobody asked for.
    """
    match message:
        case {"type": "error"} | {"error": dict() | str()}:
            raise Unfit("error")
        case {"content": list(blocks), "stop_reason": str(word)} if all(map(_is_block, blocks)):
            pass
        case {"content": list(), "stop_reason": None}:
            raise Unfit("cut")
        case _:
            raise Unfit("malformed")
    if not isinstance(message.get("usage"), dict | None):
        raise Unfit("malformed")
    if word != "max_tokens" and word not in _FINISHED:
        raise Unfit(word.replace("_", "-"))
    if not any(map(_says_something, blocks)):
        raise Unfit("empty")
    if word == "max_tokens":
        return "length"
    return "live-tools" if any(map(_is_made_by_the_server, blocks)) else ""


def tokens(message: dict[str, Json]) -> int:
    """Prompt (cached or not) and completion tokens, 0 where the answer does not say."""
    usage = message.get("usage")
    if not isinstance(usage, dict):
        return 0
    names = (
        "input_tokens",
        "cache_creation_input_tokens",
        "cache_read_input_tokens",
        "output_tokens",
    )
    counts = (usage.get(name) for name in names)
    return sum(count for count in counts if isinstance(count, int) and count > 0)


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []


def _is_run_by_the_server(tool: Json) -> bool:
    return isinstance(tool, dict) and str(tool.get("type")).startswith(_SERVER_TOOLS)


def _is_tool_result(block: Json) -> bool:
    return isinstance(block, dict) and str(block.get("type")).endswith("tool_result")


def _is_made_by_the_server(block: dict[str, Json]) -> bool:
    kind = str(block["type"])
    return kind.endswith("_tool_result") or kind in ("server_tool_use", "mcp_tool_use")


def _is_block(block: Json) -> bool:
    return isinstance(block, dict) and isinstance(block.get("type"), str)


def _says_something(block: dict[str, Json]) -> bool:
    if block["type"] in _NO_ANSWER:
        return False
    return is_filled(block.get("text")) if block["type"] == "text" else True
