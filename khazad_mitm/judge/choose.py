"""Which verifier the settings name."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol

from khazad_mitm.cache.parts import Verifier
from khazad_mitm.errors import ConfigError
from khazad_mitm.judge.callables import CallableVerifier

if TYPE_CHECKING:
    from khazad_mitm.judge.callables import PairToBool

HINT = "module:function, cross-encoder:NAME-OR-FOLDER or chat-model:NAME"


class Chosen(Verifier, Protocol):
    threads: int
    """How many may usefully ask it at once."""


def choose(verifier: str | PairToBool) -> Chosen:
    """The verifier by its option, or a function of the user's. Raises ConfigError."""
    if callable(verifier):
        return CallableVerifier(verifier)
    kind, _, name = verifier.partition(":")
    if not kind or not name:
        raise ConfigError(f"verifier: {verifier!r} names nothing", HINT)
    if kind == "cross-encoder":
        from khazad_mitm.judge.cross_encoder import CrossEncoderVerifier

        return CrossEncoderVerifier(name)
    if kind == "chat-model":
        from khazad_mitm.judge.chat_model import ChatModelVerifier

        return ChatModelVerifier(name)
    return CallableVerifier(_imported(kind, name))


def _imported(module: str, name: str) -> Callable[..., Any]:
    # As for a program that is started here. At the end: nothing of ours or Python's is shadowed.
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        found: Any = import_module(module)
        for part in name.split("."):
            found = getattr(found, part)
    except Exception as error:
        # An edge: a module of the user's may fail in any way.
        reason = (str(error).strip().splitlines() or [""])[0]
        raise ConfigError(
            f"verifier: '{module}:{name}' cannot be imported: {type(error).__name__}: {reason}",
            HINT,
        ) from error
    if not callable(found):
        raise ConfigError(f"verifier: '{module}:{name}' is not a function", HINT)
    function: Callable[..., Any] = found
    return function
