"""Metrics as cards list them: rows with a name and a value, in groups, for the whole or for one part of the data.

A figure of one part (a slice) never stands for the model, nor does one measured on the training data. Where groups give a known
metric different values and none is marked as the test, no figure stands for the model: which one counts is for a person to say.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.measures import number, performance_facts
from governance.prefill.metric_names import HIGHER_IS_BETTER, canonical_metric
from governance.prefill.source import Problem, ProblemSeverity, Source, child

_WHOLE = frozenset({"", "all", "overall", "everything", "whole", "complete"})
_TRAINING = frozenset({"train", "training"})
STAGES = frozenset({"test", "eval", "evaluation", "val", "valid", "validation", "holdout"}) | _TRAINING


@dataclass(frozen=True, slots=True)
class MetricRow:
    """One figure. `group`: the evaluation it belongs to; `part`: the slice of the data it was measured on, "" for the whole."""

    name: str
    value: Any
    place: str
    group: str = ""
    part: str = ""


def row_facts(rows: Iterable[MetricRow], source: Source, path: str) -> Iterator[Fact | Problem]:
    """All figures as `performance.metrics`, and the one that stands for the model where the rows leave no doubt."""
    by_name: dict[str, list[MetricRow]] = {}
    for row in rows:
        by_name.setdefault(_own_name(row), []).append(row)
    chosen: dict[str, MetricRow] = {}
    doubtful: list[str] = []
    for name, given in by_name.items():
        if len({_plain(row.value) for row in given}) == 1:
            chosen.setdefault(name, given[0])
            continue
        told_apart = _told_apart(name, given)
        chosen |= {key: rows[0] for key, rows in told_apart.items() if len({_plain(row.value) for row in rows}) == 1}
        metric = canonical_metric(name)
        if metric in HIGHER_IS_BETTER and all(key not in chosen or canonical_metric(key) != metric for key in told_apart):
            doubtful.append(metric)
        for key, several in told_apart.items():
            if key not in chosen:
                detail = f"{key[:80]} is given with {len(several)} values here, so none of them is used. Keep one."
                yield source.problem(several[0].place, detail)
    places = {child(path, name): row.place for name, row in chosen.items()}
    for item in performance_facts({name: row.value for name, row in chosen.items()} or None, source, path):
        place = places.get(item.locator, item.locator)
        if isinstance(item, Problem):
            if item.severity is ProblemSeverity.ERROR or not doubtful:
                yield Problem(item.file, place, item.detail, item.severity)
        elif item.name == "performance.metrics" or not doubtful:
            yield source.fact(item.name, item.value, place)
    if doubtful:
        names = ", ".join(dict.fromkeys(doubtful))
        detail = f"{names}: given with different values, and none is marked as the test, so no figure stands for the model."
        yield source.problem(path, f"{detail} Name the one that counts “test”, or answer in the form what this version reaches.")


def _own_name(row: MetricRow) -> str:
    """The metric's name with the part of the data it was measured on; figures on training data say so."""
    part = _stage(row.part)
    if part in _WHOLE:
        return f"train_{row.name}" if _stage(row.group) in _TRAINING else row.name
    return f"{part}_{row.name}" if part in STAGES else f"{row.name} [{row.part.strip()}]"


def _told_apart(name: str, rows: list[MetricRow]) -> dict[str, list[MetricRow]]:
    """The rows of one name by group: `test_roc_auc` where the group is a stage, else `group / roc_auc`."""
    found: dict[str, list[MetricRow]] = {}
    for row in rows:
        stage = _stage(row.group)
        key = f"{stage}_{name}" if stage in STAGES else f"{row.group} / {name}" if row.group else name
        found.setdefault(key, []).append(row)
    return found


def _stage(words: str) -> str:
    """`Test set` -> `test`."""
    plain = " ".join(words.lower().split())
    for ending in (" set", " split", " data", " dataset"):
        plain = plain.removesuffix(ending)
    return plain


def _plain(value: Any) -> Any:
    """A value that can be compared: the number it stands for, else its words."""
    usable = number(value)
    return repr(value) if usable is None else usable
