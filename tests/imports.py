"""Who imports what, read from the sources: nothing is imported to find out.

Imports inside functions and under TYPE_CHECKING count too: they are knowledge of a name.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PACKAGES = ("khazad_mitm", "khazad")


@dataclass(frozen=True, slots=True)
class Import:
    module: str
    """Who imports: `khazad_mitm.cache.drive`; a package by its own name."""
    name: str
    """What: `asyncio`, `khazad_mitm.exchange.Hit`."""
    line: int
    is_lazy: bool
    """Inside a function: happens when it is called."""

    @property
    def room(self) -> str:
        """`cache` for a file in that room, `settings` for that file, `khazad` for the face."""
        package, _, rest = self.module.partition(".")
        return rest.partition(".")[0] if package == "khazad_mitm" else package

    def reaches(self, *names: str) -> bool:
        """Is it one of these names, or something inside one?"""
        return any(self.name == name or self.name.startswith(f"{name}.") for name in names)

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.name}"


def imports(root: Path) -> Iterator[Import]:
    """Every import of every file of ours under `root`."""
    for package in PACKAGES:
        for path in sorted((root / package).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            is_package = parts[-1] == "__init__"
            module = ".".join(parts[:-1] if is_package else parts)
            home = module if is_package else module.rpartition(".")[0]
            tree = ast.parse(path.read_bytes(), str(path))
            yield from _found(tree, module, home, is_lazy=False)


def _found(node: ast.AST, module: str, home: str, *, is_lazy: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        for name in _names(child, home):
            yield Import(module, name, child.lineno, is_lazy)
        inside = is_lazy or isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from _found(child, module, home, is_lazy=inside)


def _names(node: ast.AST, home: str) -> list[str]:
    match node:
        case ast.Import(names=names):
            return [alias.name for alias in names]
        case ast.ImportFrom(module=origin, names=names, level=level):
            # One dot is the package itself, each further one its parent.
            above = home.rsplit(".", level - 1)[0] if level else ""
            base = ".".join(part for part in (above, origin) if part)
            return [f"{base}.{alias.name}" for alias in names]
        case ast.Call(
            func=ast.Name(id="import_module" | "__import__") | ast.Attribute(attr="import_module"),
            args=[ast.Constant(value=str(name)), *_],
        ):
            return [name]
    return []
