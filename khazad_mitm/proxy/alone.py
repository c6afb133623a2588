"""What a process may do that is a proxy and nothing else: Python is set up for its event loop.

Both are the interpreter's own settings, and so none of ours in a program of a user's.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager

# A thread that computes (keeping answers: 8 ms for 1,000 frames) gives way after so long, where
# Python has 5 ms. The event loop lets go of the interpreter at each system call, some five of them
# for each event of a stream, and waits so long each time.
SWITCH_INTERVAL_S = 0.0005


@contextmanager
def alone() -> Iterator[None]:
    """While the proxy runs; afterwards all is as it was."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        yield
    finally:
        sys.setswitchinterval(before)
        gc.unfreeze()


def settle() -> None:
    """What is there by now stays: modules, the model. Garbage is no longer looked for in it.

    A full collection stopped everything for 70 to 100 ms, some 100,000 objects, once in 50,000
    events of streams.
    """
    gc.collect()
    gc.freeze()
