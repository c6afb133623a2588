"""One function for each SDK: call it against a URL, give back what its user would see.

A stream is put together the way the SDK itself does it, where it does. What streams and plain
answers name differently is named alike; nothing else is touched.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

MESSAGES: Any = [{"role": "user", "content": "?"}]
LISTS_OF_COHERE = ("content", "tool_calls", "citations")


def openai_chat(url: str, is_stream: bool) -> Any:
    import openai

    with openai.OpenAI(api_key="k", base_url=url, max_retries=0) as client:
        if not is_stream:
            return plain(client.chat.completions.create(model="m", messages=MESSAGES))
        with client.chat.completions.stream(model="m", messages=MESSAGES) as stream:
            for _ in stream:
                pass
            return plain(stream.current_completion_snapshot)


def mistral_chat(url: str, is_stream: bool) -> Any:
    from mistralai.client import Mistral

    whole: dict[str, Any] = {"choices": {}}
    with Mistral(api_key="k", server_url=url) as client:
        if not is_stream:
            return plain(client.chat.complete(model="m", messages=MESSAGES))
        chunks = [plain(event.data) for event in client.chat.stream(model="m", messages=MESSAGES)]
    for said in chunks:
        for choice in said.pop("choices"):
            known = whole["choices"].setdefault(choice["index"], {"message": {"content": []}})
            delta = choice.pop("delta")
            for part in _parts(delta.pop("content", None)):
                _add_part(known["message"]["content"], part)
            _joined(known["message"], delta)
            _joined(known, choice)
        whole.update({name: value for name, value in said.items() if value is not None})
    return {**whole, "choices": [whole["choices"][index] for index in sorted(whole["choices"])]}


def openai_completions(url: str, is_stream: bool) -> Any:
    import openai

    whole: dict[str, Any] = {"choices": {}}
    with openai.OpenAI(api_key="k", base_url=url, max_retries=0) as client:
        if not is_stream:
            return plain(client.completions.create(model="m", prompt="?"))
        stream = client.completions.create(model="m", prompt="?", stream=True)
        chunks = [plain(chunk) for chunk in stream]
    for said in chunks:
        for choice in said.pop("choices"):
            known = whole["choices"].setdefault(choice["index"], {})
            known["text"] = known.get("text", "") + choice.pop("text")
            _joined(known, choice)
        whole.update({name: value for name, value in said.items() if value is not None})
    return {**whole, "choices": [whole["choices"][index] for index in sorted(whole["choices"])]}


def openai_responses(url: str, is_stream: bool) -> Any:
    import openai

    with openai.OpenAI(api_key="k", base_url=url, max_retries=0) as client:
        if not is_stream:
            return plain(client.responses.create(model="m", input="?"))
        with client.responses.stream(model="m", input="?") as stream:
            texts: dict[str, str] = {}
            for event in stream:
                if event.type.endswith(".delta") and isinstance(event.delta, str):
                    part = getattr(event, "content_index", "")
                    place = f"{event.type} {event.output_index} {part}"
                    texts[place] = texts.get(place, "") + event.delta
            return {**plain(stream.get_final_response()), "deltas": texts}


def openai_embeddings(url: str, _is_stream: bool) -> Any:
    import openai

    with openai.OpenAI(api_key="k", base_url=url, max_retries=0) as client:
        return plain(client.embeddings.create(model="m", input="?", encoding_format="float"))


def anthropic_messages(url: str, is_stream: bool) -> Any:
    import anthropic

    asked: Any = {"model": "m", "max_tokens": 9, "messages": MESSAGES}
    with anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as client:
        if not is_stream:
            return plain(client.beta.messages.create(**asked))
        with client.beta.messages.stream(**asked) as stream:
            return plain(stream.get_final_message())


def google_genai(url: str, is_stream: bool) -> Any:
    from google import genai
    from google.genai import types

    options = types.HttpOptions(base_url=url, retry_options=types.HttpRetryOptions(attempts=1))
    with genai.Client(api_key="k", http_options=options) as client:
        if not is_stream:
            return _one_answer([plain(client.models.generate_content(model="m", contents="?"))])
        stream = client.models.generate_content_stream(model="m", contents="?")
        return _one_answer([plain(chunk) for chunk in stream])


def cohere_v2(url: str, is_stream: bool) -> Any:
    import cohere

    with _closing(cohere.ClientV2(api_key="k", base_url=url)) as client:
        if not is_stream:
            return plain(client.chat(model="m", messages=MESSAGES))
        events = [plain(event) for event in client.chat_stream(model="m", messages=MESSAGES)]
    lists: dict[str, dict[int, Any]] = {}
    once: dict[str, Any] = {}
    whole: dict[str, Any] = {}
    for said in events:
        delta = said.get("delta") or {}
        whole.update({name: said[name] for name in ("id", "prompt") if said.get(name)})
        _joined(whole, {"logprobs": [said["logprobs"]]} if said.get("logprobs") else {})
        message = delta.pop("message", None) or {}
        for name in LISTS_OF_COHERE:
            if isinstance(message.get(name), dict):
                item = lists.setdefault(name, {}).setdefault(said.get("index") or 0, {})
                _joined(item, message[name])
        told = {name: value for name, value in message.items() if name not in LISTS_OF_COHERE}
        _joined(once, told)
        whole.update(delta)
    for name, items in lists.items():
        once[name] = [item for _, item in sorted(items.items())]
    return {**whole, "message": once}


def cohere_v1(url: str, is_stream: bool) -> Any:
    import cohere

    with _closing(cohere.Client(api_key="k", base_url=url)) as client:
        if not is_stream:
            return plain(client.chat(message="?"))
        *_, end = [plain(event) for event in client.chat_stream(message="?")]
    return {"finish_reason": end["finish_reason"], **end["response"]}


def ollama_chat(url: str, is_stream: bool) -> Any:
    import ollama

    with closing(ollama.Client(host=url, trust_env=False)) as client:
        if not is_stream:
            return plain(client.chat(model="m", messages=MESSAGES))
        return _ollama(client.chat(model="m", messages=MESSAGES, stream=True))


def ollama_generate(url: str, is_stream: bool) -> Any:
    import ollama

    with closing(ollama.Client(host=url, trust_env=False)) as client:
        if not is_stream:
            return plain(client.generate(model="m", prompt="?"))
        return _ollama(client.generate(model="m", prompt="?", stream=True))


def bedrock_converse(url: str, is_stream: bool) -> Any:
    messages = [{"role": "user", "content": [{"text": "?"}]}]
    with closing(_bedrock(url)) as client:
        if is_stream:
            events = [*client.converse_stream(modelId="m", messages=messages)["stream"]]
        else:
            answer = client.converse(modelId="m", messages=messages)
    if not is_stream:
        for block in answer["output"]["message"]["content"]:
            _join_cited(block)
        return {name: value for name, value in answer.items() if name != "ResponseMetadata"}
    whole: dict[str, Any] = {}
    message: dict[str, Any] = {}
    blocks: dict[int, Any] = {}
    for event in events:
        ((kind, said),) = event.items()
        match kind:
            case "messageStart":
                message = dict(said)
            case "contentBlockStart":
                blocks[said["contentBlockIndex"]] = dict(said["start"])
            case "contentBlockDelta":
                _joined(blocks.setdefault(said["contentBlockIndex"], {}), _as_block(said["delta"]))
            case "messageStop" | "metadata":
                whole.update(said)
    for block in blocks.values():
        if "toolUse" in block:
            block["toolUse"]["input"] = json.loads(block["toolUse"].get("input") or "{}")
        if "citationsContent" in block:
            block["citationsContent"]["content"] = [{"text": block.pop("text", "")}]
    message["content"] = [blocks[index] for index in sorted(blocks)]
    return {**whole, "output": {"message": message}}


def bedrock_invoke(url: str, is_stream: bool) -> Any:
    with closing(_bedrock(url)) as client:
        if not is_stream:
            return json.loads(client.invoke_model(modelId="m", body=b"{}")["body"].read())
        body = client.invoke_model_with_response_stream(modelId="m", body=b"{}")["body"]
        return [json.loads(event["chunk"]["bytes"]) for event in body]


Reader = Callable[[str, bool], Any]


@contextmanager
def _closing(client: Any) -> Iterator[Any]:
    """Cohere's clients cannot be closed themselves."""
    try:
        yield client
    finally:
        client._client_wrapper.httpx_client.httpx_client.close()


