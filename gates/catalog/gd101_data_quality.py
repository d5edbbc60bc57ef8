"""Faulty data (GD101)

## What it checks
The current sample (else the reference sample, else the prediction file), in one pass: missing values against the
reference, doubled rows and row keys, missing labels, columns that are constant, gone or of another type, category values
the reference never had, numbers beyond its range. And every failed expectation of an attached Great Expectations result,
with its column and count, every anomaly of a TensorFlow Data Validation report, or every failed test of data quality in a
report of Evidently or Deepchecks.

## Why it matters
A model learns and is judged from what is in the tables. An age of 130, a code nobody documented, a label that is missing
for one group: each makes every later figure doubtful. In the public Taiwan credit data 345 rows carry education codes
that the documentation does not know; in the Adult data a full stop behind the label splits the classes.

## What good enough looks like
Fail: a critical expectation fails, a column is gone or changed type, a row key is doubled or empty, labels are missing in
over 5 %, missing values rose by over 20 points, over 5 % of rows hold unseen values. Warn: other failed expectations,
labels missing over 1 %, a rise of over 5 points, over 1 % unseen values, over 0.1 % out of range, over 1 % doubled rows,
a constant column. Under 500 rows there is no verdict. All limits are conventions and editable.

## How to fix
Take the named column to its source: a changed export, a new code, a join that doubled rows, a unit. Correct it there and
draw the sample again; do not drop rows to make the gate pass. Where a new code is right, add it to the reference and to
the documentation.

## Tools
Great Expectations 1.x (there is no command line any more: run the checkpoint from Python and upload
`result.to_json_dict()`); 0.x results are read too. TensorFlow Data Validation: upload what `tfdv.write_anomalies_text` or
`MessageToJson` writes. Evidently (`run.json()`) and Deepchecks (`to_json(with_display=False)`): tests that only warn
there warn here; drift in such a report is shown by GD104. DuckDB or pandas for the counts.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import over, stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD101"
NAME = "data-quality"
COLLECTORS = ("data_quality",)
NEEDS = (
    "quality.rows",
    "quality.failed_expectations",
    "quality.failed_expectation",
    "quality.duplicate_rows",
    "quality.duplicate_keys",
    "quality.missing_keys",
    "quality.label_missing",
    "quality.missing",
    "quality.constant",
    "quality.unseen",
    "quality.out_of_range",
    "quality.missing_columns",
    "quality.changed_types",
)
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "The model is trained or judged on faulty data, so no other figure can be trusted."
LIMITS = {
    "min_rows": 500,
    "label_missing_warn": 0.01,
    "label_missing_fail": 0.05,
    "missing_increase_warn": 0.05,
    "missing_increase_fail": 0.20,
    "unseen_warn": 0.01,
    "unseen_fail": 0.05,
    "out_of_range_warn": 0.001,
    "out_of_range_fail": 1.0,
    "duplicate_rows_warn": 0.01,
    "duplicate_rows_fail": 1.0,
}
_SHOWN = 8


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Every finding is judged; the strictest decides and the others follow as notes."""
    if not measured.all("quality.rows") and not measured.all("quality.failed_expectations"):
        return not_assessed(
            measured.not_measured.get("data_quality", "The data were not looked at."),
            fix="Attach a current or reference sample, or a Great Expectations result.",
        )
    rows = measured.one("quality.rows")
    results = [*_expectations(measured), *_structure(measured), *_numbers(measured, limits)]
    if rows is not None and rows.value is not None and rows.value < limits["min_rows"]:
        results.append(
            not_assessed(
                f"{rows.text or 'The sample'} has {rows.value:.0f} rows; a verdict needs {limits['min_rows']}.",
                fix="Draw a larger sample.",
            )
        )
    if not results or all(result.verdict is Verdict.PASS for result in results):
        looked = f"{rows.value:,.0f} rows" if rows is not None and rows.value is not None else "the expectations"
        return stated(Verdict.PASS, f"Nothing beyond the limits in {looked}.", rows)
    decided = strictest(results)
    return decided if len(decided.notes) <= _SHOWN else _cut(decided)


def _cut(result: GateResult) -> GateResult:
    more = len(result.notes) - _SHOWN
    return GateResult(
        result.verdict,
        result.says,
        result.fix,
        result.observed,
        result.low,
        result.high,
        result.n,
        result.limit,
        result.group,
        result.metric,
        (*result.notes[:_SHOWN], f"And {more} more; see the measurements."),
    )


