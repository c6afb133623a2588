"""HTTP messages as every room sees them: neutral, frozen, bytes bodies, case-blind headers.

The edges translate their own words (mitmproxy flows, httpx requests) to these and back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

CREDENTIAL_PARAMETERS = frozenset(
    {"key", "api_key", "api-key", "apikey", "access_token", "token", "subscription-key"}
)
"""Of a query, in lower case: who is asking, and no part of what is asked for."""


class Headers:
    """An immutable list of header fields; names compare without case, order and repeats are kept.

    Names and values are `str` in latin-1, as they stand on the wire.
    """

    __slots__ = ("_index", "_items")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        self._items = tuple(items)
        # Made at the first question: a lookup asks for some ten names.
        self._index: dict[str, list[str]] | None = None

    def get(self, name: str) -> str | None:
        """The first value of `name`, or None."""
        values = self._indexed().get(name.lower())
        return values[0] if values else None

    def get_all(self, name: str) -> list[str]:
        return list(self._indexed().get(name.lower(), ()))

    def joined(self, name: str) -> str:
        """All values of a list-typed field as one, "" where there is none (RFC 9110 §5.3)."""
        return ", ".join(self._indexed().get(name.lower(), ()))

    def joined_each(self, names: Iterable[str]) -> list[str]:
        """`joined` of each name; these are lower case."""
        index = self._indexed()
        return [", ".join(index[name]) if name in index else "" for name in names]

    def without(self, *names: str) -> Headers:
        dropped = {name.lower() for name in names}
        return Headers(item for item in self._items if item[0].lower() not in dropped)

    def plus(self, *items: tuple[str, str]) -> Headers:
        return Headers((*self._items, *items))

    def _indexed(self) -> dict[str, list[str]]:
        if self._index is None:
            index: dict[str, list[str]] = {}
            for key, value in self._items:
                index.setdefault(key.lower(), []).append(value)
            self._index = index
        return self._index

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Headers) and self._items == other._items

    def __hash__(self) -> int:
        return hash(self._items)

    def __repr__(self) -> str:
        # Values may be credentials: a repr ends up in logs and tracebacks.
        return f"Headers({[name for name, _ in self._items]})"


@dataclass(frozen=True, slots=True)
class Request:
    """One request, addressed to the authority that is really dialled, whatever `Host` says."""

    method: str
    scheme: str
    host: str
    """Lower case, without port."""
    port: int
    target: str
    """Path and query as sent, beginning with a slash."""
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""
    """As sent: still encoded if the request has a Content-Encoding."""
    sni: str = ""
    """The name the client gave when TLS began, "" where it gave none or we did not see it."""
    is_local: bool = True
    """It came over loopback, or from this very process."""
    proxy_user: str = ""
    """Who has authenticated to the proxy."""

    @property
    def other_names(self) -> tuple[str, ...]:
        """Names under which the server is asked that are not the authority dialled, sorted.

        Servers behind one address tell their sites apart by `Host`, or by the SNI: an answer to
        another name is another site's.
        """
        ours = (self.host, f"{self.host}:{self.port}")
        given = {_ascii_lower(name.strip()) for name in (self.sni, *self.headers.get_all("host"))}
        return tuple(sorted(name for name in given if name and name not in ours))

    @property
    def url(self) -> str:
        """Absolute; the inverse of `to`."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        usual = {"https": 443, "http": 80}.get(self.scheme)
        port = "" if self.port == usual else f":{self.port}"
        return f"{self.scheme}://{host}{port}{self.target}"

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        return self.target.partition("?")[2]

    @classmethod
    def to(
        cls, url: str, body: bytes = b"", headers: Headers | None = None, method: str = "POST"
    ) -> Request:
        """A request to an absolute URL; the edges and the tests build theirs with it."""
        parts = urlsplit(url)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        port = parts.port or (443 if parts.scheme == "https" else 80)
        host = (parts.hostname or "").lower()
        return cls(method, parts.scheme, host, port, target, headers or Headers(), body)


@dataclass(frozen=True, slots=True)
class Response:
    """One whole answer as it stood on the wire; `body` is still encoded."""

    status: int
    headers: Headers
    body: bytes
    marks: tuple[tuple[int, int], ...] = field(default=(), compare=False)
    """How it came: so many bytes, so many milliseconds after it was asked for; () where nobody
    looked."""


def _ascii_lower(name: str) -> str:
    """Host names compare so; `str.lower` would also join names that DNS keeps apart."""
    return name.lower() if name.isascii() else name
