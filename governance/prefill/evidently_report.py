"""Evidently's report as JSON (0.7: `Report(...).run(...).json()`): tests of data quality, and drift by column.

Only what is about the data counts: tests of a model's performance in the same report are Evidently's business, not data quality.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from governance.prefill.reported_tests import ReportedDrift, ReportedTest, ReportedTests, figure, part, rows, words

TOOL = "Evidently"
_QUALITY = frozenset(
    {
        *("MissingValueCount", "DatasetMissingValueCount", "DuplicatedRowCount", "DuplicatedColumnsCount", "EmptyRowsCount"),
        *("EmptyColumnsCount", "ConstantColumnsCount", "AlmostConstantColumnsCount", "AlmostDuplicatedColumnsCount"),
        *("RowCount", "ColumnCount", "InRangeValueCount", "OutRangeValueCount", "InListValueCount", "OutListValueCount"),
        *("CategoryCount", "UniqueValueCount", "MinValue", "MaxValue", "MeanValue", "MedianValue", "StdValue", "SumValue"),
        "QuantileValue",
    }
)
_BAD_ROWS = frozenset({"MissingValueCount", "DuplicatedRowCount", "OutRangeValueCount", "OutListValueCount", "EmptyRowsCount"})
"""Metrics whose value is the number of rows at fault; of the others a number would say something else."""


def is_report(data: Any) -> bool:
    """Whether a document is a report of Evidently 0.7 or later."""
    return isinstance(data, Mapping) and any(_kind(part(row, "config")) for _, row in rows(data, "metrics"))


def report_of(data: Any) -> ReportedTests:
    """Tests and drift of a report; what has not the form of one is left out."""
    values = {str(row.get("id")): row.get("value") for _, row in rows(data, "metrics")}
    tests, not_run, others = list[ReportedTest](), list[str](), 0
    verdicts: dict[str, str] = {}
    for at, row in rows(data, "tests"):
        config = part(row, "metric_config")
        params, number = part(config, "params"), str(config.get("metric_id"))
        kind, status = _kind(params), str(row.get("status"))
        name = words(row.get("name")) or kind
        if kind == "ValueDrift":
            verdicts[number] = status
        elif kind not in _QUALITY:
            others += 1
        elif status == "SKIPPED":
            not_run.append(name)
        else:
            count, percent = _count(kind, values.get(number))
            tests.append(
                ReportedTest(
                    kind, words(params.get("column")), status == "SUCCESS", name, f"tests[{at}]",
                    "warning" if status == "WARNING" else "critical", count, percent, status == "ERROR",
                )
            )  # fmt: skip
    return ReportedTests(TOOL, tuple(tests), tuple(_drift(data, verdicts)), tuple(not_run), others)


def _kind(params: Mapping[str, Any]) -> str:
    """`evidently:metric_v2:RowCount` -> RowCount; "" for anything else."""
    name = params.get("type")
    return words(name.rpartition(":")[2], 60) if isinstance(name, str) and name.startswith("evidently:metric_v2:") else ""


def _count(kind: str, value: Any) -> tuple[int | None, float | None]:
    if kind not in _BAD_ROWS:
        return None, None
    count = figure(value.get("count") if isinstance(value, Mapping) else value)
    share = figure(value.get("share")) if isinstance(value, Mapping) else None
    return None if count is None else int(count), None if share is None else 100 * share


def _drift(data: Any, verdicts: Mapping[str, str]) -> Iterator[ReportedDrift]:
    for _, row in rows(data, "metrics"):
        config = part(row, "config")
        column = words(config.get("column"))
        if _kind(config) != "ValueDrift" or not column:
            continue
        score, limit, method = figure(row.get("value")), figure(config.get("threshold")), words(config.get("method"), 60)
        said = verdicts.get(str(row.get("id")))
        if said is not None:
            drifted = {"SUCCESS": False, "FAIL": True, "WARNING": True}.get(said)
        elif score is None or limit is None:
            drifted = None
        else:  # a p-value is small where a distance is large
            drifted = score < limit if "p_value" in method else score >= limit
        yield ReportedDrift(column, method, score, limit, drifted)
