from __future__ import annotations

from pathlib import Path

import pytest

from khazad_mitm.errors import ConfigError
from khazad_mitm.record.rules import CassetteRules, read_rules
from tests.record.calls import answer, chat, play, record, replayer

RULES = r"""
ignore: messages[*].id, date_in_system_prompt, tools[0].description
replace:
- {pattern: 'session-(\d)\d*', with: 'session-\1'}
scrub:
- {pattern: 'cust_\d+', with: CUSTOMER}
- {header: X-Customer}
- {field: email}
keep_headers: [X-Scenario]
"""


def rules(folder: Path, text: str) -> CassetteRules:
    (folder / "cassette.yaml").write_text(text)
    return read_rules(folder)


def test_what_a_cassette_declares_is_read(tmp_path: Path) -> None:
    found = rules(tmp_path, RULES)

    assert (("messages", "*", "id"), ("tools", "0", "description")) == found.tolerances.fields
    assert {"date_in_system_prompt"} == found.tolerances.named
    assert '{"email": "SCRUBBED"} CUSTOMER' == found.scrubber.text('{"email": "a@b"} cust_77')
    assert {"x-customer"} == found.scrubber.headers
    assert {"x-scenario"} == found.scrubber.keeps


def test_without_a_file_or_with_an_empty_one_nothing_is_declared(tmp_path: Path) -> None:
    assert CassetteRules() == read_rules(tmp_path) == rules(tmp_path, "# nothing yet\n")


def test_what_matches_when_it_is_recorded_matches_when_it_is_played(tmp_path: Path) -> None:
    rules(tmp_path, RULES)
    record(tmp_path, (chat("in session-17 of cust_1"), answer("for cust_1")))

    assert (200, answer("for CUSTOMER")) == play(
        replayer(tmp_path), chat("in session-19 of cust_2")
    )
    assert 400 == play(replayer(tmp_path), chat("in session-29 of cust_2"))[0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ignored: []", "1: 'ignored' is none of ignore, replace, scrub, keep_headers"),
        ("ignore: [dat_es!]", "1: ignore: 'dat_es!' is neither a field nor one of"),
        ("ignore: 3", "1: ignore: not a list of texts"),
        ("ignore: [messages[*].id]", "hint: YAML takes"),
        ("ignore:\n- a b", "1: ignore: 'a b' is neither a field"),
        ("replace:\n- {pattern: '('}", r"2: replace: '\(' is no regular expression"),
        ("replace:\n- {pattern: 'a', with: '\\1'}", "2: replace: 'a' is no regular expression"),
        ("scrub:\n- {heder: x}", "2: scrub: a rule has a pattern"),
        ("scrub: x", "1: scrub: not a list of rules"),
        ("a: [", ":1|:2"),
        ("- a", "1: the keys are ignore"),
    ],
)
def test_what_cannot_be_is_said_with_file_and_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        rules(tmp_path, text)
