"""The slices collector's work: which slices there are, their figures, and how each compares with all other cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import numpy as np

from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics.slices_pictures_impl import picture
from gates.metrics.statistics.auc import of_bins
from gates.metrics.statistics.calibration import CLIP, PER_LOGIT
from gates.metrics.statistics.intervals import newcombe, wilson, z_of
from gates.metrics.statistics.many import holm, two_rates_p
from gates.metrics.statistics.paired import two_sided_p
from gates.readers import counting, tables
from gates.readers import predictions as reader
from gates.readers.tables import TableInfo, quote_name
from gates.spec import Measure

SHOW_FROM, TEST_FROM, MIN_PER_CLASS = 30, 100, 100
MAX_LEVELS = 50
MOST_PERIODS = 24
LEVEL = 0.95
PERIODS = ("hour", "day", "week", "month", "quarter", "year")
REGRESSION_TASKS = ("regression", "tabular-regression", "forecasting")


@dataclass(frozen=True)
class Slice:
    """One slice's counts. `bins`: rows of the two classes per fine score bin, in rising order of the score."""

    name: str
    rows: int
    wrong: int
    positives: int
    keys: np.ndarray
    positive: np.ndarray
    negative: np.ndarray

    @property
    def both_classes(self) -> bool:
        return min(self.positives, self.rows - self.positives) >= MIN_PER_CLASS


def collect(inputs: Inputs) -> Collected:
    """See `gates.metrics.slices`."""
    evidence = inputs.evidence.get("candidate_predictions")
    if str(inputs.facts.get("model.task") or "").lower() in REGRESSION_TASKS:
        return Collected(not_applicable="The model predicts a quantity: slices are judged for decisions and scores.")
    if evidence is None:
        return Collected(not_measured="No candidate predictions were uploaded: add decisions or scores with labels and segments.")
    columns = [*reader.columns_of(evidence, "segments"), *reader.columns_of(evidence, "sensitive")]
    columns = list(dict.fromkeys(columns))
    time, label, score = (reader.column_of(evidence, role) for role in ("time", "label", "score"))
    if not columns and not time:
        return Collected(
            not_measured=f"{evidence.name} has no column mapped as `segments`, `sensitive` or `time`: name the columns that "
            "split the cases into parts people care about, such as region or channel."
        )
    if not label:
        return Collected(not_measured=f"{evidence.name} has no column mapped as `label`: slices need outcomes.")
    info = tables.inspect(evidence)
    prediction = reader.column_of(evidence, "prediction")
    threshold = _number(inputs.facts.get("model.decision_threshold"))
    tables.require(evidence, info, [column for column in (*columns, time, label, score, prediction) if column])
    connection = tables.connect({"c": evidence})
    if score:
        counting.check_numbers(connection, "c", evidence, info, score, "score")
    source = _source(connection, evidence, info, label, prediction, score, threshold)
    bands = inputs.settings.get("fairness.bins")
    found, notes = _slices(connection, evidence, info, columns, time, source, bands if isinstance(bands, Mapping) else {})
    whole = _counted(connection, "''", source)[""]
    measures, compared = _measures(whole, found)
    drawn = picture(compared)
    if reader.column_of(evidence, "weight"):
        notes.append("Slices count cases; row weights are not used.")
    return Collected(tuple(measures), pictures=(drawn,) if drawn else (), notes=tuple(notes))


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _source(
    connection: duckdb.DuckDBPyConnection,
    evidence: EvidenceInput,
    info: TableInfo,
    label: str,
    prediction: str,
    score: str,
    threshold: float | None,
) -> str:
    """SQL of label (y), decision (d) and fine score bin (k); NULL where the file has none."""
    y = counting.binary_sql(connection, "c", evidence, info, label, "label")
    s = f"CAST({quote_name(score)} AS DOUBLE)" if score else ""
    if prediction:
        d = counting.binary_sql(connection, "c", evidence, info, prediction, "decision")
    elif score and threshold is not None:
        d = f"CAST({s} >= {threshold!r} AS DOUBLE)"
    elif score:
        d = "CAST(NULL AS DOUBLE)"
    else:
        raise EvidenceProblem(
            file=evidence.name,
            expected="a column mapping with `prediction` or `score`",
            found="neither",
            way_out="Say which column holds the decision or the score.",
        )
    clipped = f"least(greatest({s}, {CLIP!r}), {1 - CLIP!r})"
    k = f"CAST(floor(ln({clipped} / (1 - {clipped})) * {PER_LOGIT}) AS INTEGER)" if score else "CAST(NULL AS INTEGER)"
    return f"{y} AS y, {d} AS d, {k} AS k"


