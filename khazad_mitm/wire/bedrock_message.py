"""What a request and an answer in Converse's words mean: Converse itself, and Amazon Nova's own.

Source: service model of bedrock-runtime 2023-09-30 in botocore 1.44, `ConverseRequest`,
`ConverseResponse`; Amazon Nova User Guide, "Complete request schema".
"""

from __future__ import annotations

from khazad_mitm.exchange import Json, Path
from khazad_mitm.wire.said import is_filled
from khazad_mitm.wire.unfit import Unfit

_FINISHED = frozenset({"end_turn", "tool_use", "stop_sequence"})


def is_conversation(body: dict[str, Json]) -> bool:
    """Are there `messages`, each of a role, with blocks of content?"""
    messages = body.get("messages")
    return (
        isinstance(messages, list)
        and bool(messages)
        and all(
            isinstance(turn, dict)
            and isinstance(turn.get("role"), str)
            and isinstance(turn.get("content"), list)
            and all(isinstance(block, dict) for block in turn["content"])
            for turn in messages
        )
    )


def question(body: dict[str, Json]) -> tuple[Path | None, str]:
    """Where the last user text stands, or None and why there is none to compare by meaning."""
    if _has_system_tool(body.get("toolConfig")):
        return None, "live-tools"
    last = len(body["messages"]) - 1
    turn = body["messages"][last]
    blocks = turn["content"]
    match turn["role"]:
        case "assistant":
            return None, "assistant-last"
        case "user" if any("toolResult" in block for block in blocks):
            return None, "tool-result"
        case "user":
            for position in range(len(blocks) - 1, -1, -1):
                match blocks[position]:
                    case {"text": str(text)} if text.strip():
                        return ("messages", last, "content", position, "text"), ""
            return None, "no-text"
        case _:
            return None, "no-question"


def judge(answer: Json) -> str:
    """Why this answer may serve exact repeats only, or "". Raises Unfit where it serves none.

    Besides words for failures there are those of the guardrail and the filter, whose answers are
    not the model's, and `model_context_window_exceeded`, a cut nobody asked for.
    """
    match answer:
        case {"output": {"message": {"content": list(blocks)}}, "stopReason": str(word)}:
            pass
        case {"message": str()} | {"Message": str()} | {"__type": str()} | {"error": dict()}:
            raise Unfit("error")
        case _:
            raise Unfit("malformed")
    if not all(isinstance(block, dict) for block in blocks):
        raise Unfit("malformed")
    if word != "max_tokens" and word not in _FINISHED:
        raise Unfit(word.replace("_", "-"))
    if any(map(_has_failed, blocks)):
        raise Unfit("error")
    if not any(map(_says_something, blocks)):
        raise Unfit("empty")
    if word == "max_tokens":
        return "length"
    return "live-tools" if any(map(_is_made_by_the_server, blocks)) else ""


def tokens(answer: dict[str, Json]) -> int:
    """Prompt (cached or not) and completion tokens, 0 where the answer does not say."""
    match answer.get("usage"):
        case {"totalTokens": int(total)} if total > 0:
            return int(total)
        case {"inputTokens": int(prompt), "outputTokens": int(completion)}:
            return max(0, prompt + completion)  # Nova's own streams have no total
    return 0


def _has_system_tool(config: Json) -> bool:
    """Nova's grounding searches the web, its interpreter works in a sandbox with a clock."""
    match config:
        case {"tools": list(tools)}:
            return any(isinstance(tool, dict) and "systemTool" in tool for tool in tools)
    return False


def _has_failed(block: dict[str, Json]) -> bool:
    match block:
        case {"image": {"error": _}} | {"audio": {"error": _}} | {"video": {"error": _}}:
            return True
    return False


def _says_something(block: dict[str, Json]) -> bool:
    return is_filled({kind: said for kind, said in block.items() if kind != "reasoningContent"})


def _is_made_by_the_server(block: dict[str, Json]) -> bool:
    match block:
        case {"toolResult": _} | {"toolUse": {"type": "server_tool_use"}}:
            return True
        case {"citationsContent": {"citations": list(citations)}}:
            return any(map(_is_of_the_web, citations))
    return False


def _is_of_the_web(citation: Json) -> bool:
    match citation:
        case {"location": {"web": _}}:
            return True
    return False