def plain(value: Any) -> Any:
    """A model of pydantic, of either of its generations, as data."""
    try:
        return value.model_dump(mode="json", warnings=False)
    except AttributeError:
        return json.loads(value.json())


def _bedrock(url: str) -> Any:
    import boto3
    from botocore.config import Config

    session = boto3.session.Session(
        aws_access_key_id="k", aws_secret_access_key="s", region_name="us-east-1"
    )
    config = Config(retries={"total_max_attempts": 1})
    return session.client("bedrock-runtime", endpoint_url=url, config=config)


def _as_block(delta: dict[str, Any]) -> dict[str, Any]:
    """A delta in the shape of the block it is a part of."""
    reasoning = delta.get("reasoningContent")
    if reasoning and "redactedContent" not in reasoning:
        return {"reasoningContent": {"reasoningText": reasoning}}
    if "toolResult" in delta:
        return {"toolResult": {"content": delta["toolResult"]}}
    if "citation" in delta:
        return {"citationsContent": {"citations": [delta["citation"]]}}
    return delta


def _join_cited(block: dict[str, Any]) -> None:
    """The borders between the texts of one cited passage are lost in a stream."""
    cited = block.get("citationsContent")
    if cited:
        cited["content"] = [{"text": "".join(part["text"] for part in cited["content"])}]


