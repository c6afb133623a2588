"""What was made of the latest requests, for those that are sent again to the byte.

A repeat is what a cache is asked for most, and half of what an exact hit costs is reading the
request and making its keys once more. Nothing of the answer is in here: what is stored, who was
accepted and what time it is are asked anew each time.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Generic, TypeVar

from khazad_mitm.cache import policy
from khazad_mitm.messages import Request

MOST = 256
MAX_BYTES = 16 * 1024
"""Of a body. With what is read from it some 16 MB at the very most."""

T = TypeVar("T")


class Recent(Generic[T]):
    """A function of a request, remembered. Thread-safe."""

    def __init__(self, read: Callable[[Request], T]) -> None:
        self._read = read
        self._remembered = lru_cache(MOST)(read)

    def __call__(self, request: Request) -> T:
        # One that is coded may be of any size once it is unpacked.
        if len(request.body) > MAX_BYTES or policy.may_take_long(request):
            return self._read(request)
        return self._remembered(request)

    def clear(self) -> None:
        self._remembered.cache_clear()
