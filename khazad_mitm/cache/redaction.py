"""Takes out of texts what is not to be kept, and says where there is any.

What becomes of it is decided in `keeping`: of a prompt less is kept; an answer is kept as it came
or not at all, for what is served must be what the provider said.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from khazad_mitm.cache.sensitive import Look
from khazad_mitm.exchange import Json

# Put in place of what a user's function could not judge: better nothing than too much.
UNJUDGED = "[unjudged]"

logger = logging.getLogger("khazad")


@dataclass(frozen=True, slots=True)
class Redactor:
    """What is looked for. With nothing to look for it finds nothing."""

    looks: tuple[Look, ...] = ()
    hooks: tuple[Callable[[str], str], ...] = ()
    """The user's: what they give back differently held something."""
    stores: bool = True
    """Keep an exchange whose prompt holds something, without that; False: keep nothing of it."""

    def __bool__(self) -> bool:
        return bool(self.looks or self.hooks)

    def text(self, text: str) -> str:
        """The text, with `[email]` and the like in place of what was found."""
        for look in self.looks:
            kept, end = [], 0
            for start, stop in look.spans(text):
                kept += [text[end:start], f"[{look.name}]"]
                end = stop
            text = "".join((*kept, text[end:]))
        for hook in self.hooks:
            text = _hooked(hook, text)
        return text

    def value(self, value: Json) -> Json:
        """The same for every text in a JSON value, names of fields included."""
        match value:
            case str():
                return self.text(value)
            case dict():
                return {self.text(name): self.value(inner) for name, inner in value.items()}
            case list():
                return [self.value(inner) for inner in value]
            case int() if not isinstance(value, bool):
                written = str(value)
                clean = self.text(written)
                return value if clean == written else clean
            case _:
                return value

    def finds(self, value: Json) -> bool:
        """Is there anything in a JSON value?"""
        return bool(self) and any(self.text(text) != text for text in set(_texts(value)))

    def finds_in_body(self, body: bytes) -> bool:
        """The same for a body as it came: JSON, or a stream, whose lines are looked at one by one.

        A text that a stream brings in pieces is seen in the answer that was assembled from it.
        """
        if not self:
            return False
        try:
            return self.finds(json.loads(body))
        except (ValueError, RecursionError):
            return any(self.finds(line) for line in body.decode("utf-8", "replace").splitlines())


def _texts(value: Json) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            yield from value
            for inner in value.values():
                yield from _texts(inner)
        case list():
            for inner in value:
                yield from _texts(inner)
        case int() if not isinstance(value, bool):
            yield str(value)


def _hooked(hook: Callable[[str], str], text: str) -> str:
    try:
        clean = hook(text)
    except Exception as error:  # an edge: a function of the user's may raise anything
        # Its message may quote the text.
        logger.warning("[Khazad] redact failed, the text is not kept: %s", type(error).__name__)
        return UNJUDGED
    return clean if isinstance(clean, str) else UNJUDGED
