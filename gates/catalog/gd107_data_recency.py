"""Old data (GD107)

## What it checks
The age of the newest training row on the day of handing in, read from the rows where the reference sample maps a time
column, else from the declared snapshot date; and, for each declared source, the days since its last refresh as the
register knows it. A declared snapshot date is compared with the newest row that was found, and the oldest row with how
long the register lets rows be kept.

## Why it matters
A model learns the world its data describe. Prices, products, fraud and people move on; a model trained on last year's
rows is a year late on its first day. A source that nobody refreshes any more goes on giving values, so nothing breaks and
nobody notices.

## What good enough looks like
Newest row and every source at most 180 days old: pass. Over 180 days warns, over 365 fails. A date in the future fails,
and so do rows older than every source's retention. A declared snapshot newer than the newest row warns. Sources without
a refresh date in the register are unknown, which never passes. The limits are conventions: tighten them by use (fraud in
days, mortality tables in years).

## How to fix
Train on newer rows, or refresh the source and enter the date in the register. If old data are right here (a rare event, a
finished trial), the policy author can set other limits for the use. Map `columns.time` in the reference sample, so that
the rows speak for themselves.

## Tools
`dbt source freshness`, Great Expectations' `expect_column_max_to_be_between` on the time column, Airflow data sets.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import over, stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD107"
NAME = "data-recency"
COLLECTORS = ("recency",)
NEEDS = ("recency.newest_row_days", "recency.refresh_days", "recency.snapshot_gap_days", "recency.sources")
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "The model answers for a world that is gone, and nobody sees it because nothing breaks."
LIMITS = {
    "row_days_warn": 180,
    "row_days_fail": 365,
    "refresh_days_warn": 180,
    "refresh_days_fail": 365,
    "unknown": "not_assessed",
}
_NEWER = "Train on newer data, or refresh the source and enter the date in the register."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """The newest row, then each source; the strictest decides."""
    row = measured.one("recency.newest_row_days")
    if row is None:
        return not_assessed(
            measured.not_measured.get("recency", "Nobody looked how old the data are."), fix="Declare data.snapshot_date."
        )
    results = [*_newest(row, limits), *_gap(measured), *_kept(measured), *_sources(measured, limits)]
    if all(result.verdict is Verdict.PASS for result in results):
        sources = len(measured.all("recency.refresh_days"))
        age = f"{row.value:.0f} days old ({row.text or 'declared'})"
        says = f"The newest training row is {age}, and {sources} source{'s were' if sources != 1 else ' was'} refreshed in time."
        return stated(Verdict.PASS, says, row, limit=f"<= {limits['row_days_warn']}")
    return strictest(results)


def _unknown(limits: Limits) -> Verdict:
    return Verdict.WARN if limits["unknown"] == "warn" else Verdict.NOT_ASSESSED


def _newest(row: Measure, limits: Limits) -> Iterator[GateResult]:
    if row.value is None:
        yield stated(
            _unknown(limits),
            row.reason or "The age of the newest row is not known.",
            row,
            fix="Map columns.time, or declare data.snapshot_date.",
        )
    elif row.value < 0:
        yield stated(
            Verdict.FAIL,
            f"The newest training row lies in the future ({row.text}).",
            row,
            fix="Correct the dates.",
            limit="not in the future",
        )
    else:
        yield over(
            row, warn=limits["row_days_warn"], fail=limits["row_days_fail"], says="The age of the newest training row in days",
            because="the world it describes has moved on", fix=_NEWER, fmt=".0f",
        )  # fmt: skip


def _gap(measured: Measured) -> Iterator[GateResult]:
    gap = measured.one("recency.snapshot_gap_days")
    if gap is not None and gap.value is not None and gap.value > 1:
        says = f"The declared snapshot date is {gap.value:.0f} days newer than the newest row ({gap.text})."
        yield stated(Verdict.WARN, says, gap, fix="Declare the day of the newest row.", limit="<= 1")


def _kept(measured: Measured) -> Iterator[GateResult]:
    row = measured.one("recency.over_retention_days")
    if row is not None and row.value is not None and row.value > 0:
        says = f"The oldest training row is kept {row.value:.0f} days longer than the register allows ({row.text})."
        yield stated(Verdict.FAIL, says, row, fix="Delete the rows beyond retention and train again.", limit="<= 0")


def _sources(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    none = measured.one("recency.sources")
    if none is not None and none.value is None:
        yield stated(_unknown(limits), none.reason, none, fix="Declare data.sources.")
    for row in measured.all("recency.refresh_days"):
        name = row.group.removeprefix("source=")
        if row.value is None:
            yield stated(_unknown(limits), row.reason, row, fix="Have the data steward enter the last refresh in the register.")
        else:
            yield over(
                row, warn=limits["refresh_days_warn"], fail=limits["refresh_days_fail"],
                says=f"The days since {name} was refreshed", because="nobody keeps it up to date", fix=_NEWER, fmt=".0f",
            )  # fmt: skip


_FRESH = {
    "recency.newest_row_days": Measure("recency.newest_row_days", 40.0, text="2026-10-12, read from train.parquet"),
    "recency.sources": 1.0,
    "recency.refresh_days": Measure("recency.refresh_days", 3.0, "source=s3://lake/loans/"),
}
EXAMPLES = (
    Example("fresh", _FRESH, Verdict.PASS),
    Example("exactly at the limit", {**_FRESH, "recency.newest_row_days": 180.0}, Verdict.PASS),
    Example("half a year and a day", {**_FRESH, "recency.newest_row_days": 181.0}, Verdict.WARN),
    Example("a year and a day", {**_FRESH, "recency.newest_row_days": 366.0}, Verdict.FAIL),
    Example("rows from tomorrow", {**_FRESH, "recency.newest_row_days": -1.0}, Verdict.FAIL),
    Example(
        "a source nobody refreshes",
        {**_FRESH, "recency.refresh_days": Measure("recency.refresh_days", 400.0, "source=old")},
        Verdict.FAIL,
    ),
    Example("rows beyond retention", {**_FRESH, "recency.over_retention_days": 12.0}, Verdict.FAIL),
    Example("declared newer than the rows", {**_FRESH, "recency.snapshot_gap_days": 30.0}, Verdict.WARN),
    Example(
        "the register does not know the refresh",
        {
            **_FRESH,
            "recency.refresh_days": Measure("recency.refresh_days", None, "source=x", reason="The register does not say."),
        },
        Verdict.NOT_ASSESSED,
    ),
    Example(
        "unknown where a person reads it",
        {
            **_FRESH,
            "recency.refresh_days": Measure("recency.refresh_days", None, "source=x", reason="The register does not say."),
        },
        Verdict.WARN,
        {"unknown": "warn"},
    ),
    Example("a tighter limit for fraud", {**_FRESH}, Verdict.FAIL, {"row_days_warn": 7, "row_days_fail": 30}),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
