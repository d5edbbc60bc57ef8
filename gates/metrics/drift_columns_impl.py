"""One column of two samples: which columns are compared, how each is read (one at a time), and its figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from gates.collecting import EvidenceInput, Inputs
from gates.metrics import drift_statistics_impl as statistics
from gates.readers import tables

LEVELS = 100
NOT_FEATURES = ("id", "label", "prediction", "score", "weight", "time", "base")


@dataclass(frozen=True)
class Column:
    """The figures of one column, or why it was left out (`skipped`)."""

    name: str
    binned: statistics.Binned | None = None
    numeric: bool = False
    rows: int = 0
    null_point: float = 0.0
    figures: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    skipped: str = ""

    @property
    def psi(self) -> float:
        return self.binned.psi if self.binned is not None else 0.0

    def detail(self) -> dict[str, Any]:
        """Everything but the PSI itself, for the measurement's row."""
        bins = len(self.binned.labels) if self.binned is not None else 0
        return {"null_point": self.null_point, "bins": bins, "numeric": self.numeric, **self.figures}


def columns_of(reference: EvidenceInput, current: EvidenceInput, inputs: Inputs) -> tuple[list[str], list[str]]:
    """Names to compare, in the reference's order, and notes on columns only one side has or that are no features."""
    first, second = tables.inspect(reference), tables.inspect(current)
    roles: set[str] = set()
    for evidence in (reference, current):
        for role in NOT_FEATURES:
            value = evidence.columns.get(role)
            roles |= {value} if isinstance(value, str) else set()
    mapped = reference.columns.get("features") or inputs.facts.get("model.features")
    wanted = set(map(str, mapped)) if isinstance(mapped, list | tuple) and mapped else None
    shared = [name for name in first.names if name in second.names and name not in roles]
    if wanted is not None and wanted & set(shared):
        shared = [name for name in shared if name in wanted]
    notes = []
    for names, where in (
        (set(first.names) - set(second.names), current.name),
        (set(second.names) - set(first.names), reference.name),
    ):
        if names - roles:
            notes.append(f"Not in {where}: {', '.join(sorted(names - roles)[:20])}.")
    return shared, notes


def compare_column(
    reference: EvidenceInput, current: EvidenceInput, name: str, seed: int, other: str = "", identifiers: bool = True
) -> Column:
    """Compare one column (`other` is its name in the current file when different). `identifiers` leaves out columns that
    look like keys.
    """
    second = other or name
    kinds = tables.inspect(reference).kind(name), tables.inspect(current).kind(second)
    if "time" in kinds:
        return Column(name, skipped="is a time stamp, which always moves")
    if "other" in kinds:
        return Column(name, skipped="holds nested values")
    numeric = all(kind in tables.NUMERIC for kind in kinds)
    if numeric:
        before, after = tables.load(reference, [name]), tables.load(current, [second])
        return _numbers(
            name, np.asarray(before[name], dtype=float), np.asarray(after[second], dtype=float), kinds[0], identifiers
        )
    column = _text(name, _levels(reference, name), _levels(current, second), identifiers)
    if kinds[0] != kinds[1] and not column.skipped:
        note = f"is {kinds[0]} in the reference and {kinds[1]} in the current sample, so it was compared as text"
        return Column(name, column.binned, False, column.rows, column.null_point, column.figures, (*column.notes, note))
    return column


def _numbers(name: str, before: np.ndarray, after: np.ndarray, kind: str, identifiers: bool) -> Column:
    first, second = np.sort(before[np.isfinite(before)]), np.sort(after[np.isfinite(after)])
    if not len(first) or not len(second):
        return Column(name, skipped="is empty in one of the samples")
    if first[0] == first[-1] == second[0] == second[-1]:
        return Column(name, skipped="is constant")
    if identifiers and kind == "integer" and _key_like(first) and _key_like(second):
        return Column(name, skipped="looks like a key (all values differ and run without gaps)")
    binned = statistics.with_missing(statistics.bin_numbers(first, second), len(before) - len(first), len(after) - len(second))
    ks, wasserstein = statistics.cdf_distances(first, second)
    figures = {"ks": ks, "wasserstein": wasserstein, "js": binned.js_distance}
    return _column(name, binned, True, len(before), len(after), figures, ())