def _counted(connection: duckdb.DuckDBPyConnection, group: str, source: str) -> dict[str, Slice]:
    rows = connection.execute(
        f"SELECT g, k, y, count(*), count(*) FILTER (WHERE d IS NOT NULL AND d <> y), count(*) FILTER (WHERE d IS NULL) "
        f"FROM (SELECT {group} AS g, {source} FROM c) WHERE y IS NOT NULL GROUP BY g, k, y ORDER BY g, k"
    ).fetchall()
    groups: dict[str, list[tuple[Any, ...]]] = {}
    for row in rows:
        groups.setdefault(str(row[0]), []).append(row)
    return {name: _slice(name, part) for name, part in groups.items()}


def _slice(name: str, part: Sequence[tuple[Any, ...]]) -> Slice:
    keys, at = np.unique([-(10**6) if row[1] is None else row[1] for row in part], return_inverse=True)
    count = np.array([row[3] for row in part], dtype=np.float64)
    ones = np.array([row[2] == 1 for row in part])
    undecided = any(row[5] for row in part)
    positive, negative = (np.bincount(at, weights=count * chosen, minlength=len(keys)) for chosen in (ones, ~ones))
    wrong = -1 if undecided else sum(row[4] for row in part)
    return Slice(name, int(count.sum()), wrong, int(positive.sum()), keys, positive, negative)


def _slices(
    connection: duckdb.DuckDBPyConnection,
    evidence: EvidenceInput,
    info: TableInfo,
    columns: Sequence[str],
    time: str,
    source: str,
    bands: Mapping[str, Any],
) -> tuple[list[Slice], list[str]]:
    """Every slice of every column, named `column=value`, and what the reader should know."""
    found: list[Slice] = []
    notes: list[str] = []
    for column in columns:
        edges = bands.get(column) if info.kind(column) in tables.NUMERIC else None
        if not edges and counting.levels_up_to(connection, "c", column, MAX_LEVELS) > MAX_LEVELS:
            if column in reader.columns_of(evidence, "sensitive") or info.kind(column) not in tables.NUMERIC:
                notes.append(
                    f"{column} has more than {MAX_LEVELS} values and was left out: add a column with bands or fewer values."
                )
                continue
            edges = _quartiles(connection, column)
            notes.append(f"{column} was split at its quartiles: {', '.join(f'{edge:g}' for edge in edges)}.")
        group = counting.group_sql(quote_name(column), info.kind(column), edges)
        found += [_renamed(column, part) for part in _counted(connection, group, source).values()]
    if time:
        group, unit = _period(connection, info, time)
        if group:
            found += [_renamed(time, part) for part in _counted(connection, group, source).values()]
            notes.append(f"{time} was split by {unit}.")
        else:
            notes.append(f"{time} is no column of times and was left out. Write dates as 2026-11-21.")
    return found, notes


def _renamed(column: str, part: Slice) -> Slice:
    return Slice(f"{column}={part.name}"[:300], part.rows, part.wrong, part.positives, part.keys, part.positive, part.negative)


def _quartiles(connection: duckdb.DuckDBPyConnection, column: str) -> list[float]:
    name = f"CAST({quote_name(column)} AS DOUBLE)"
    row = connection.execute(f"SELECT quantile_disc({name}, [0.25, 0.5, 0.75]) FROM c WHERE isfinite({name})").fetchall()[0][0]
    return sorted({float(value) for value in row or ()})


def _period(connection: duckdb.DuckDBPyConnection, info: TableInfo, column: str) -> tuple[str, str]:
    """SQL of the period a row belongs to, in the finest unit that gives at most `MOST_PERIODS`; "" for no times."""
    if info.kind(column) != "time":
        return "", ""
    name = quote_name(column)
    for unit in PERIODS:
        cut = f"date_trunc('{unit}', {name})"
        if counting.scalar(connection, f"SELECT count(DISTINCT {cut}) FROM c") <= MOST_PERIODS:
            shown = "%Y-%m-%d %H:00" if unit == "hour" else "%Y-%m-%d"
            return f"coalesce(strftime({cut}, '{shown}'), '{counting.UNKNOWN}')", unit
    return "", ""


