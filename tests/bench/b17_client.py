"""B17: the `guiderail` command: how long pip takes to install it, and how long it takes to start, beside bare Python."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from tests.bench.figures import Line, Report, Series, in_turns, number, ratio
from tests.bench.servers import BenchStack
from tests.bench.size import Size
from tests.stack import ROOT

UNITS = {"wall": "s", "cpu": "s CPU"}


def measure(stack: BenchStack | None, size: Size) -> Report:
    """Installs into fresh environments, dependencies from the index; starts alternate with `python -c pass`."""
    report = Report("B17", "the client: install and start")
    with tempfile.TemporaryDirectory() as folder:
        wheels = str(Path(folder) / "wheels")
        installs: dict[str, list[dict[str, float]]] = {"a wheel": [], "its folder": []}
        built = _timed(
            [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, str(ROOT / "client")]
        )
        for turn in range(size.starts):
            for source in installs if built is not None else ():
                place = Path(folder) / f"{source} {turn}"
                subprocess.run([sys.executable, "-m", "venv", str(place)], check=True, capture_output=True)
                what = str(ROOT / "client") if source == "its folder" else str(next(Path(wheels).iterdir()))
                took = _timed([str(place / "bin" / "python"), "-m", "pip", "install", "--disable-pip-version-check", what])
                installs[source] += [took] if took is not None else []
        if any(len(rows) < size.starts for rows in installs.values()):
            report.notes.append("The client could not be installed: pip needs an index for PyYAML and the build backend.")
            return report
        python, client = str(place / "bin" / "python"), str(place / "bin" / "guiderail")
        contenders: dict[str, Callable[[], Mapping[str, float]]] = {
            "client": partial(_started, [client, "--version"]),
            "bare": partial(_started, [python, "-c", "pass"]),
        }
        for warm in contenders.values():
            warm()  # the first start writes byte code
        found = in_turns(contenders, size.rounds * 2, UNITS)
    for quantity, target in (("wall", " (target: 0.3)"), ("cpu", "")):
        mine, bare = found["client"][quantity], found["bare"][quantity]
        over = ratio(mine, bare)
        words = f"{number(over.median)} × `python -c pass`"
        title = f"B17 start of `guiderail --version`, {UNITS[quantity]}{target}"
        report.lines.append(Line(title, str(mine), floor=str(bare), ratio=words, spread=mine.spread))
    for source, rows in installs.items():
        for quantity, target in (("wall", " (target: 5)"), ("cpu", "")):
            series = Series(tuple(row[quantity] for row in rows), UNITS[quantity])
            title = f"B17 `pip install` from {source} into a fresh environment, {UNITS[quantity]}{target}"
            report.lines.append(Line(title, str(series), spread=series.spread))
    report.notes.append("PyYAML comes from the index, from the folder the build backend as well: a network is in these seconds.")
    return report


def _started(command: Sequence[str]) -> Mapping[str, float]:
    took = _timed(command)
    if took is None:
        raise AssertionError(f"{command} failed")
    return took


def _timed(command: Sequence[str]) -> dict[str, float] | None:
    """Seconds on the clock and of processor time; None when it failed."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    known = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, capture_output=True, check=False, timeout=300, env=known)
    wall, after = time.monotonic() - begun, resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        return None
    return {"wall": wall, "cpu": after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime}
