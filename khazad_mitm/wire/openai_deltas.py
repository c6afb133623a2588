"""How the fragments of an OpenAI-style stream grow together, whatever fields they have.

Rules by kind of value instead of a list of fields, so that what a provider adds tomorrow is
carried through: strings are appended, objects grow key by key, lists get longer, everything
else is replaced. Knows nothing of chunks, choices and requests.

Source: `accumulate_delta` of the openai package, which every OpenAI-compatible server is tested
against; differences are noted where they stand.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from khazad_mitm.exchange import Json
from khazad_mitm.wire.unfit import Unfit

# Strings that name a thing and are sent whole, by some servers again with every fragment.
# Appending them, as the SDK does with all but `index` and `type`, gives "analysisanalysis".
LABELS = frozenset({"role", "id", "type", "name", "format", "channel", "object", "status"})

# Parts of a content list that arrive in pieces without an index (Mistral's reasoning models).
_FRAGMENTED_PARTS = frozenset({"text", "thinking"})


def grow(old: Json, new: Json, key: str = "") -> Json:
    """`old` with the fragment `new` of the same field `key` added; may change `old` in place.

    Raises Unfit where the two cannot be parts of one value.
    """
    match old, new:
        case _, None:
            return old
        case None, _:
            return new
        case str(), str():
            return (old or new) if key in LABELS else old + new
        case dict(), dict():
            for name, value in new.items():
                old[name] = grow(old.get(name), value, name)
            return old
        case list(), list():
            return _extend(old, new)
        case str(), list():  # Mistral opens with "" and goes on with parts
            return _extend(_as_parts(old), new)
        case list(), str():
            return _extend(old, _as_parts(new))
        case (str() | dict() | list(), _) | (_, str() | dict() | list()):
            raise Unfit("malformed")
        case _:
            return new


def _as_parts(text: str) -> list[Json]:
    return [{"type": "text", "text": text}] if text else []


def _extend(old: list[Json], new: list[Json]) -> list[Json]:
    """Items that continue one of `old` grow it, the others follow. One list never joins itself."""
    earlier = len(old)
    for position, item in enumerate(new):
        target = _continued(old, earlier, item) if isinstance(item, dict) else None
        if target is None and position == 0 and earlier and _is_next_piece(old[-1], item):
            target = old[-1]
        if target is None:
            old.append(item)
        else:
            grow(target, item)
    return old


def _continued(old: list[Json], earlier: int, item: dict[str, Json]) -> Json:
    """The item with the same index and type, as in OpenRouter's `reasoning_details`."""
    index = item.get("index")
    if not isinstance(index, int):
        return None
    for position in range(earlier - 1, -1, -1):
        candidate = old[position]
        if (
            isinstance(candidate, dict)
            and candidate.get("index") == index
            and candidate.get("type") == item.get("type", candidate.get("type"))
        ):
            return candidate
    return None


def _is_next_piece(last: Json, item: Json) -> bool:
    return (
        isinstance(last, dict)
        and isinstance(item, dict)
        and "index" not in item
        and last.get("type") == item.get("type")
        and item.get("type") in _FRAGMENTED_PARTS
    )


@dataclass(slots=True)
class ToolCalls:
    """The tool calls of one message, put together from their fragments."""

    _calls: list[tuple[int, dict[str, Json]]] = field(default_factory=list)
    _by_index: dict[int, dict[str, Json]] = field(default_factory=dict)

    def add(self, fragment: Json) -> None:
        """Raises Unfit where the fragment belongs nowhere."""
        if not isinstance(fragment, dict):
            raise Unfit("malformed")
        index = fragment.pop("index", None)
        if index is None:
            index = self._guess(fragment)
        if type(index) is not int or index < 0:
            raise Unfit("malformed")
        call = self._by_index.get(index)
        if call is None or _is_another(call, fragment):
            call = {}
            self._calls.append((index, call))
            self._by_index[index] = call
        grow(call, fragment)

    def result(self) -> list[Json]:
        """The whole calls, in the order of their indices, which only streams have."""
        return [call for _, call in sorted(self._calls, key=lambda numbered: numbered[0])]

    def _guess(self, fragment: dict[str, Json]) -> int:
        """Servers without indices send whole calls one after another, or go on with the last."""
        if not self._calls:
            return 0
        index, last = self._calls[-1]
        identity = fragment.get("id")
        goes_on = not _name(fragment) or (identity and identity == last.get("id"))
        return index if goes_on else index + 1


def _name(call: dict[str, Json]) -> Json:
    function = call.get("function")
    return function.get("name") if isinstance(function, dict) else None


def _is_another(call: dict[str, Json], fragment: dict[str, Json]) -> bool:
    """A second call under a taken index, from servers that number every parallel call 0.

    An id alone does not tell: some make a new one for every fragment (BerriAI/litellm#28223).
    """
    identity = fragment.get("id")
    return bool(identity and _name(fragment) and call.get("id") and call["id"] != identity)