def _ollama(chunks: Any) -> Any:
    whole: dict[str, Any] = {}
    for chunk in chunks:
        said = plain(chunk)
        message = said.pop("message", None)
        if message is not None:
            _joined(whole.setdefault("message", {}), message)
        grows = ("response", "thinking", "logprobs")
        _joined(whole, {name: said.pop(name) for name in grows if name in said})
        whole.update({name: value for name, value in said.items() if value is not None})
    return whole


def _one_answer(chunks: list[Any]) -> Any:
    """Of the chunks of a stream, or of one plain answer: what Google's own SDK leaves to us."""
    whole: dict[str, Any] = {}
    candidates: dict[int, Any] = {}
    for chunk in chunks:
        for candidate in chunk.pop("candidates", None) or []:
            known = candidates.setdefault(candidate.pop("index", None) or 0, {"parts": []})
            for part in (candidate.pop("content", None) or {}).get("parts") or []:
                part = {name: value for name, value in part.items() if value is not None}
                last = known["parts"][-1] if known["parts"] else {}
                is_bare = {*part} <= {"text", "thought"} and {*last} <= {"text", "thought"}
                if last and is_bare and last.get("thought") == part.get("thought"):
                    last["text"] += part["text"]
                elif part != {"text": ""}:
                    known["parts"].append(part)
            for name in ("citation_metadata", "logprobs_result"):
                _joined(known.setdefault(name, {}), candidate.pop(name, None) or {})
            known.update({name: value for name, value in candidate.items() if value is not None})
        whole.update({name: value for name, value in chunk.items() if value is not None})
    return {**whole, "candidates": [candidates[index] for index in sorted(candidates)]}


def _parts(content: Any) -> list[Any]:
    if isinstance(content, str):
        return [{"type": "text", "text": content}] if content else []
    return content or []


def _add_part(parts: list[Any], part: dict[str, Any]) -> None:
    """Mistral's parts go on in the next chunk, text by text."""
    last = parts[-1] if parts else {}
    kind = part["type"]
    if last.get("type") != kind:
        parts.append(part)
    elif kind == "text":
        last["text"] += part["text"]
    else:
        for piece in part[kind]:
            _add_part(last[kind], piece)


def _joined(known: dict[str, Any], said: dict[str, Any]) -> None:
    """Texts are added, lists go on, objects are joined, anything else is replaced."""
    for name, value in said.items():
        before = known.get(name)
        match before, value:
            case _, None:
                known.setdefault(name, None)
            case (str(), str()) if name not in ("role", "type", "id", "finish_reason", "name"):
                known[name] = before + value
            case bytes(), bytes():
                known[name] = before + value
            case list(), list():
                known[name] = before + value
            case dict(), dict():
                _joined(before, value)
            case _:
                known[name] = value
