"""Routes, reasons and a verifier at work in real proxies, with the bundled model."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end import proxies
from tests.end_to_end.conftest import Start
from tests.end_to_end.proxies import SETTINGS
from tests.end_to_end.upstream import question

# On a busy machine the model may take its time, and this is not about that.
UNHURRIED = {"embed_deadline_ms": "60000", "verifier_deadline_ms": "60000"}
COMPARING = {**SETTINGS, **UNHURRIED, "mode": "cache"}

ASKED = question("What is the capital of France?")
PARAPHRASE = question("what is the capital of France")

ROUTES = """
- host: api.openai.com
  threshold: 0.8
- tag: careful
  mode: exact
"""


@pytest.mark.parametrize("kind", [proxies.mitmdump, proxies.engine])
def test_what_is_refused_says_why(kind: Start, start: Start, tmp_path: Path) -> None:
    (tmp_path / "checks.py").write_text("def same(pair):\n    return '?' in pair.asked\n")
    (tmp_path / "routes.yaml").write_text(ROUTES)
    settings = {
        **COMPARING, "threshold": "1", "routes": "routes.yaml", "verifier": "checks:same",
    }  # fmt: skip
    proxy = start(kind, settings=settings).wait()
    with proxy.client() as client:
        # Kept with its vector, so that the model has been read.
        client.ask(ASKED)
        proxy.wait_until(stored=1)
        said = [
            client.ask(body, **headers).cache_status
            for body, headers in (
                (question("What is the capital of France ?"), {}),
                (PARAPHRASE, {}),
                (question("What is the capital of France??"), {"X-Khazad-Tag": "careful"}),
                (question("What is the weather in France today?"), {}),
            )
        ]

    assert 'detail="semantic ' in said[0]
    assert "refused verifier" in said[1]
    assert ["exact-only mode", "exact-only moment"] == [
        status.partition('detail="')[2].rstrip('"') for status in said[2:]
    ]


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"routes": "routes.yaml"}, "khazad_routes: routes.yaml, line 2: tresold: no such name"),
        ({"verifier": "checks:other"}, "verifier: 'checks:other' cannot be imported"),
        ({"guards_off": "ordr"}, "khazad_guards_off: 'ordr' is no guard"),
        ({"verifier_margin": "0.1"}, "verifier_margin: 0.1 without a verifier"),
    ],
)
def test_what_cannot_work_ends_mitmdump_with_a_message(
    settings: dict[str, str], complaint: str, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "routes.yaml").write_text("- host: a\n  tresold: 0.9\n")
    proxy = start(proxies.mitmdump, settings={**COMPARING, **settings})

    assert 1 == proxy.ended()
    assert complaint in "\n".join(proxy.log)
