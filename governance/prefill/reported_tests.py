"""What another tool's report says of data: its tests with their outcome, and the columns it calls drifted.

A report is somebody else's computation. Its tests count as reported tests of data quality; its drift is shown beside what is
measured here and never stands for it. Nothing a report printed is kept but names, counts and the words of its own conditions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MOST_TESTS = 5_000


@dataclass(frozen=True, slots=True)
class ReportedTest:
    """One test. `says`: the tool's words for it; `place`: where it stands; `error`: it broke off, so it is not held."""

    kind: str
    column: str
    held: bool
    says: str
    place: str
    severity: str = "critical"
    count: int | None = None
    percent: float | None = None
    error: bool = False


@dataclass(frozen=True, slots=True)
class ReportedDrift:
    """One column. `limit`: the tool's, where it is told; `drifted`: what the tool made of it, None when it does not say."""

    column: str
    method: str
    score: float | None
    limit: float | None
    drifted: bool | None


@dataclass(frozen=True, slots=True)
class ReportedTests:
    """A whole report. `not_run`: tests the tool left out; `others`: how many are about something else, such as a model."""

    tool: str
    tests: tuple[ReportedTest, ...] = ()
    drift: tuple[ReportedDrift, ...] = ()
    not_run: tuple[str, ...] = ()
    others: int = 0

    @property
    def failed(self) -> tuple[ReportedTest, ...]:
        return tuple(test for test in self.tests if not test.held)


def words(value: Any, most: int = 200) -> str:
    """A text on one line without control characters, cut to length; "" for anything else."""
    if not isinstance(value, str):
        return ""
    return " ".join("".join(char if char.isprintable() else " " for char in value[: most * 4]).split())[:most]


def figure(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) < 1e300:
        return None
    return float(value)


def part(node: Any, name: str) -> Mapping[str, Any]:
    """A member that is a mapping, else an empty one."""
    value = node.get(name) if isinstance(node, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def rows(node: Any, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The mappings in a member that is a list, with their positions; at most `MOST_TESTS`."""
    value = node.get(name) if isinstance(node, Mapping) else None
    for at, row in enumerate(value[:MOST_TESTS] if isinstance(value, list) else []):
        if isinstance(row, Mapping):
            yield at, row