def _rest(whole: Slice, part: Slice) -> Slice:
    at = np.searchsorted(whole.keys, part.keys)
    positive, negative = whole.positive.copy(), whole.negative.copy()
    positive[at] -= part.positive
    negative[at] -= part.negative
    wrong = -1 if min(whole.wrong, part.wrong) < 0 else whole.wrong - part.wrong
    return Slice("", whole.rows - part.rows, wrong, whole.positives - part.positives, whole.keys, positive, negative)


def _measures(whole: Slice, found: Sequence[Slice]) -> tuple[list[Measure], list[Measure]]:
    """Figures of the whole and of each slice, then each tested slice against all other cases, worst first."""
    ranked = len(whole.keys) > 1
    rows = [Measure("slices.rows", float(whole.rows), n=whole.rows)]
    for part in (whole, *found):
        rows += _own(part, ranked)
    compared: list[tuple[float, Measure]] = []
    for part in found:
        rest = _rest(whole, part)
        if part.rows < SHOW_FROM or rest.rows < TEST_FROM:
            continue
        compared += _errors(part, rest)
        if ranked and part.both_classes and rest.both_classes:
            compared.append(_area(part, rest))
    testable = [p for p, row in compared if row.detail["tested"]]
    corrected = iter(holm(testable))
    told = []
    for p, row in compared:
        adjusted = next(corrected) if row.detail["tested"] else None
        detail = {**row.detail, "p": p, "p_holm": adjusted, "comparisons": len(testable)}
        told.append(Measure(row.metric, row.value, row.group, row.low, row.high, row.n, row.text, row.reason, detail))
    told.sort(key=lambda row: (-(row.value or 0.0), row.group))
    if not testable:
        reason = f"No slice has {TEST_FROM} cases with labels, with as many outside it."
        told.append(Measure("slices.worse", None, reason=reason))
    return [*rows, *told], told


def _own(part: Slice, ranked: bool) -> list[Measure]:
    rows = []
    if part.rows < SHOW_FROM:
        reason = f"Only {part.rows} cases: under {SHOW_FROM} nothing is shown."
        return [Measure("slices.error_rate", None, part.name, n=part.rows, reason=reason)]
    if part.wrong >= 0:
        rate = wilson(part.wrong, part.rows, LEVEL)
        rows.append(Measure("slices.error_rate", rate.value, part.name, rate.low, rate.high, part.rows, detail={"level": LEVEL}))
    if ranked and part.both_classes:
        area = of_bins(part.positive, part.negative).interval(level=LEVEL)
        detail = {"positives": part.positives, "level": LEVEL}
        rows.append(Measure("slices.roc_auc", area.value, part.name, area.low, area.high, part.rows, detail=detail))
    return rows


def _errors(part: Slice, rest: Slice) -> list[tuple[float, Measure]]:
    if part.wrong < 0 or rest.wrong < 0:
        return []
    gap = newcombe(part.wrong, part.rows, rest.wrong, rest.rows, LEVEL)
    p = two_rates_p(part.wrong, part.rows, rest.wrong, rest.rows)
    detail = {
        "figure": "error rate",
        "slice": part.wrong / part.rows,
        "rest": rest.wrong / rest.rows,
        "tested": part.rows >= TEST_FROM,
        "level": LEVEL,
    }
    return [(p, Measure("slices.worse", gap.value, part.name, gap.low, gap.high, part.rows, "error rate", detail=detail))]


def _area(part: Slice, rest: Slice) -> tuple[float, Measure]:
    """How much lower the slice's AUC is than that of the rest: two independent sets of cases."""
    areas = [of_bins(each.positive, each.negative) for each in (part, rest)]
    own, other = (float(area.values[0]) for area in areas)
    spread = math.sqrt(sum(float(area.covariance[0, 0]) for area in areas))
    drop = other - own
    half = z_of(LEVEL) * spread
    p = two_sided_p(drop / spread) if spread > 0 else 1.0
    detail = {"figure": "AUC", "slice": own, "rest": other, "tested": True, "level": LEVEL}
    return p, Measure("slices.worse_auc", drop, part.name, drop - half, drop + half, part.rows, "AUC", detail=detail)
