from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from khazad_mitm.cache.routes import Route
from khazad_mitm.errors import ConfigError
from khazad_mitm.route_file import SETTINGS, read
from khazad_mitm.settings import from_mapping

WHOLE = """
# The help desk may be answered in other words.
- host: "*.OpenAI.com"
  path: /v1/chat/*
  model: gpt-4o*
  profile: faq
  threshold: 0.88
  ttl: none
  guards_off: [order, retry]
  tenant: shared

- tag: exact
  mode: off
- tag: internal
  trust_tag: true
  guards_off: order, figures
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "routes.yaml"


def read_text(file: Path, text: str) -> Any:
    file.write_text(text)
    return read("routes", str(file))


def test_a_rule_says_where_it_holds_and_what(file: Path) -> None:
    desk, exact, internal = read_text(file, WHOLE)

    assert ("*.openai.com", "/v1/chat/*", "gpt-4o*", "") == (
        desk.host,
        desk.path,
        desk.model,
        desk.tag,
    )
    assert {
        "profile": "faq",
        "threshold": 0.88,
        "ttl": None,
        "guards_off": frozenset({"order", "retry"}),
        "tenant": "shared",
    } == dict(desk.settings)
    assert Route(tag="exact", settings=(("mode", "off"),)) == exact
    assert (True, {"guards_off": frozenset({"order", "figures"})}) == (
        internal.trusts_tag,
        dict(internal.settings),
    )


def test_off_is_no_verifier_and_any_other_word_names_one(file: Path) -> None:
    none, another = read_text(file, "- verifier: off\n- {host: a, verifier: 'mine:same'}\n")

    assert [(("verifier", None),), (("verifier", "mine:same"),)] == [
        none.settings,
        another.settings,
    ]


@pytest.mark.parametrize("name", SETTINGS)
def test_every_setting_that_a_route_may_have_is_one(name: str) -> None:
    assert hasattr(from_mapping({}, environ={}), name)


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("- host: a\n  threshold: 1.2\n", 2, "threshold: 1.2 is not a cosine similarity"),
        ("- host: a\n  tresold: 0.9\n", 2, "tresold: no such name\n\nhint: did you mean threshold"),
        ("- nothing: a\n  ttl: 5\n", 1, "nothing: no such name\n\nhint: names are host"),
        ("- ttl: 5\n- mode: loose\n", 2, "mode: 'loose' is not one of cache, exact"),
        ("- guards_off: [ordr]\n", 1, "guards_off: 'ordr' is no guard\n\nhint: did you mean order"),
        ("- guards_off: {order: 1}\n", 1, "guards_off: not a value"),
        ("- host: a\n", 1, "this rule changes nothing\n\nhint: set any of profile"),
        ("- ttl: 5\n  ttl: 6\n", 2, "ttl stands there twice"),
        ("- host: [a]\n  ttl: 5\n", 1, "host: not a pattern"),
        ("- host: ''\n  ttl: 5\n", 1, "host: not a pattern"),
        ("- threshold:\n", 1, "threshold: no value"),
        ("- ttl: 5\n- tag: a\n  tenant: shared\n", 2, "tenant cannot be set by a tag"),
        ("- verifier:\n", 1, "verifier: no value"),
        ("- tag: a\n  verifier: off\n", 1, "verifier cannot be set by a tag"),
        ("- trust_tag: true\n  ttl: 5\n", 1, "trust_tag without a tag"),
        ("- tag: a\n  trust_tag: maybe\n  ttl: 5\n", 2, "trust_tag: 'maybe' is not one of"),
        ("- ttl: 5\n- here\n", 2, "not a rule"),
        ("host: a\n", 1, "not a list of rules"),
        ("- ttl: [\n", 2, "expected the node content"),
        ("- ttl: 5\n\t- x: 1\n", 2, "found character '\\t'"),
    ],
)
def test_what_is_wrong_is_told_with_file_line_and_hint(
    file: Path, text: str, line: int, message: str
) -> None:
    with pytest.raises(ConfigError) as error:
        read_text(file, text)

    assert str(error.value).startswith(f"routes: {file}, line {line}: ")
    assert message in str(error.value)


@pytest.mark.parametrize("text", ["", "[]", "# nothing\n"])
def test_a_file_without_rules_is_refused(file: Path, text: str) -> None:
    with pytest.raises(ConfigError, match="not a list of rules"):
        read_text(file, text)


def test_a_file_that_cannot_be_read_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match=r"routes\.yaml cannot be read \(No such file"):
        read("routes", str(file))
    file.write_bytes(b"- host: \xff\n")
    with pytest.raises(ConfigError, match=r"routes\.yaml cannot be read"):
        read("routes", str(file))


def test_the_settings_read_it_at_once(file: Path) -> None:
    file.write_text("- ttl: 5\n")

    assert 1 == len(from_mapping({"routes": str(file)}, environ={}).routes)
    with pytest.raises(ConfigError, match=r"^khazad_routes: nowhere\.yaml cannot be read"):
        from_mapping({"routes": "nowhere.yaml"}, prefix="khazad_", environ={})
