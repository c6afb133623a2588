"""Prints docs/providers.md: what is spoken, what is kept, what passes. `make docs` writes it.

The hosts come from `khazad_mitm.wire.hosts`, the formats from `khazad_mitm.wire.PROVIDERS`; what
cannot be read from code is said here. `tests/test_providers_page.py` compares.
"""

from __future__ import annotations

from dataclasses import dataclass

from khazad_mitm.wire import PROVIDERS
from khazad_mitm.wire.hosts import KNOWN


@dataclass(frozen=True)
class Format:
    """What the page says of one provider file."""

    title: str
    endpoints: str
    framings: str
    exact_only: tuple[str, ...]
    """Words of `WHY`."""
    notes: str
    bypass: tuple[str, ...] = ()
    """Words of `WHY`."""


# The words of `Cache-Status: ...; detail="exact-only WORD"` and `fwd=bypass; detail="WORD"`.
WHY = {
    "tool-result": "the last turn brings the result of a tool: the model's next step, no question",
    "assistant-last": "the last turn is the assistant's, to be continued word by word",
    "no-text": "the last turn has no text (an image alone, say)",
    "no-question": "the last turn is not the user's",
    "n": "several answers were asked for",
    "live-tools": "a tool looks things up, in the web or in files: true for these words, today",
    "length": "the answer was cut by the caller's own token limit, which is in the key",
}

FORMATS: dict[str, Format] = {}

HEAD = """\
# What is spoken, what is kept, what passes

<!-- printed by `make docs` from scripts/providers_page.py and khazad_mitm/wire; do not edit -->

A request is recognised by its path and the shape of its body, on any host. The host decides one
thing: whether the proxy may open the TLS to look (the table at the end, or the option `hosts`).

Kept is a complete `200` and nothing else: the terminal event was seen, everything begun was
finished, no error is in it, something is said. Never kept: errors, cut streams, answers that a
filter touched, refusals by safety rules, `incomplete` and `failed` endings, finish words that
nobody documents. A repeat in the same framing gets the original bytes; in the other framing the
provider's own frames are made from the answer.

An answer serves questions *of the same meaning* only where the last turn is a user's text and
nothing else could tell two requests apart. Everything else is for exact repeats. The words stand in
`Cache-Status`:

"""

FOOT_HOSTS = """\

## Hosts

Their TLS is opened. What such a host serves beside these formats (files, batches, models, audio,
images, realtime ...) passes as it is.

| host | speaks | the model stands |
| --- | --- | --- |
"""


def page() -> str:
    parts = [HEAD, "| word | what it means |\n| --- | --- |\n"]
    parts += [f"| `{word}` | {meaning} |\n" for word, meaning in WHY.items()]
    parts.append("\n## Formats\n\n| format | endpoints | framings |\n| --- | --- | --- |\n")
    names = [provider.name for provider in PROVIDERS]
    parts += [
        f"| [`{name}`](#{name}) | {FORMATS[name].endpoints} | {FORMATS[name].framings} |\n"
        for name in names
    ]
    for name in names:
        said = FORMATS[name]
        parts.append(f"\n### {name}\n\n{said.title}. {said.notes}\n")
        parts.append(f"\n- Exact repeats only: {_words(said.exact_only)}.\n")
        if said.bypass:
            parts.append(f"- Neither looked up nor kept: {_words(said.bypass)}.\n")
    parts.append(FOOT_HOSTS)
    for host in KNOWN:
        stands = f"after `{host.model_in_path}/`" if host.model_in_path else "in the body"
        speaks = ", ".join(host.speaks.split())
        parts.append(f"| `{host.pattern}` | {speaks} | {stands} |\n")
    return "".join(parts)


def _words(words: tuple[str, ...]) -> str:
    return ", ".join(f"`{word}`" for word in words)


if __name__ == "__main__":
    print(page(), end="")
