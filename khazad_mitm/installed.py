"""Whose `import khazad` is: the original library's distribution has the same import name as ours.

Installed into one environment, whichever came last has overwritten the other's files, and whichever
is uninstalled first takes them away from both.
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import Distribution, distributions
from importlib.util import find_spec
from pathlib import Path

OURS = "khazad-mitm"
IMPORT_NAME = "khazad"
REPAIR = f"pip uninstall -y {{0}} && pip install --force-reinstall --no-deps {OURS}"


def rivals(installed: Iterable[Distribution] | None = None) -> list[str]:
    """Other distributions that own the import name `khazad`: name and version of each.

    Reads every record of what is installed, some 100 ms for a hundred of them.
    """
    found = distributions() if installed is None else installed
    return sorted(
        {
            f"{one.name} {one.version}"
            for one in found
            if _normal(one.name) != OURS and _owns(one, IMPORT_NAME)
        }
    )


def complaint(rivals: list[str]) -> str:
    """What is wrong, and how to mend it; "" where nothing is."""
    if not rivals:
        return ""
    uninstall = " ".join(rival.partition(" ")[0] for rival in rivals)
    return (
        f"installed beside {OURS}, with the same import name `{IMPORT_NAME}`: {', '.join(rivals)};"
        f" each overwrites the other\n\nhint: {REPAIR.format(uninstall)}"
    )


def stranger() -> str:
    """The file that `import khazad` would run, where that is not ours; "" where it is."""
    spec = find_spec(IMPORT_NAME)
    if spec is None or spec.origin is None:
        return "no file"
    # Ours does nothing but reach into the package beside it; an overwritten one does not.
    is_ours = "khazad_mitm" in Path(spec.origin).read_text(encoding="utf-8", errors="replace")
    return "" if is_ours else spec.origin


def _owns(one: Distribution, package: str) -> bool:
    record = one.read_text("RECORD")
    if record is not None:
        return f"\n{package}/__init__.py," in f"\n{record}"
    # Without a record (Debian's packages, eggs): what it says of itself.
    return package in (one.read_text("top_level.txt") or "").split()


def _normal(name: str | None) -> str:
    """A distribution's name as they are compared (PEP 503)."""
    return (name or "").lower().replace("_", "-").replace(".", "-")
