"""Tells when a module is first imported, without importing it.

The libraries to patch may be imported long after `khazad.init()`, or never. Importing them early
would cost their start-up time, and `httpx2.alias_httpx()` refuses to work once httpx is loaded.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Collection, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType

logger = logging.getLogger("khazad")


class ImportWatcher(MetaPathFinder):
    """A finder that finds what the others find, and calls back once the module has run.

    `on_import` is called with the finished module, in the importing thread, under its import lock.
    """

    def __init__(self, names: Collection[str], on_import: Callable[[ModuleType], None]) -> None:
        self._names = frozenset(names)
        self._on_import = on_import

    def install(self) -> None:
        if self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def remove(self) -> None:
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in self._names:
            return None
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is self or find_spec is None:
                continue
            spec: ModuleSpec | None = find_spec(name, path, target)
            if spec is not None:
                self._watch(spec)
                return spec
        return None

    def _watch(self, spec: ModuleSpec) -> None:
        loader = spec.loader
        execute = getattr(loader, "exec_module", None)
        if loader is None or execute is None:
            return

        def exec_module(module: ModuleType) -> None:
            execute(module)
            # A zip archive's loader is shared by the modules in it.
            if module.__name__ in self._names:
                self._on_import(module)

        try:
            # On the loader itself, not in a wrapper around it: resources, source lines and
            # pickles of the module are asked of `module.__loader__`.
            loader.exec_module = exec_module  # type: ignore[method-assign]
        except AttributeError:
            logger.warning("[Khazad] %s cannot be watched: import it before init()", spec.name)
