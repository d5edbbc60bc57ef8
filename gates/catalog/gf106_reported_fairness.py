"""Reported fairness that is not measured (GF106)

## What it checks
A fairness table of Aequitas or Fairlearn handed in as a test report, against the same rates and disparities counted here from the
predictions: selection rate (pprev), true and false positive and negative rates, precision and the like, group by group,
and each disparity to the table's own reference group. Reported figures stand beside ours and never replace them.

## Why it matters
A table is easily that of another version, another threshold or another evaluation set. If two tools give two ratios for
the same data, one of them did not see the same data, and nobody knows which one a decision rests on.

## What good enough looks like
Every figure agrees to 0.000000001. A difference up to 0.005 warns: the table was probably rounded. Beyond it, or with
groups that the predictions do not hold, the table speaks of something else and fails. Without a table the gate does not
apply: the fairness gates measure by themselves.

## How to fix
Make the table again from the very predictions you hand in, without rounding, and with the same spelling of groups. If you
weight or filter rows before, hand in the predictions after that step.

## Tools
Aequitas: `Group().get_crosstabs(df)`, then `Bias().get_disparity_major_group(...)` and `to_csv(index=False)`. Its
significance columns are not read: they rest on tests that do not fit 0/1 data. Fairlearn: `metric_frame.by_group.to_csv()`,
or `to_json(orient="table")`, with the metrics under their own names and the attributes mapped as sensitive.
"""

from __future__ import annotations

from gates.judging import over, stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GF106"
NAME = "reported-fairness-agrees"
COLLECTORS = ("fairness_report",)
NEEDS = ("fairness_report.difference", "fairness_report.compared", "fairness_report.unmatched")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC
RISK = "A decision rests on a fairness table of another version or other data."
LIMITS = {"tolerance": 1e-9, "rounding": 0.005}
_FIX = "Make the table again from the predictions you hand in, without rounding."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """The largest difference, and groups that nobody has."""
    row = measured.one("fairness_report.difference")
    if row is None or row.value is None:
        reason = (row.reason if row is not None else "") or measured.not_measured.get("fairness_report", "No table was compared.")
        return not_assessed(reason, fix="Hand in the predictions beside the table.")
    results = [
        over(
            row, warn=limits["tolerance"], fail=limits["rounding"], says=f"The largest difference to the table ({row.text})",
            because="the table was rounded, or made from other data", fix=_FIX, fmt=".2g",
        )
    ]  # fmt: skip
    unmatched = measured.one("fairness_report.unmatched")
    if unmatched is not None and unmatched.value:
        says = f"The table speaks of groups that the predictions do not hold: {unmatched.text or f'{unmatched.value:.0f}'}."
        results.append(stated(Verdict.FAIL, says, unmatched, fix=_FIX, limit="none"))
    return strictest(results)


_SAME = {
    "fairness_report.difference": Measure("fairness_report.difference", 2e-16, text="fpr of race=a"),
    "fairness_report.unmatched": 0.0,
}
EXAMPLES = (
    Example("the same", _SAME, Verdict.PASS),
    Example("exactly at the limit", {**_SAME, "fairness_report.difference": 1e-9}, Verdict.PASS),
    Example("rounded to two digits", {**_SAME, "fairness_report.difference": 0.004}, Verdict.WARN),
    Example("another threshold", {**_SAME, "fairness_report.difference": 0.12}, Verdict.FAIL),
    Example("a group nobody has", {**_SAME, "fairness_report.unmatched": 1.0}, Verdict.FAIL),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
