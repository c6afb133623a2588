"""Prints docs/clients.md from what `make test-clients` has found.

python -m scripts.clients_page FILE, with one line of JSON per client that was tried, as
tests/end_to_end/test_clients.py writes them.
"""

from __future__ import annotations

import datetime
import json
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.end_to_end.matrix import CLIENTS, Client

HEAD = """\
# Clients

Printed by `make test-clients` from what it found: {date}, {system}, Python {python}. Each client is
the unmodified program of its makers, in a process of its own, with the variables that
`khazad-mitm run` sets. It asks a provider on loopback, under that provider's name and over TLS, one
plain question and one that is streamed, and then both again.

- **TLS**: it has reached the proxy, and trusts it;
- **plain**, **stream**: the answer came through whole;
- **again**: the same two questions were answered with the same, and the provider was not asked.

| language | client | version | TLS | plain | stream | again | beside the variables |
| --- | --- | --- | --- | --- | --- | --- | --- |
"""

STEPS = ("tls", "plain", "stream", "again")

TAIL = """
Not tried here, and expected to work, since they read the same variables: Deno, Bun, Ruby, PHP, .NET
and Rust. [certs/README.md](../certs/README.md) says what each reads. `khazad-mitm doctor` tries the
clients of your machine.
"""


def page(lines: Iterable[str]) -> str:
    """The page; each of `lines` is a result as JSON."""
    results = {(found["language"], found["name"]): found for found in map(json.loads, lines)}
    head = HEAD.format(
        date=datetime.datetime.now(tz=datetime.timezone.utc).date(),
        system=f"{platform.system()} {platform.machine()}",
        python=platform.python_version(),
    )
    rows = [_row(client, results.get((client.language, client.name))) for client in CLIENTS]
    return head + "\n".join(rows) + "\n" + TAIL


def _row(client: Client, found: dict[str, object] | None) -> str:
    told = [client.language, client.package or client.name]
    if found is None:
        told += ["not tried", *[""] * 4]
    else:
        told.append(str(found["version"]))
        told += ["yes" if found[step] else "**no**" for step in STEPS]
    return f"| {' | '.join([*told, client.needs])} |"


if __name__ == "__main__":
    sys.stdout.write(page(Path(sys.argv[1]).read_text().splitlines()))
