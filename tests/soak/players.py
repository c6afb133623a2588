"""An upstream that fails some questions now and then, and clients that ask, read, and leave."""

from __future__ import annotations

import http.client
import json
import random
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from tests.end_to_end import http2
from tests.end_to_end.clients import CHAT, HEADERS
from tests.end_to_end.upstream import Answer, Call, chat_answer, question, stream_answer
from tests.soak import questions
from tests.soak.houses import House
from tests.soak.ledger import Ledger, Request
from tests.soak.questions import CUT, ERROR

KEYS = ("Bearer one", "Bearer two", "Bearer three")
LEAVE = 0.15
"""Of all calls are left in the middle."""


class Slowly:
    """Between two frames."""

    def __init__(self, chance: random.Random) -> None:
        self._pause_s = chance.choice((0.0, 0.0, 0.005, 0.03))

    def acquire(self, timeout: float) -> bool:
        time.sleep(self._pause_s)
        return True


def upstream(ledger: Ledger, chance: random.Random) -> Callable[[Call], Answer]:
    """What answers each call (`Upstream.answer`)."""

    def answer(call: Call) -> Answer:
        body = json.loads(call.body)
        asked = questions.of(body["messages"][0]["content"])
        text = ledger.give((call.headers["authorization"], asked))
        time.sleep(chance.choice((0.0, 0.0, 0.01, 0.1)))
        fails = chance.random() < 0.5
        if asked.trouble == ERROR and fails:
            return Answer(status=chance.choice((429, 500, 503)), frames=(b'{"error": {}}',))
        if body.get("stream"):
            words = [f"{word} " for word in text.split(" ")]
            drip: object = Slowly(chance)
            made = stream_answer([*words[:-1], words[-1].rstrip()], drip=drip)
        else:
            made = chat_answer(text)
        if asked.trouble == CUT and fails:
            return replace(made, frames=made.frames[: len(made.frames) // 2], ending="cut")
        return made

    return answer


class Player:
    """One client after another of a proxy, until it is told to stop."""

    def __init__(self, house: House, ledger: Ledger, seed: int) -> None:
        self._house = house
        self._ledger = ledger
        self._chance = random.Random(seed)
        self._name = seed

    def play(self, is_over: threading.Event) -> None:
        number = 0
        while not is_over.is_set():
            with self._house.client() as client:
                for _ in range(self._chance.randrange(1, 12)):
                    number += 1
                    if is_over.is_set() or not self._ask(client, number):
                        break

    def _ask(self, client: object, number: int) -> bool:
        """One call; False where the connection is of no more use."""
        chance = self._chance
        asked = self._house.draw(chance, f"{self._name}-{number}")
        request = (chance.choice(KEYS), asked)
        is_stream = chance.random() < 0.5
        body = question(asked.text, **({"stream": True} if is_stream else {}))
        try:
            if chance.random() < 0.1:
                return self._ask_h2(request, body, is_stream)
            return self._read(client, request, body, is_stream)
        except TimeoutError:
            self._ledger.waited(request, is_stream=is_stream)
        except (OSError, http.client.HTTPException, StopIteration) as error:
            self._ledger.cut(request, f"{type(error).__name__}: {error}")
        return False

    def _read(self, client: object, request: Request, body: bytes, is_stream: bool) -> bool:
        opened = client.open(body, Authorization=request[0])  # type: ignore[attr-defined]
        with opened as response:
            if self._chance.random() < LEAVE:
                response.read(self._chance.randrange(400))
                self._ledger.count("clients that left")
                return False
            said, status = response.read(), response.headers["cache-status"] or ""
            self._ledger.told(request, response.status, said, status, is_stream=is_stream)
        return True

    def _ask_h2(self, request: Request, body: bytes, is_stream: bool) -> bool:
        with self._house.client().tls("h2") as tunnel:
            client = http2.Client(tunnel, self._house.authority)
            headers = {**HEADERS, "Authorization": request[0], "Accept-Encoding": "identity"}
            stream = client.ask("POST", CHAT, body, headers)
            if self._chance.random() < LEAVE:
                client.reset(stream)
                self._ledger.count("clients that left")
                return True
            heard = client.whole(stream)
            code, status = int(heard.headers[":status"]), heard.headers.get("cache-status") or ""
            self._ledger.told(request, code, bytes(heard.body), status, is_stream=is_stream)
        return True