def _expectations(measured: Measured) -> Iterator[GateResult]:
    total = measured.one("quality.failed_expectations")
    for row in measured.all("quality.failed_expectation"):
        verdict = Verdict.FAIL if row.detail.get("severity", "critical") == "critical" else Verdict.WARN
        yield stated(
            verdict,
            f"{_sentence(row.text)}.",
            row,
            fix="Correct the named column at its source and validate again.",
            limit="no failed expectation",
        )
    if total is not None and total.value and not measured.all("quality.failed_expectation"):
        yield stated(Verdict.FAIL, f"{total.value:.0f} expectations failed.", total, fix="Correct the data and validate again.")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] if text else "An expectation failed"


def _structure(measured: Measured) -> Iterator[GateResult]:
    for metric, words, fix in (
        ("quality.missing_columns", "Columns of the reference are gone", "Add the columns, or renew the reference."),
        ("quality.changed_types", "Columns changed their type", "Write them as before, or renew the reference and the model."),
        ("quality.duplicate_keys", "Row keys are doubled", "Keep one row per case."),
        ("quality.missing_keys", "Row keys are empty", "Give every row its key."),
    ):
        for row in measured.all(metric):
            if row.value:
                where = f": {row.text}" if row.text else ""
                yield stated(Verdict.FAIL, f"{words} ({row.value:.0f}){where}.", row, fix=fix, limit="none")
    for row in measured.all("quality.constant"):
        yield stated(
            Verdict.WARN,
            f"Column {_column(row)} holds one value only.",
            row,
            fix="Leave the column out, or find why it no longer varies.",
        )


def _numbers(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    for row in measured.all("quality.missing"):
        increase = row.detail.get("increase")
        if increase is None:
            continue
        rise = Measure(row.metric, increase, row.group, n=row.n)
        yield over(
            rise,
            warn=limits["missing_increase_warn"],
            fail=limits["missing_increase_fail"],
            fmt=".1%",
            says=f"The rise of missing values in {_column(row)}",
            because="values stopped arriving",
            fix="Find which feed or join lost the values.",
        )
    for metric, name, words, because, fix in (
        (
            "quality.label_missing",
            "label_missing",
            "The share of missing labels",
            "the evaluation leaves these rows out",
            "Complete the labels.",
        ),
        (
            "quality.unseen",
            "unseen",
            "The share of rows with unseen values in {}",
            "the model never learned them",
            "Clean the codes, or renew the reference and retrain.",
        ),
        (
            "quality.out_of_range",
            "out_of_range",
            "The share of values beyond the known range in {}",
            "units or entries may be wrong",
            "Check units and limits at the source.",
        ),
        (
            "quality.duplicate_rows",
            "duplicate_rows",
            "The share of doubled rows",
            "a join may have multiplied them",
            "Remove the doubles at the source.",
        ),
    ):
        for row in measured.all(metric):
            yield over(
                row,
                warn=limits[f"{name}_warn"],
                fail=limits[f"{name}_fail"],
                says=words.format(_column(row)),
                because=because,
                fix=fix,
                fmt=".2%",
            )


def _column(row: Measure) -> str:
    return row.group.removeprefix("column=")


_CLEAN = {"quality.rows": 10_000.0, "quality.duplicate_rows": 0.0, "quality.missing_columns": 0.0, "quality.changed_types": 0.0}
EXAMPLES = (
    Example("clean", _CLEAN, Verdict.PASS),
    Example("exactly at the limits", {**_CLEAN, "quality.duplicate_rows": 0.01, "quality.label_missing": 0.01}, Verdict.PASS),
    Example("exactly at the fewest rows", {**_CLEAN, "quality.rows": 500.0}, Verdict.PASS),
    Example("labels missing for some", {**_CLEAN, "quality.label_missing": 0.03}, Verdict.WARN),
    Example(
        "undocumented codes",
        {**_CLEAN, "quality.unseen": Measure("quality.unseen", 0.0115, "column=EDUCATION", n=30_000)},
        Verdict.WARN,
    ),
    Example(
        "an age of 130",
        {
            "quality.failed_expectations": 1.0,
            "quality.failed_expectation": Measure(
                "quality.failed_expectation",
                1.0,
                "expectation=expect_column_values_to_be_between & column=age",
                n=4,
                text="column “age”: column values to be between does not hold for 1 rows",
                detail={"severity": "critical"},
            ),
        },
        Verdict.FAIL,
    ),
    Example(
        "a column is gone",
        {**_CLEAN, "quality.missing_columns": Measure("quality.missing_columns", 1.0, text="income")},
        Verdict.FAIL,
    ),
    Example(
        "a feed stopped",
        {**_CLEAN, "quality.missing": Measure("quality.missing", 0.4, "column=income", detail={"increase": 0.38})},
        Verdict.FAIL,
    ),
    Example("too few rows", {**_CLEAN, "quality.rows": 499.0}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
