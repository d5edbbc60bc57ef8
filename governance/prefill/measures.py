"""Metrics as files list them: a mapping of names to numbers, or rows of key and value; read into performance facts."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.metric_names import SHARES, canonical_metric, chosen_metric
from governance.prefill.source import Problem, Source, child, mapping, shown

_NAMES = ("key", "name", "metric", "type")


def read_metrics(block: Any, source: Source, path: str) -> Iterator[tuple[str, float, str] | Problem]:
    """Yield (name, value, locator) for each usable metric and a problem for each that is not.

    A list of rows may name a metric several times (steps): the last step, then the last row, counts.
    """
    if isinstance(block, dict):
        for name, value in block.items():
            yield from _one(name, value, source, child(path, name))
    elif isinstance(block, list):
        last: dict[str, tuple[float, float, int]] = {}
        for i, row in enumerate(block):
            name = next((row[key] for key in _NAMES if isinstance(row.get(key), str)), "") if isinstance(row, dict) else ""
            if not name:
                yield source.problem(child(path, i), f"A metric has a name (key) and a value; found {shown(row)}.")
                continue
            order = (_plain(row.get("timestamp")), _plain(row.get("step")), i)
            if name not in last or order >= last[name]:
                last[name] = order
        for name, (_, _, i) in last.items():
            yield from _one(name, mapping(block[i]).get("value"), source, child(child(path, i), "value"))
    elif block is not None:
        yield source.problem(path, f"Metrics are a mapping of names to numbers or a list of key and value; found {shown(block)}.")


def _plain(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def number(value: Any) -> float | int | None:
    """A finite number, also when written as text; None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        try:
            value = float(value) if len(value) < 400 else None
        except ValueError:
            return None
    return value if isinstance(value, int | float) and math.isfinite(value) else None


def _one(name: str, value: Any, source: Source, place: str) -> Iterator[tuple[str, float, str] | Problem]:
    usable = number(value)
    if usable is not None and canonical_metric(name) in SHARES and not 0 <= usable <= 1:
        detail = f"{name} lies between 0 and 1; found {shown(value)}. It is left out; log it as a share, not in percent."
        yield source.problem(place, detail)
    elif usable is None:
        yield source.problem(place, f"{name} has to be a finite number; found {shown(value)}. It is left out; log it again.")
    else:
        yield name, usable, place


def performance_facts(block: Any, source: Source, path: str, *, primary: str | None = None) -> Iterator[Fact | Problem]:
    """All metrics as `performance.metrics`, and the one that stands for the model as metric and candidate."""
    values: dict[str, float] = {}
    places: dict[str, str] = {}
    for item in read_metrics(block, source, path):
        if isinstance(item, Problem):
            yield item
            continue
        name, value, place = item
        values[name], places[name] = value, place
    if not values:
        return
    yield source.fact("performance.metrics", values, path)
    if primary is not None and primary not in values:
        yield source.problem(
            path, f'The main metric "{primary[:80]}" is not among the metrics. Name one of: {", ".join(list(values)[:10])}.'
        )
        return
    chosen = primary if primary is not None else chosen_metric(values)
    if chosen is None:
        yield source.advice(
            path, "None of these metrics is one that can stand for the model. Log roc_auc, log_loss, accuracy, f1, r2 or rmse."
        )
        return
    yield source.fact("performance.metric", canonical_metric(chosen), places[chosen])
    yield source.fact("performance.candidate", values[chosen], places[chosen])
