"""An upstream that fails some questions now and then, and clients that ask, read, and leave."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from dataclasses import replace

from tests.end_to_end import http2
from tests.end_to_end.clients import CHAT, HEADERS
from tests.end_to_end.proxies import Proxy
from tests.end_to_end.upstream import Answer, Call, chat_answer, question, stream_answer
from tests.soak.ledger import Ledger, Request

KEYS = ("Bearer one", "Bearer two", "Bearer three")
HOT = 10
"""Questions that are asked again and again; as many are asked once."""
CUT, ERROR = "cut", "error"
"""What the upstream does to questions of that name, half of the time."""


class Slowly:
    """Between two frames."""

    def __init__(self, chance: random.Random) -> None:
        self._pause_s = chance.choice((0.0, 0.0, 0.005, 0.03))

    def acquire(self, timeout: float) -> bool:
        time.sleep(self._pause_s)
        return True


def upstream(ledger: Ledger, chance: random.Random) -> object:
    """What answers each call (`Upstream.answer`)."""

    def answer(call: Call) -> Answer:
        body = json.loads(call.body)
        asked = body["messages"][0]["content"]
        text = ledger.give((call.headers["authorization"], asked))
        time.sleep(chance.choice((0.0, 0.0, 0.01, 0.1)))
        fails = chance.random() < 0.5
        if asked.startswith(ERROR) and fails:
            return Answer(status=chance.choice((429, 500, 503)), frames=(b'{"error": {}}',))
        if body.get("stream"):
            words = [f"{word} " for word in text.split(" ")]
            made = stream_answer([*words[:-1], words[-1].rstrip()], drip=Slowly(chance))
        else:
            made = chat_answer(text)
        if asked.startswith(CUT) and fails:
            return replace(made, frames=made.frames[: len(made.frames) // 2], ending="cut")
        return made

    return answer


class Player:
    """One client after another, until it is told to stop."""

    def __init__(self, proxy: Proxy, ledger: Ledger, seed: int) -> None:
        self._proxy = proxy
        self._ledger = ledger
        self._chance = random.Random(seed)
        self._name = seed

    def play(self, is_over: threading.Event) -> None:
        number = 0
        while not is_over.is_set():
            with self._proxy.client() as client:
                for _ in range(self._chance.randrange(1, 12)):
                    number += 1
                    if is_over.is_set() or not self._ask(client, number):
                        break

    def _ask(self, client: object, number: int) -> bool:
        """One call; False where the connection is of no more use."""
        chance = self._chance
        kind = chance.choice(("", "", "", CUT, ERROR))
        hot = chance.randrange(HOT)
        asked = f"{kind} {hot}" if chance.random() < 0.7 else f"{kind} {self._name}-{number}"
        request = (chance.choice(KEYS), asked)
        is_stream = chance.random() < 0.5
        body = question(asked, **({"stream": True} if is_stream else {}))
        try:
            if chance.random() < 0.1:
                return self._ask_h2(request, body, is_stream)
            return self._read(client, request, body, is_stream)
        except TimeoutError:
            self._ledger.waited(request, is_stream=is_stream)
        except (OSError, http.client.HTTPException, StopIteration) as error:
            may = asked.startswith(CUT)
            self._ledger.failed(request, f"{type(error).__name__}: {error}", may=may)
        return False

    def _read(self, client: object, request: Request, body: bytes, is_stream: bool) -> bool:
        opened = client.open(body, Authorization=request[0])  # type: ignore[attr-defined]
        with opened as response:
            if self._chance.random() < 0.15:
                response.read(self._chance.randrange(400))
                self._ledger.count("clients that left")
                return False
            said = response.read()
            self._told(request, response.status, said, response.headers["cache-status"], is_stream)
        return True

    def _ask_h2(self, request: Request, body: bytes, is_stream: bool) -> bool:
        with self._proxy.client().tls("h2") as tunnel:
            client = http2.Client(tunnel, "api.openai.com")
            headers = {**HEADERS, "Authorization": request[0], "Accept-Encoding": "identity"}
            stream = client.ask("POST", CHAT, body, headers)
            if self._chance.random() < 0.15:
                client.reset(stream)
                self._ledger.count("clients that left")
                return True
            heard = client.whole(stream)
            status, said = heard.headers.get("cache-status"), bytes(heard.body)
            self._told(request, int(heard.headers[":status"]), said, status, is_stream)
        return True

    def _told(
        self, request: Request, code: int, body: bytes, cache_status: str | None, is_stream: bool
    ) -> None:
        if code == 200:
            self._ledger.served(request, body, cache_status or "", is_stream=is_stream)
        else:
            may = request[1].startswith((CUT, ERROR))
            self._ledger.failed(request, f"status {code}", may=may)
