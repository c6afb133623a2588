"""Play the core as a script: feed its commands, look at what it asks and returns. No mocks."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from khazad_mitm.cache import keeping
from khazad_mitm.cache.commands import Command, IsAccepted, Steps
from khazad_mitm.cache.lookup import lookup as lookup_of_prepared
from khazad_mitm.cache.prepared import prepare
from khazad_mitm.cache.rules import Rules
from khazad_mitm.exchange import (
    Answer,
    Bypass,
    Entry,
    Framing,
    Miss,
    Neighbour,
    Outcome,
    ParsedRequest,
    Unkept,
)
from khazad_mitm.messages import Headers, Request, Response

NOW = 1_000_000.0
RULES = Rules(secret=b"s" * 32, embedding_model="test-model")
VECTOR = np.array([1.0, 0.0], dtype=np.float32)


@dataclass(frozen=True)
class Echo:
    """The smallest provider: the answer is the body."""

    name: str = "echo"

    def recognise(self, request: Request) -> ParsedRequest | None:
        return None

    def assemble(self, body: bytes, parsed: ParsedRequest) -> Answer | Unkept:
        return Answer(body) if body.startswith(b"{") else Unkept("cut")

    def replay(self, answer: bytes, parsed: ParsedRequest) -> Iterator[bytes]:
        yield b"data: "
        yield answer

    def content_type(self, parsed: ParsedRequest) -> str:
        return "text/event-stream" if parsed.framing.is_stream else "application/json"


def asked(
    *turns: Any,
    url: str = "https://api.example.com/v1/chat",
    headers: dict[str, str] | None = None,
    model: str = "m",
    framing: Framing | None = None,
    exact_only: str = "",
    spellings: tuple[str, ...] = (),
    **fields: Any,
) -> ParsedRequest:
    """A parsed request whose turns are texts of user and assistant by turns, or dicts as given."""
    roles = ("user", "assistant")
    messages = [
        t if isinstance(t, dict) else {"role": roles[i % 2], "content": t}
        for i, t in enumerate(turns)
    ]
    body = {"model": model, "messages": messages, **fields}
    if framing is not None and framing.is_stream:
        body["stream"] = True
    credential = {"authorization": "Bearer one"}
    request = Request.to(
        url, json.dumps(body).encode(), Headers((credential | (headers or {})).items())
    )
    return ParsedRequest(
        provider=Echo(),
        request=request,
        resource=request.target,
        model=model,
        framing=framing or Framing("json"),
        body=body,
        spellings=spellings,
        question=None if exact_only else ("messages", len(messages) - 1, "content"),
        exact_only=exact_only,
    )


def jwt(signature: str = "c2ln", **claims: Any) -> str:
    def part(value: Any) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    return f"{part({'alg': 'RS256'})}.{part(claims)}.{signature}"


def entry(question: str | None = "hello", **fields: Any) -> Entry:
    known: dict[str, Any] = {
        "id": "0" * 32,
        "provider": "echo",
        "model": "m",
        "status": 200,
        "headers": Headers([("Content-Type", "application/json")]),
        "answer": b"{}",
        "original": b"{}",
        "framing": Framing("json"),
        "stored_at": NOW - 10,
        "expires_at": NOW + 100,
        "question": question,
        "conversation": "c" * 32,
    }
    return Entry(**(known | fields))


def near(similarity: float, question: str, **fields: Any) -> Neighbour:
    found = entry(question, **fields)
    return Neighbour(found.id, similarity, found)


def lookup(parsed: ParsedRequest, rules: Rules, now: float) -> Steps[Outcome]:
    """The story of a lookup, from the request on."""
    prepared = prepare(parsed, rules)
    if isinstance(prepared, Bypass):
        return prepared
    return (yield from lookup_of_prepared(prepared, now))


def keep(
    miss: Miss, response: Response, answer: Answer, rules: Rules, now: float
) -> Steps[Entry | Unkept]:
    """Judge an answer and keep it, which two threads do one after the other."""
    judged = keeping.judge(miss, response, answer, rules, now)
    if isinstance(judged, Unkept):
        return judged
    yield from keeping.keep(miss, judged)
    return judged.entry


def play(
    steps: Steps[Any], *results: Any, accepted: bool | None = True
) -> tuple[list[Command], Any]:
    """Run a story with these results in order; an exception among them is raised into it.

    Whether a credential was accepted is a question of every lookup: it is answered with `accepted`
    and left out of the commands; None: it is one of them.
    """
    commands: list[Command] = []
    feed = iter(results)
    try:
        commands.append(next(steps))
        while True:
            if accepted is not None and isinstance(commands[-1], IsAccepted):
                commands.pop()
                commands.append(steps.send(accepted))
                continue
            result = next(feed)
            if isinstance(result, Exception):
                commands.append(steps.throw(result))
            else:
                commands.append(steps.send(result))
    except StopIteration as end:
        assert [] == list(feed), "the story asked for less than it was told"
        return commands, end.value


def begun(steps: Steps[Any]) -> Any:
    """Start the story of a caller whose credential was accepted; its first other command."""
    command = next(steps)
    while isinstance(command, IsAccepted):
        command = steps.send(True)
    return command


def kinds(commands: list[Command]) -> list[str]:
    return [type(command).__name__ for command in commands]
