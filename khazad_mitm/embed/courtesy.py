"""Embedding lets the application go first.

A vector costs some milliseconds of a whole core. On a machine without a spare one the threads that
make them compete with the application's own, with its event loop above all, which is then late for
everything. So they ask the system for less: it costs nothing where there is a core to spare, and
where there is none a question is compared later, or not at all, and nobody's call is held up.
"""

from __future__ import annotations

import os
import sys
import threading

NICENESS = 10
"""Above the process' own. A tenth of the share of a thread that has not stepped back."""


def step_back() -> None:
    """Take the lower priority for the calling thread, for good; where the system has such a thing.

    Threads that it starts inherit it. On Linux priorities are threads' own, against POSIX.
    """
    if sys.platform != "linux":
        return
    try:
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
    except OSError:
        # A sandbox that forbids it, or no room below.
        pass
