"""A collector beside its peers: the same Parquet files, each in a child process of its own, in turns."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bench import gate_data
from tests.bench.child import Measured, measured
from tests.bench.figures import Line, Report, Series, number
from tests.bench.peers import evidently_python
from tests.bench.size import Size
from tests.stack import ROOT

LONG = 60.0
"""A contender that took longer than this is not asked again: its one figure stands, and the others alternate without it."""


def data_folder() -> Path:
    """Where evidence is kept between runs: `BENCH_DATA`, else a folder for temporary files. A gigabyte at full size."""
    said = os.environ.get("BENCH_DATA")
    return Path(said) if said else Path(tempfile.gettempdir()) / "guiderail-bench-data"


def predictions(size: Size) -> tuple[Path, Path]:
    return gate_data.predictions(data_folder(), size.rows)


def samples(size: Size) -> tuple[Path, Path]:
    return gate_data.samples(data_folder(), size.sample_rows)


def of_ours(name: str, files: tuple[Path, Path]) -> Callable[[], Measured]:
    """A contender of tests/bench/contenders.py."""
    return lambda: measured(["-m", "tests.bench.contenders", name, *map(str, files)])


def of_evidently(files: tuple[Path, Path], notes: list[str]) -> Callable[[], Measured] | None:
    """Evidently in its own environment, or None with a note when it cannot be had."""
    python = evidently_python(data_folder(), notes)
    if python is None:
        return None
    script = str(ROOT / "tests" / "bench" / "evidently_peer.py")
    return lambda: measured([script, *map(str, files)], python=python)


@dataclass
class Found:
    """The figures of one contender over the turns, and its last answer."""

    values: dict[str, list[float]] = field(default_factory=dict)
    answer: Any = None
    failed: str = ""

    def add(self, one: Measured) -> None:
        for name, value in one.quantities().items():
            self.values.setdefault(name, []).append(value)
        self.answer = one.answer

    def series(self, quantity: str, unit: str) -> Series:
        return Series(tuple(self.values[quantity]), unit)


def in_turns(contenders: Mapping[str, Callable[[], Measured]], turns: int, notes: list[str]) -> dict[str, Found]:
    """Everybody once a turn, A B A B; a contender that fails is named and left out from then on."""
    found = {name: Found() for name in contenders}
    for turn in range(turns):
        for name, measure in contenders.items():
            before = found[name]
            if before.failed or (turn and before.values["seconds"][0] > LONG):
                continue
            try:
                before.add(measure())
            except RuntimeError as problem:
                before.failed = str(problem)
                notes.append(f"{name} was not measured to the end: {problem}")
            else:
                print(f"  {name}: {number(before.values['seconds'][-1])} s", flush=True)
    return {name: one for name, one in found.items() if one.values}


def lines(code: str, title: str, found: Mapping[str, Found], ours: str, targets: Mapping[str, str]) -> list[Line]:
    """One line a peer with time and memory beside ours. Ratios are peer over ours: above 1 is faster."""
    mine, out = found[ours], []
    seconds, memory = mine.series("seconds", "s"), mine.series("megabytes", "MB")
    for name, one in found.items():
        if name == ours:
            continue
        other = one.series("seconds", "s")
        target = f" (target {targets[name]})" if name in targets else ""
        less = one.series("processor", "s").median / mine.series("processor", "s").median
        out.append(
            Line(
                f"{code} {title}; peer: {name}",
                f"{seconds}, {memory}",
                peer=f"{other}, {one.series('megabytes', 'MB')}",
                ratio=f"{number(other.median / seconds.median)} × faster, {number(less)} × less processor time{target}",
                spread=seconds.spread,
            )
        )
    return out or [Line(f"{code} {title}", f"{seconds}, {memory}", spread=seconds.spread)]


def difference(first: Mapping[str, Any], second: Mapping[str, Any]) -> float:
    """The largest difference of two answers over what both name."""
    shared = [name for name in first if name in second and first[name] is not None]
    if not shared:
        raise AssertionError("the two answers have nothing in common")
    return float(max(abs(first[name] - second[name]) for name in shared))


def shared_notes(report: Report, rows: str) -> None:
    report.notes.append(
        f"{rows}. Every contender in a child process of its own on the same Parquet files: seconds of reading and work "
        "without imports, peak memory with them."
    )
