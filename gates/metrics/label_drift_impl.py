"""Label drift from counts: one grouped query per file, whatever its size.

Classes are compared by the ratio of their shares with Katz's interval and the difference with Newcombe's, all classes together
at 95 % (Bonferroni); a number by the difference of the means over the reference's standard deviation.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from gates.collecting import Collected, EvidenceInput, Inputs, Picture
from gates.metrics.statistics.intervals import Interval, bonferroni, katz, newcombe, wilson, z_of
from gates.pictures.shapes import points_with_intervals
from gates.readers import tables
from gates.readers.tables import quote_name
from gates.spec import Measure

CLASSES = 20
MIN_ROWS = 100
MOST_PERIODS = 24


@dataclass(frozen=True)
class Labels:
    """What a file says about its labels: counts by class, or moments of a number; per period where a time column is mapped."""

    file: str
    counts: dict[str, int] = field(default_factory=dict)
    moments: tuple[int, float, float] | None = None
    periods: tuple[tuple[str, str, int], ...] = ()

    @property
    def rows(self) -> int:
        return self.moments[0] if self.moments is not None else sum(self.counts.values())


def measure(inputs: Inputs) -> Collected:
    """Compare the labels of the reference sample with those of the current sample, else of the predictions."""
    before = inputs.evidence.get("reference_sample")
    after = next(
        (
            inputs.evidence[role]
            for role in ("current_sample", "candidate_predictions")
            if role in inputs.evidence and isinstance(inputs.evidence[role].columns.get("label"), str)
        ),
        None,
    )
    missing = [
        words
        for evidence, words in ((before, "the reference sample"), (after, "the current sample or the predictions"))
        if evidence is None or not isinstance(evidence.columns.get("label"), str)
    ]
    if before is None or after is None or missing:
        return Collected(not_measured=f"There are no labels to compare: map columns.label in {' and in '.join(missing)}.")
    if before.sha256 and before.sha256 == after.sha256:
        return Collected(
            not_measured=f"{before.name} and {after.name} are the same file: attach the reference and the current data."
        )
    first, second = _read(before), _read(after)
    measures = [
        Measure(
            "label_drift.rows",
            float(min(first.rows, second.rows)),
            n=min(first.rows, second.rows),
            text=f"{first.file} and {second.file}",
        )
    ]
    if min(first.rows, second.rows) < MIN_ROWS:
        have = f"{first.file} has {first.rows:,}, {second.file} has {second.rows:,}"
        why = f"Labels of {MIN_ROWS} rows are needed on each side; {have}."
        return Collected((*measures, Measure("label_drift.ratio", None, reason=why)))
    if first.moments is not None and second.moments is not None:
        measures.append(_means(first.moments, second.moments))
        return Collected(tuple(measures))
    if first.moments is not None or second.moments is not None or not set(first.counts) & set(second.counts):
        why = f"{first.file} and {second.file} do not spell their labels alike: {_few(first)} against {_few(second)}."
        return Collected((*measures, Measure("label_drift.ratio", None, reason=why)))
    measures.extend(_classes(first, second))
    measures.extend(_over_time(first, second))
    return Collected(tuple(measures), (), (_picture(first, second),))


def _few(labels: Labels) -> str:
    return "numbers" if labels.moments is not None else ", ".join(sorted(labels.counts)[:3])


def _read(evidence: EvidenceInput) -> Labels:
    name = str(evidence.columns["label"])
    info = tables.inspect(evidence)
    tables.require(evidence, info, [name])
    kind, cell = info.kind(name), quote_name(name)
    numeric = kind in ("integer", "number")
    good = f"{cell} IS NOT NULL" + (f" AND isfinite({cell}::DOUBLE)" if numeric else "")
    # 1, 1.0 and true are one class, however a file writes them
    plain = f"CAST(CAST({cell} AS DOUBLE) AS VARCHAR)" if numeric or kind == "boolean" else f"trim(CAST({cell} AS VARCHAR))"
    with tables.connect({"data": evidence}) as connection:
        found = connection.execute(
            f"SELECT {plain}, count(*) FROM data WHERE {good} GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT {CLASSES + 1}"
        ).fetchall()
        if len(found) > CLASSES and numeric:
            row = connection.execute(
                f"SELECT count(*), avg({cell}::DOUBLE), stddev_samp({cell}::DOUBLE) FROM data WHERE {good}"
            ).fetchone()
            return Labels(evidence.name, {}, (int(row[0]), float(row[1]), float(row[2])) if row is not None else None)
        periods: list[tuple[str, str, int]] = []
        time = evidence.columns.get("time")
        if isinstance(time, str):
            tables.require(evidence, info, [time])
            if info.kind(time) == "time":
                periods = _periods(connection, quote_name(time), plain, good)
    return Labels(evidence.name, {_spelt(value): int(count) for value, count in found}, None, tuple(periods))


def _spelt(value: object) -> str:
    """A class as people write it: `1` for the number 1.0."""
    return str(value).removesuffix(".0")


def _periods(connection: object, when: str, plain: str, good: str) -> list[tuple[str, str, int]]:
    """(period, class, rows) by day, week, month, quarter or year: the finest that gives at most 24 periods."""
    execute = connection.execute  # type: ignore[attr-defined]
    for unit in ("day", "week", "month", "quarter", "year"):
        part = f"date_trunc('{unit}', {when})"
        row = execute(f"SELECT count(DISTINCT {part}) FROM data WHERE {good} AND {when} IS NOT NULL").fetchone()
        if row is not None and row[0] <= MOST_PERIODS:
            rows = execute(
                f"SELECT CAST(CAST({part} AS DATE) AS VARCHAR), {plain}, count(*) FROM data WHERE {good} AND {when} IS NOT NULL "
                "GROUP BY 1, 2 ORDER BY 1, 2"
            ).fetchall()
            return [(str(period), _spelt(value), int(count)) for period, value, count in rows]
    return []


def _names(first: Labels, second: Labels) -> list[str]:
    """Classes that are compared: of two only the rarer one in the reference, else all."""
    names = sorted(set(first.counts) | set(second.counts))
    if len(names) == 2:
        return [min(names, key=lambda name: (first.counts.get(name, 0), name))]
    return names


def _classes(first: Labels, second: Labels) -> Iterable[Measure]:
    names = _names(first, second)
    level = bonferroni(0.95, len(names))
    worst: Measure | None = None
    for name in names:
        x, n, y, m = second.counts.get(name, 0), second.rows, first.counts.get(name, 0), first.rows
        ratio, difference = katz(x, n, y, m, level), newcombe(x, n, y, m, level)
        detail = {
            "before": y / m, "now": x / n, "difference": difference.value, "difference_low": difference.low,
            "difference_high": difference.high, "level": level,
        }  # fmt: skip
        value, low, high = _away_from_one(ratio, x, n, y, m)
        words = f"class {name}: {y / m:.2%} before, {x / n:.2%} now"
        row = Measure("label_drift.class_ratio", value, f"class={name[:280]}", low, high, n, words, detail=detail)
        yield row
        if worst is None or value > (worst.value or 0.0):
            worst = row
    if worst is not None:
        yield Measure("label_drift.ratio", worst.value, "", worst.low, worst.high, worst.n, worst.text, detail=worst.detail)


def _away_from_one(ratio: Interval, x: int, n: int, y: int, m: int) -> tuple[float, float, float | None]:
    """The factor by which a share changed, up or down, with its interval. No row on one side counts as half a row."""
    value = ((x or 0.5) / n) / ((y or 0.5) / m)
    low, high = ratio.low, ratio.high
    if value < 1:
        value, low, high = 1 / value, 1 / high, 1 / low if low > 0 else math.inf
    return value, low, high if math.isfinite(high) else None


def _means(before: tuple[int, float, float], after: tuple[int, float, float]) -> Measure:
    (n, mean, spread), (m, now, other) = before, after
    if not spread > 0:
        return Measure("label_drift.mean_shift", None, reason="The reference's labels do not vary.")
    shift = (now - mean) / spread
    half = z_of(0.95) * math.sqrt(1 / n + (other / spread) ** 2 / m)
    words = f"mean {mean:.4g} before, {now:.4g} now"
    return Measure("label_drift.mean_shift", shift, low=shift - half, high=shift + half, n=m, text=words)


def _over_time(first: Labels, second: Labels) -> Iterable[Measure]:
    for word, labels in (("reference", first), ("current", second)):
        for period, count, total, name in _shares(labels, _names(first, second)[0]):
            found = wilson(count, total)
            yield Measure(
                "label_drift.period",
                found.value,
                f"sample={word} & period={period}",
                found.low,
                found.high,
                total,
                f"class {name}",
            )


def _shares(labels: Labels, name: str) -> Iterable[tuple[str, int, int, str]]:
    for period in dict.fromkeys(row[0] for row in labels.periods):
        total = sum(count for when, _, count in labels.periods if when == period)
        count = sum(count for when, value, count in labels.periods if when == period and value == name)
        yield period, count, total, name


def _picture(first: Labels, second: Labels) -> Picture:
    names = _names(first, second)
    values, rows = [], []
    for labels, word in ((first, "reference"), (second, "current")):
        for name in names[:10]:
            found = wilson(labels.counts.get(name, 0), labels.rows)
            label = f"{word}, class {name}"[:60]
            values.append({"label": label, "value": found.value, "low": found.low, "high": found.high})
            rows.append((label, f"{found.value:.2%}", f"{found.low:.2%} to {found.high:.2%}", labels.rows))
        for period, count, total, name in _shares(labels, names[0]):
            found = wilson(count, total)
            label = f"{word}, {period}"
            values.append({"label": label, "value": found.value, "low": found.low, "high": found.high})
            rows.append((f"{label}, class {name}", f"{found.value:.2%}", f"{found.low:.2%} to {found.high:.2%}", total))
    was, now = (labels.counts.get(names[0], 0) / labels.rows for labels in (first, second))
    words = (
        f"Class {names[0]} is {was:.2%} of {first.rows:,} rows in {first.file} and {now:.2%} of {second.rows:,} in "
        f"{second.file}; bars are 95 % intervals."
    )
    spec = points_with_intervals(values, x_title="Share of rows")
    return Picture("label_drift", "Share of the labels", words, spec, ("Sample", "Share", "95 % interval", "Rows"), tuple(rows))
