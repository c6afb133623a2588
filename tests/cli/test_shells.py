from __future__ import annotations

import shutil
import subprocess

import pytest

from khazad_mitm.cli.shells import SHELLS, docker, github_actions, shell_of

HARD = {"PLAIN": "http://h:1", "HARD": "a 'b' \"c\" $HOME `id` \\ \\\\ ; &"}


@pytest.mark.parametrize("name", ["bash", "zsh", "fish", "powershell"])
def test_a_shell_reads_what_was_meant(name: str) -> None:
    shell = shutil.which("pwsh" if name == "powershell" else name)
    if shell is None:
        pytest.skip(f"no {name} on this machine")
    program = "\n".join([*SHELLS[name](HARD), "printenv HARD"])
    done = subprocess.run(
        [shell, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )

    assert f"{HARD['HARD']}\n" == done.stdout


def test_quotes_are_those_of_the_shell() -> None:
    assert ["export A='it'\"'\"'s'"] == SHELLS["zsh"]({"A": "it's"})
    assert [r"set -gx A 'it\'s \\'"] == SHELLS["fish"]({"A": "it's \\"})
    assert ["$env:A = 'it''s'"] == SHELLS["powershell"]({"A": "it's"})


def test_powershell_knows_a_variable_by_one_name() -> None:
    assert ["$env:HTTP_PROXY = 'p'"] == SHELLS["powershell"]({"HTTP_PROXY": "p", "http_proxy": "p"})


def test_docker_is_given_flags_and_a_workflow_lines() -> None:
    told = {"A": "b c", "NODE_OPTIONS": "--require x"}

    assert ["-e A='b c'", "-e NODE_OPTIONS='--require x'"] == docker(told)
    assert ["A=b c"] == github_actions(told)


@pytest.mark.parametrize(
    ("environ", "shell"),
    [
        ({"SHELL": "/usr/bin/fish"}, "fish"),
        ({"SHELL": "/bin/zsh"}, "zsh"),
        ({"SHELL": "/bin/dash"}, "bash"),
        ({"PSModulePath": "x"}, "powershell"),
        ({}, "bash"),
    ],
)
def test_the_shell_is_told_by_the_environment(environ: dict[str, str], shell: str) -> None:
    assert shell == shell_of(environ)
