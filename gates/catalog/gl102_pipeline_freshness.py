"""Data later than promised (GL102)

## What it checks
When the pipeline last came to a good end (from its OpenLineage record, else `pipeline.last_success_at`), against what its
consumers were promised (`pipeline.promised_hours`). Days are counted: the day of handing in is what is on record.

## Why it matters
Those downstream do not see that data is old: their figures look as always. A promise that is not kept before deployment
will not be kept after it.

## What good enough looks like
The last good run is no older than promised; up to a day late warns, later fails. Without a promise or a good run there is
nothing to judge.

## How to fix
Run the pipeline and hand in its record; or agree on another promise with the consumers, and write it down.

## Tools
`dbt source freshness`, Airflow data sets, Great Expectations on the time column, OpenLineage run events.
"""

from __future__ import annotations

from gates.judging import over
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GL102"
NAME = "pipeline-freshness"
COLLECTORS = ("pipeline_lineage",)
NEEDS = ("pipeline.late_days", "pipeline.age_days")
KINDS = frozenset({Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "Decisions downstream are made on yesterday's data, and nobody notices."
LIMITS = {"late_days_warn": 0.0, "late_days_fail": 1.0}
_RUN = "Run the pipeline and hand in its record, or agree on another promise with the consumers."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Days later than promised."""
    late, age = measured.one("pipeline.late_days"), measured.one("pipeline.age_days")
    if late is None or late.value is None:
        reasons = [row.reason for row in (age, late) if row is not None and row.value is None and row.reason]
        reason = reasons[0] if reasons else measured.not_measured.get("pipeline_lineage", "Nobody looked how fresh the data is.")
        return not_assessed(reason, fix="Give pipeline.promised_hours, and the record of a run that completed.")
    says = f"The delay in days ({late.text})" if late.text else "The delay in days"
    return over(
        late, warn=limits["late_days_warn"], fail=limits["late_days_fail"], says=says,
        because="those downstream work on old data", fix=_RUN, fmt=".1f",
    )  # fmt: skip


_UNSAID = Measure("pipeline.late_days", None, reason="Nobody said how fresh its data has to be.")
EXAMPLES = (
    Example("exactly at the limit: as promised", {"pipeline.late_days": 0.0, "pipeline.age_days": 1.0}, Verdict.PASS),
    Example("a day late", {"pipeline.late_days": 1.0, "pipeline.age_days": 2.0}, Verdict.WARN),
    Example("a week late", {"pipeline.late_days": 7.0, "pipeline.age_days": 8.0}, Verdict.FAIL),
    Example("no promise", {"pipeline.late_days": _UNSAID}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