def _key_like(ordered: np.ndarray) -> bool:
    """Whole numbers that are all different and fill their range to a good part: row numbers, not amounts."""
    return len(ordered) >= 100 and bool((np.diff(ordered) > 0).all()) and (ordered[-1] - ordered[0]) < 3 * len(ordered)


def _text(name: str, before: tuple[dict[str, int], int], after: tuple[dict[str, int], int], identifiers: bool) -> Column:
    (first, missing_first), (second, missing_second) = before, after
    total_first, total_second = sum(first.values()), sum(second.values())
    if not total_first or not total_second:
        return Column(name, skipped="is empty in one of the samples")
    if identifiers and len(first) > 0.5 * total_first and len(first) > LEVELS:
        return Column(name, skipped="looks like a key or free text (most values differ)")
    if len(first) == 1 and first.keys() == second.keys() and not missing_first and not missing_second:
        return Column(name, skipped="is constant")
    kept = sorted(first, key=lambda level: (-first[level], level))[:LEVELS]
    rest = set(first) - set(kept)
    unseen = {level: count for level, count in second.items() if level not in first}
    labels = [*kept, *(["other known values"] if rest else []), *(["values not in the reference"] if unseen else [])]
    e = [first[level] for level in kept] + ([sum(first[level] for level in rest)] if rest else []) + ([0] if unseen else [])
    a = [second.get(level, 0) for level in kept] + ([sum(second.get(level, 0) for level in rest)] if rest else [])
    a += [sum(unseen.values())] if unseen else []
    binned = statistics.with_missing(statistics.Binned(tuple(labels), np.array(e), np.array(a)), missing_first, missing_second)
    notes = []
    folded = {level.strip().casefold() for level in first}
    respelt = sum(count for level, count in unseen.items() if level.strip().casefold() in folded)
    if respelt:
        notes.append(f"{respelt:,} current values differ from known ones only in case or blanks: clean the spelling")
    figures = {
        "cramers_v": statistics.cramers_v(binned.reference, binned.current),
        "js": binned.js_distance,
        "unseen": sum(unseen.values()) / total_second,
    }
    rows = total_first + missing_first, total_second + missing_second
    return _column(name, binned, False, *rows, figures, tuple(notes))


def _levels(evidence: EvidenceInput, name: str) -> tuple[dict[str, int], int]:
    """Counts per value as text, and how many are missing; streamed, so that text never stands in memory as a whole."""
    counts: dict[str, int] = {}
    missing = 0
    for batch in tables.iter_batches(evidence, [name]):
        column = batch.column(0)
        if not (pa.types.is_dictionary(column.type) and pa.types.is_string(column.type.value_type)):
            column = column.cast(pa.string())
        for item in pc.value_counts(column).to_pylist():  # of a dictionary only its codes are counted
            if item["values"] is None:
                missing += item["counts"]
            else:
                counts[item["values"]] = counts.get(item["values"], 0) + item["counts"]
    return counts, missing


def _column(
    name: str,
    binned: statistics.Binned,
    numeric: bool,
    before: int,
    after: int,
    figures: Mapping[str, float],
    notes: tuple[str, ...],
) -> Column:
    half_missing = [word for word, counts, rows in (("reference", binned.reference, before), ("current", binned.current, after))
                    if binned.labels[-1] == "missing" and counts[-1] > rows / 2]  # fmt: skip
    if half_missing:
        notes = (*notes, f"is missing in more than half of the {' and the '.join(half_missing)} rows")
    used = int(((binned.reference > 0) | (binned.current > 0)).sum())
    return Column(name, binned, numeric, min(before, after), statistics.null_point(used, before, after), figures, notes)
