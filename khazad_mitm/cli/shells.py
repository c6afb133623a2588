"""Variables in the words of a shell, of docker, of a workflow. Pure."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from pathlib import PurePath

Variables = Mapping[str, str]


def posix(variables: Variables) -> list[str]:
    """For bash, zsh and every other shell that knows `export`."""
    return [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]


def fish(variables: Variables) -> list[str]:
    # In single quotes fish undoes \\ and \' only.
    return [f"set -gx {name} '{_escaped(value)}'" for name, value in variables.items()]


def powershell(variables: Variables) -> list[str]:
    # Names that differ in case only are one variable on Windows.
    names = {name.upper(): value for name, value in variables.items()}
    return [
        "$env:{} = '{}'".format(name, value.replace("'", "''")) for name, value in names.items()
    ]


def docker(variables: Variables) -> list[str]:
    """Flags of `docker run`, for one command line."""
    return [f"-e {name}={shlex.quote(value)}" for name, value in variables.items()]


def github_actions(variables: Variables) -> list[str]:
    """Lines for `$GITHUB_ENV`, which takes no NODE_OPTIONS."""
    return [f"{name}={value}" for name, value in variables.items() if name != "NODE_OPTIONS"]


SHELLS: dict[str, Callable[[Variables], list[str]]] = {
    "bash": posix,
    "zsh": posix,
    "fish": fish,
    "powershell": powershell,
}


def shell_of(environ: Variables) -> str:
    """The name in `SHELLS` of the shell we were started from, as well as one can tell."""
    name = PurePath(environ.get("SHELL", "")).name
    if not name and "PSModulePath" in environ:
        return "powershell"
    return name if name in SHELLS else "bash"


def _escaped(value: str) -> str:
    return re.sub(r"[\\']", r"\\\g<0>", value)
