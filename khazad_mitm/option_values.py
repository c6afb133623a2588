"""What a row of the table in `settings` says, and what a value may be: parsers for it.

Each parser takes the label that messages begin with and the value, as text or as its own type, and
gives the checked value or raises a ConfigError that names the bound.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from khazad_mitm.errors import ConfigError
from khazad_mitm.exchange import CacheScope

if TYPE_CHECKING:
    from khazad_mitm.cache.routes import Route
    from khazad_mitm.cache.sensitive import Look

Kind: TypeAlias = Literal["str", "int", "bool", "list"]
"""What a mitmproxy option can carry; other types travel as `str` and are parsed here."""

SWITCH = {"true": True, "on": True, "1": True, "false": False, "off": False, "0": False}
MIN_BYTES = 1_000_000
STORES = ("auto", "embedded", "memory")
STORE_SCHEMES = (
    *("redis://", "rediss://", "unix://", "redis+cluster://", "rediss+cluster://"),
    *("redis+sentinel://", "rediss+sentinel://"),
)


@dataclass(frozen=True, slots=True)
class Option:
    """One row of the table."""

    name: str
    kind: Kind
    default: str
    """As text: what a mitmproxy option, a flag or the README shows."""
    help: str
    parse: Callable[[str, Any], Any]
    """(label for messages, value as str or as its own type) -> value; raises ConfigError."""


def text(label: str, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ConfigError(f"{label}: {value!r} is not a non-empty text")
    return value.strip()


def optional_text(label: str, value: Any) -> str | None:
    return None if value in (None, "") else text(label, value)


def one_of(choices: Iterable[str], *, upper: bool = False) -> Callable[[str, Any], str]:
    known = tuple(choices)

    def parse(label: str, value: Any) -> str:
        given = value.upper() if upper and isinstance(value, str) else value
        if given not in known:
            raise ConfigError(f"{label}: {value!r} is not one of {', '.join(known)}")
        return str(given)

    return parse


def whole(low: int, hint: str = "") -> Callable[[str, Any], int]:
    def parse(label: str, value: Any) -> int:
        try:
            number = int(value) if isinstance(value, str) else value
        except ValueError:
            number = None
        if not isinstance(number, int) or isinstance(number, bool) or number < low:
            raise ConfigError(f"{label}: {value!r} is not a whole number of at least {low}", hint)
        return number

    return parse


def size(label: str, value: Any) -> int:
    """Bytes: a whole number, or one with a unit (`64MB`, `1.5GiB`)."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([kmgt]?)(i?)b?", str(value).strip().lower())
    if found is None or isinstance(value, bool):
        raise ConfigError(f"{label}: {value!r} is no number of bytes", "64MB, 1GiB, or bytes")
    bytes_ = int(float(found[1]) * (1024 if found[3] else 1000) ** " kmgt".index(found[2] or " "))
    if bytes_ < MIN_BYTES:
        raise ConfigError(
            f"{label}: {value!r} is less than {MIN_BYTES} bytes",
            "an answer is kept only where it fits: 64MB, 1GiB",
        )
    return bytes_


def pace(label: str, value: Any) -> float | str:
    """`off`, `recorded`, or tokens per second."""
    if value in ("off", "recorded"):
        return str(value)
    text = str(value).lower().removesuffix("tokens/s").strip()
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if isinstance(value, bool) or not 0.0 < number < float("inf"):
        raise ConfigError(
            f"{label}: {value!r} is no pace",
            "off, recorded (as it came), or tokens per second: 40",
        )
    return number


