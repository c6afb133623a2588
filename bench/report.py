"""Results as text, for people: each row's two series, its figure, its target and the verdict."""

from __future__ import annotations

from collections.abc import Iterable

from bench.measure import Result, Series, Spread

_WIDTH = 42


def header(name: str) -> str:
    return f"{f'-- {name}':{_WIDTH}}{'min':>10}{'median':>10}{'max':>10}"


def row(result: Result) -> str:
    """Several lines: yardstick, subject, figure."""
    lines = []
    if result.yardstick:
        lines.append(_series(result.yardstick, result.theirs, result.unit))
    lines.append(_series(result.subject, result.ours, result.unit))
    if result.compare != "value":
        lines.append(_series(f"  {result.compare}", result.figures, _unit(result)))
    if result.target is not None:
        lines[-1] += f"   {_target(result)}: {result.verdict}"
    if result.note:
        lines.append(f"  ({result.note})")
    return "\n".join(lines)


def summary(results: Iterable[Result]) -> str:
    """One line per judged result."""
    lines = []
    for result in results:
        if result.target is not None:
            figure = f"{_number(Spread.of(result.figures).median)} {_unit(result)}"
            against = f" / {result.yardstick}" if result.yardstick else ""
            verdict = result.verdict if result.verdict == "ok" else result.verdict.upper()
            lines.append(f"{verdict:7}{figure:>12}  {_target(result):22}{result.subject}{against}")
    return "\n".join(lines)


def _series(name: str, series: Series, unit: str) -> str:
    spread = Spread.of(series)
    numbers = "".join(f"{_number(n):>10}" for n in (spread.low, spread.median, spread.high))
    return f"{name:{_WIDTH}}{numbers} {unit}"


def _target(result: Result) -> str:
    if result.target is None:
        return ""
    return f"{result.target.sense} {_number(result.target.bound)} {_unit(result)}".rstrip()


def _unit(result: Result) -> str:
    return "x" if result.compare in ("ratio", "speedup") else result.unit


def _number(value: float) -> str:
    """Three digits that count, and no exponent."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.01 or value == 0 else f"{value:.4f}"
