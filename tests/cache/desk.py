"""A cache with its parts at hand: in memory, texts of the same letters alike."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np

from khazad_mitm.cache.breaker import Breaker
from khazad_mitm.cache.front import Cache, Wire
from khazad_mitm.cache.parts import Parts
from khazad_mitm.cache.routes import Rulebook
from khazad_mitm.cache.rules import Rules
from khazad_mitm.exchange import Miss, Outcome, ParsedRequest
from khazad_mitm.messages import Headers
from khazad_mitm.store.memory import AsyncMemoryStore, MemoryStore

ANSWER = b'{"answer": 42}'


class Letters:
    """Texts with the same letters are the same to it."""

    model = "letters"
    is_loaded = True

    def load(self) -> None: ...

    def embed_if_fits(self, text: str) -> Any:
        vector = np.zeros(26, dtype=np.float32)
        for letter in text.lower():
            if "a" <= letter <= "z":
                vector[ord(letter) - 97] += 1
        return vector / max(1e-9, float(np.linalg.norm(vector)))


class Desk:
    """A cache with its parts at hand."""

    def __init__(self, routes: Any = (), *, shadow_per_hour: int = 1_000, **rules: Any) -> None:
        self.store = MemoryStore(max_entries=100)
        self.executor = ThreadPoolExecutor(1)
        self.parsed: ParsedRequest | None = None
        parts = Parts(
            store=self.store,
            awaitable_store=AsyncMemoryStore(self.store),
            store_breaker=Breaker("store"),
            store_deadline_s=5,
            embedder=Letters(),
            embed_breaker=Breaker("embedder"),
            embed_executor=self.executor,
            embed_deadline_s=5,
        )
        self.flights = parts.flights
        self.cache = Cache(
            Wire(
                recognise=lambda request: self.parsed and replace(self.parsed, request=request),
                decode=lambda body, coding, limit: None if coding == "odd" else body,
                split=lambda body, parsed: (body[:2], body[2:]),
            ),
            parts,
            Rulebook(Rules(secret=self.store.secret(), **rules), routes),
            self.store,
            allows=lambda host: host == "api.example.com",
            decrypts=lambda host: True,
            shadow_per_hour=shadow_per_hour,
        )

    def ask(self, parsed: ParsedRequest, *, awaiting: bool = False) -> Outcome | None:
        self.parsed = parsed
        if awaiting:
            return asyncio.run(self.cache.look_up_async(parsed.request))
        return self.cache.look_up(parsed.request)

    def answer(self, miss: Outcome | None, body: bytes = ANSWER, **fields: Any) -> None:
        assert isinstance(miss, Miss)
        capture = self.cache.capture(miss)
        capture.feed(body)
        headers = fields.get("headers", Headers([("Content-Type", "application/json")]))
        capture.finish(fields.get("status", 200), headers)
        assert self.cache.drain(5)
