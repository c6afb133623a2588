"""What is compared with what, and what the numbers say. Pure, but for the order of the calls.

A figure is never measured alone: its yardstick runs beside it, in turns (A B A B ...), so that a
machine that slows down slows both. What counts is the median of the comparisons of each turn, not
the comparison of two medians.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

Series: TypeAlias = Sequence[float]
"""What one subject measured, turn by turn."""

Comparison: TypeAlias = Literal["ratio", "speedup", "difference", "value"]
"""`speedup`: how many times less than the yardstick's, for what took time."""

CONTROL = "a control, the yardstick against itself: what is not equal here is the harness"


@dataclass(frozen=True, slots=True)
class Spread:
    low: float
    median: float
    high: float

    @classmethod
    def of(cls, values: Iterable[float]) -> Spread:
        """Raises ValueError where there are none."""
        ordered = sorted(values)
        if not ordered:
            raise ValueError("nothing was measured")
        return cls(ordered[0], statistics.median(ordered), ordered[-1])


def percentile(values: Iterable[float], percent: float) -> float:
    """The least of the values that so many per cent of them do not exceed (nearest rank)."""
    ordered = sorted(values)
    if not ordered:
        raise ValueError("nothing was measured")
    return ordered[max(math.ceil(len(ordered) * percent / 100), 1) - 1]


@dataclass(frozen=True, slots=True)
class Target:
    """What the median of a comparison has to be: `Target("at most", 2)`."""

    sense: Literal["at most", "at least"]
    bound: float

    def is_met_by(self, figure: float) -> bool:
        return figure <= self.bound if self.sense == "at most" else figure >= self.bound


@dataclass(frozen=True, slots=True)
class Result:
    """One row: a subject beside its yardstick."""

    subject: str
    yardstick: str
    """What it was compared with; "" where the value itself is the figure."""
    unit: str
    ours: Series
    theirs: Series = ()
    compare: Comparison = "ratio"
    target: Target | None = None
    """None: told for context, judged by nobody."""
    note: str = ""

    @property
    def figures(self) -> list[float]:
        """The comparison of each turn, in the unit of the target."""
        match self.compare:
            case "ratio":
                return [a / b for a, b in zip(self.ours, self.theirs, strict=True)]
            case "speedup":
                return [b / a for a, b in zip(self.ours, self.theirs, strict=True)]
            case "difference":
                return [a - b for a, b in zip(self.ours, self.theirs, strict=True)]
            case "value":
                return list(self.ours)

    @property
    def verdict(self) -> str:
        """`ok`, `missed`, or "" without a target."""
        if self.target is None:
            return ""
        return "ok" if self.target.is_met_by(Spread.of(self.figures).median) else "missed"


def in_turns(
    rounds: int, subjects: Mapping[str, Callable[[], float]]
) -> dict[str, tuple[float, ...]]:
    """Let each subject measure once per round, in order; the values of each, by name."""
    series: dict[str, list[float]] = {name: [] for name in subjects}
    for _ in range(rounds):
        for name, measure in subjects.items():
            series[name].append(measure())
    return {name: tuple(values) for name, values in series.items()}
