"""mitmproxy's options, each asked for once until one of them changes.

They check and copy a value whenever it is read, and layers read a dozen for each request.
"""

from __future__ import annotations

from typing import Any


class Remembered:
    """The options of a master, for those who only read them."""

    def __init__(self, options: Any) -> None:
        self._options = options
        self._known: dict[str, Any] = {}
        options.changed.connect(self._forget)

    def are(self, options: Any) -> bool:
        """Are these the options that are remembered here?"""
        return options is self._options

    def _forget(self, updated: set[str]) -> None:  # mitmproxy's name for it
        self._known.clear()

    def __getattr__(self, name: str) -> Any:
        if name not in self._known:
            self._known[name] = getattr(self._options, name)
        return self._known[name]

    def __contains__(self, name: str) -> bool:
        return name in self._options