def switch(label: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    word = str(value).lower()
    if word not in SWITCH:
        raise ConfigError(f"{label}: {value!r} is not one of true, false")
    return SWITCH[word]


def kept_prompts(label: str, value: Any) -> str:
    """`on`, `questions`, `off`; or a switch."""
    if value == "questions":
        return "questions"
    try:
        return "on" if switch(label, value) else "off"
    except ConfigError:
        raise ConfigError(f"{label}: {value!r} is not one of on, questions, off") from None


def threshold(label: str, value: Any) -> float | None:
    if value in (None, ""):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not 0.0 <= number <= 1.0:
        raise ConfigError(
            f"{label}: {value} is not a cosine similarity (expected 0 to 1)",
            "similarities are cosines; a profile brings one (strict, balanced, faq)",
        )
    return number


def budget(label: str, value: Any) -> float | None:
    if value in (None, ""):
        return None
    hint = "0.01 is one wrong hit in a hundred; what is below 0.001 is never proven"
    return _share(label, value, 0.001, 0.5, hint)


def sampled(label: str, value: Any) -> float:
    return _share(label, value, 0.0, 1.0, "0.1 asks again for one hit in ten; 0 for none")


def margin(label: str, value: Any) -> float:
    hint = "0.05 has questions judged later that are up to 0.05 below the threshold"
    return _share(label, value, 0.0, 0.5, hint, "margin")


def _share(
    label: str, value: Any, low: float, high: float, hint: str, what: str = "share"
) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = float("nan")
    if isinstance(value, bool) or not low <= number <= high:
        raise ConfigError(f"{label}: {value} is not a {what} (expected {low:g} to {high:g})", hint)
    return number


def ttl(label: str, value: Any) -> int | None:
    if value is None or (isinstance(value, str) and value.lower() in ("none", "")):
        return None
    seconds = whole(0, "seconds; 0 or none means that entries do not expire")(label, value)
    return seconds or None


def redis_url(label: str, value: Any) -> str:
    url = text(label, value)
    if url not in STORES and not url.startswith(STORE_SCHEMES):
        raise ConfigError(
            # A URL may hold a password: only its scheme is repeated.
            f"{label}: {url.partition('://')[0]!r} is no store we know",
            f"one of {', '.join(STORES)}, or a URL beginning with {', '.join(STORE_SCHEMES)}",
        )
    return url


def nearest(name: str, known: list[str], what: str) -> str:
    """A hint for a name that is not known: the one that was meant, or all there are."""
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {close[0]}?" if close else f"{what} are {', '.join(known)}"


def _names(value: Any) -> list[Any]:
    if value is None:
        return []
    return value.replace(",", " ").split() if isinstance(value, str) else list(value)


def hosts(label: str, value: Any) -> tuple[str, ...]:
    names = _names(value)
    for name in names:
        if not isinstance(name, str) or not name or any(c in name for c in "/: ") or name == "*":
            raise ConfigError(
                f"{label}: {name!r} is not a host name",
                "exact names or *.example.com, without scheme, port or path",
            )
    return tuple(name.lower() for name in names)


def guards_off(label: str, value: Any) -> frozenset[str]:
    from khazad_mitm.cache.moment import REASONS
    from khazad_mitm.cache.verify import GUARDS

    names = _names(value)
    known = [*(guard.name for guard in GUARDS), *REASONS]
    for name in names:
        if name not in known:
            raise ConfigError(f"{label}: {name!r} is no guard", nearest(str(name), known, "guards"))
    return frozenset(names)


def routes(label: str, value: Any) -> tuple[Route, ...]:
    if value in (None, ""):
        return ()
    from khazad_mitm import route_file

    return route_file.read(label, text(label, value))


def redacted(label: str, value: Any) -> tuple[str, ...]:
    from khazad_mitm.cache.sensitive import LOOKS

    names = _names(value)
    for name in names:
        if name != "all" and name not in LOOKS:
            raise ConfigError(
                f"{label}: {name!r} is nothing we look for",
                nearest(str(name), [*LOOKS], "there are"),
            )
    return tuple(LOOKS) if "all" in names else tuple(dict.fromkeys(names))


def redact_file(label: str, value: Any) -> tuple[Look, ...]:
    if value in (None, ""):
        return ()
    from khazad_mitm import redact_file

    return redact_file.read(label, text(label, value))


def cache_scope(label: str, value: Any) -> CacheScope:
    try:
        return CacheScope(value)
    except ValueError:
        raise ConfigError(f"{label}: {value!r} is not one of model, host") from None


def tenant(label: str, value: Any) -> str:
    named = text(label, value)
    if named in ("credential", "shared") or (named.startswith("header:") and len(named) > 7):
        return named
    raise ConfigError(f"{label}: {named!r} is not one of credential, shared, header:NAME")
