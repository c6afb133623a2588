from __future__ import annotations

import re
from pathlib import Path

import pytest

from khazad_mitm.cli import main
from khazad_mitm.settings import markdown_table

CHECKOUT = Path(__file__).resolve().parents[1]
README = (CHECKOUT / "README.md").read_text()
COMMANDS = re.findall(r"^khazad-mitm (\w+)", README, re.MULTILINE)
TARGETS = re.findall(r"^make (\w+)", README, re.MULTILINE)


def test_the_table_of_options_is_the_one_of_the_settings() -> None:
    printed = re.search(r"<!-- options: .*? -->\n(.*)\n<!-- options end -->", README, re.DOTALL)

    assert printed is not None
    assert markdown_table() == printed[1]


@pytest.mark.parametrize("command", sorted(set(COMMANDS)))
def test_a_command_that_is_shown_is_there(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])

    assert 0 == ended.value.code
    assert f"khazad-mitm {command}" in capsys.readouterr().out


@pytest.mark.parametrize("target", sorted(set(TARGETS)))
def test_a_target_that_is_shown_is_there(target: str) -> None:
    assert re.search(rf"^{target}:.*## ", (CHECKOUT / "Makefile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_a_link_leads_to_a_file(link: str) -> None:
    assert (CHECKOUT / link).is_file()
