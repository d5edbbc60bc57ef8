"""Rows of the result, how they are counted from several rounds, and how they are written down."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "docs" / "benchmarks.md"
NONE = "–"


@dataclass(frozen=True)
class Series:
    """One quantity, measured once per round."""

    values: tuple[float, ...]
    unit: str = ""

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        """The smallest and the largest round, as a share of the median."""
        if len(self.values) < 2 or not self.median:
            return NONE
        return f"{min(self.values) / self.median - 1:+.0%} … {max(self.values) / self.median - 1:+.0%}"

    def __str__(self) -> str:
        return f"{number(self.median)} {self.unit}".strip()


@dataclass(frozen=True)
class Line:
    """One line of the table. An empty cell means that it was not measured, never that it was nothing."""

    workload: str
    ours: str
    peer: str = ""
    floor: str = ""
    ratio: str = ""
    spread: str = ""

    @property
    def cells(self) -> tuple[str, ...]:
        return tuple(cell or NONE for cell in (self.workload, self.ours, self.peer, self.floor, self.ratio, self.spread))


@dataclass
class Report:
    """What one workload found: its lines, and remarks on what was left out or could not be measured."""

    code: str
    title: str
    lines: list[Line] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    seconds: float = 0.0


def number(value: float) -> str:
    """Three figures are as many as these machines can vouch for."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which this share lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered), max(1, math.ceil(share * len(ordered)))) - 1] if ordered else math.nan


def in_turns(
    contenders: Mapping[str, Callable[[], Mapping[str, float]]], rounds: int, units: Mapping[str, str]
) -> dict[str, dict[str, Series]]:
    """Measure everybody in each round, A B A B: what else the machine does in a round, it does to all of them.

    Gives {contender: {quantity: Series}}.
    """
    found: dict[str, dict[str, list[float]]] = {name: {} for name in contenders}
    for _ in range(rounds):
        for name, measure in contenders.items():
            for quantity, value in measure().items():
                found[name].setdefault(quantity, []).append(value)
    return {
        name: {quantity: Series(tuple(values), units.get(quantity, "")) for quantity, values in quantities.items()}
        for name, quantities in found.items()
    }


def ratio(over: Series, under: Series) -> Series:
    """Round by round, so that a slow moment of the machine is on both sides."""
    return Series(tuple(a / b for a, b in zip(over.values, under.values, strict=True) if b))


def machine() -> str:
    """The machine in words; nothing that would name it."""
    cores = os.cpu_count() or 1
    words = {1: "one shared core", 2: "two shared cores"}.get(cores, f"{cores} shared cores")
    return f"{words}, Python {platform.python_version()} on {platform.system()}"


def table(reports: Sequence[Report]) -> str:
    """The lines of all workloads as a Markdown table."""
    head = ("Workload", "Ours", "Peer", "Floor", "Ratio", "Spread")
    rows = [head, tuple("---" for _ in head), *(line.cells for report in reports for line in report.lines)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)


def written(reports: Sequence[Report], *, command: str, load: tuple[float, float], remark: str = "") -> str:
    """The page docs/benchmarks.md."""
    day = datetime.now(UTC).date().isoformat()
    parts = [
        "# Benchmarks",
        f"Measured on {day} with `{command}`: {machine()}. Load average of the machine {load[0]:.1f} before and "
        f"{load[1]:.1f} after; "
        "others used it meanwhile. Every figure is a ratio or a pair measured in the same run, contenders in turns (A "
        "B A B …), the median "
        "of the rounds with the smallest and largest round as spread. An empty cell (–) was not measured. Times by "
        "themselves say little "
        "on another machine; ratios do.",
        *([remark] if remark else []),
        table(reports),
    ]
    for report in reports:
        parts += [f"## {report.code}: {report.title}", *(f"- {note}" for note in report.notes), f"- Took {report.seconds:.0f} s."]
    return _joined(parts)


def _joined(parts: Sequence[str]) -> str:
    """Paragraphs apart, the points of a list together."""
    text = parts[0]
    for before, part in pairwise(parts):
        text += ("\n" if before.startswith("- ") and part.startswith("- ") else "\n\n") + part
    return text + "\n"
