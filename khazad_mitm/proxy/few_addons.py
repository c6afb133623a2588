"""Takes some of mitmproxy's addons without loading all of them.

Importing any one runs `mitmproxy/addons/__init__.py`, which imports all 31, and with them Flask,
LDAP, a password library and a grammar of flow filters: most of the time a proxy takes to start.
Here the package is put in place unexecuted. Its modules are imported by name as ever; whoever asks
it for something else, such as `default_addons`, has it executed then and finds what he would have.
"""

from __future__ import annotations

import importlib.util
import sys
from importlib import import_module
from typing import Any

_PACKAGE = "mitmproxy.addons"


def install() -> None:
    """To be called before anything imports the package, else without effect. Idempotent."""
    if _PACKAGE in sys.modules:
        return
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or spec.loader is None:
        return
    package = importlib.util.module_from_spec(spec)
    execute = spec.loader.exec_module

    def look_up(name: str) -> Any:
        # What the import system asks of every module, whether there or not.
        if name.startswith("__"):
            raise AttributeError(name)
        if importlib.util.find_spec(f"{_PACKAGE}.{name}") is not None:
            return import_module(f"{_PACKAGE}.{name}")
        del package.__dict__["__getattr__"]
        execute(package)
        return getattr(package, name)

    # PEP 562
    package.__dict__["__getattr__"] = look_up
    sys.modules[_PACKAGE] = package
    # As an import would have done.
    sys.modules["mitmproxy"].addons = package  # type: ignore[attr-defined]
