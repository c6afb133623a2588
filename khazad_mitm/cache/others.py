"""What this process tells other workers, and hears from them, while its callers go on: the flights
that it still leads, the streams that others read along, and those that it reads.

Each on a thread of its own. The calls know nothing of it: a store that does not answer costs other
workers their waiting, and one more call each, and this one nothing.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from functools import partial
from typing import Protocol

from khazad_mitm.cache import drive
from khazad_mitm.cache.commands import Steps
from khazad_mitm.cache.parts import Parts
from khazad_mitm.cache.publications import published
from khazad_mitm.cache.renewer import LAST_S, Renewer
from khazad_mitm.cache.subscriptions import heard
from khazad_mitm.errors import CacheUnavailable, tell

logger = logging.getLogger("khazad")


class Others:
    """The threads of one process."""

    def __init__(self, parts: Parts) -> None:
        self._flights = parts.flights
        self._renewer = Renewer(parts)
        ours, theirs = parts.flights.publications, parts.flights.subscriptions
        self._publisher = Watch(parts, ours, partial(published, ours), "publish")
        self._subscriber = Watch(parts, theirs, partial(heard, theirs), "subscribe")

    def close(self) -> None:
        """Idempotent."""
        # All are told before any is waited for.
        for some in (self._flights.publications, self._flights.subscriptions):
            some.close()
        for one in (self._renewer, self._publisher, self._subscriber):
            one.close()


class Some(Protocol):
    """Streams."""

    def wait(self) -> bool:
        """Block until it is time to look after them; False once it is closed."""
        ...

    def failed(self) -> None:
        """The store did not obey."""
        ...

    def close(self) -> None: ...


class Watch:
    """Looks after some streams whenever they say that it is time to, on a daemon thread."""

    def __init__(
        self, parts: Parts, some: Some, look: Callable[[], Steps[None]], name: str
    ) -> None:
        """`look()`: once, at all of them."""
        self._parts = parts
        self._some = some
        self._look = look
        self._thread = threading.Thread(target=self._work, name=f"khazad-{name}", daemon=True)
        self._thread.start()

    def look(self) -> None:
        """Once."""
        try:
            obey = partial(drive.obey, self._parts, drive.nobody())
            drive.run(self._look(), obey)
        except CacheUnavailable:
            self._some.failed()
        except Exception:  # an edge: a mistake of ours costs a stream, never the thread
            tell(logger, "[Khazad] streams could not be shared with other workers", logging.ERROR)
            self._some.failed()

    def close(self) -> None:
        """Idempotent."""
        self._some.close()
        self._thread.join(LAST_S)

    def _work(self) -> None:
        while self._some.wait():
            self.look()
        # What was begun ends.
        self.look()
