"""Pipeline whose lineage does not hold (GL101)

## What it checks
What the pipeline read and wrote, from its own record (`lineage`: OpenLineage events or `dvc.lock`): each data set read
has an entry in the register with an owner and an approval, and was declared (`data.sources`, `data.outputs`). The last
run came to a good end.

## Why it matters
A pipeline that reads what nobody answers for hands it on to everybody downstream. Without a record of what went in,
nobody can say which tables a wrong source has reached.

## What good enough looks like
Every data set read is registered, approved and owned; none was touched undeclared; at least one output; the last run
completed.

## How to fix
Register the source in the register of data sources and have it approved; declare what the run really reads. Turn on the
OpenLineage integration of your scheduler, so that the record writes itself.

## Tools
OpenLineage for Airflow, Spark, dbt and Flink, with its file or HTTP transport; Marquez to look at it; DVC.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GL101"
NAME = "pipeline-lineage"
COLLECTORS = ("pipeline_lineage",)
NEEDS = ("pipeline.inputs", "pipeline.outputs", "pipeline.unregistered", "pipeline.without_owner")
KINDS = frozenset({Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "Wrong or unapproved data reaches everybody downstream, and nobody can say whom."
LIMITS = {"max_unregistered": 0}
_REGISTER = "Have the data set registered, with an owner, and approved by the data steward."
_WRONG = (
    ("pipeline.unapproved", "Read, registered, but not approved", _REGISTER),
    ("pipeline.without_owner", "Read, but nobody owns it", "Have an owner entered in the register."),
    ("pipeline.undeclared_inputs", "Read, but not declared", "Declare it in data.sources, or stop reading it."),
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """What was read first, then what was written and how the run ended; the strictest decides."""
    read, unknown = measured.one("pipeline.inputs"), measured.one("pipeline.unregistered")
    if read is None or read.value is None:
        reason = measured.not_measured.get("pipeline_lineage", "The lineage was not looked at.")
        return not_assessed(reason, fix="Hand in OpenLineage events or dvc.lock as lineage.")
    if unknown is None or unknown.value is None:
        reason = unknown.reason if unknown is not None else ""
        return not_assessed(reason or "The sources were not looked up in the register.", fix="Run the check again.")
    results = [*_sources(measured, unknown, limits), *_run(measured)]
    if results:
        return strictest(results)
    written = measured.one("pipeline.outputs")
    count = written.value if written is not None and written.value is not None else 0.0
    says = f"All {read.value:.0f} data sets read are registered, approved and owned; {count:.0f} are written."
    return stated(Verdict.PASS, says, read, limit="all registered")


def _sources(measured: Measured, unknown: Measure, limits: Limits) -> Iterator[GateResult]:
    most = limits["max_unregistered"]
    if (unknown.value or 0.0) > most:
        says = f"Read, but in no register: {unknown.text or f'{unknown.value:.0f} data sets'}."
        yield stated(Verdict.FAIL, says, unknown, fix=_REGISTER, limit=f"<= {most}")
    for metric, words, fix in _WRONG:
        row = measured.one(metric)
        if row is not None and row.value:
            yield stated(Verdict.FAIL, f"{words}: {row.text or f'{row.value:.0f}'}.", row, fix=fix, limit="none")


def _run(measured: Measured) -> Iterator[GateResult]:
    written, last = measured.one("pipeline.outputs"), measured.one("pipeline.last_run")
    if written is None or not written.value:
        yield not_assessed("The record names no data set that is written.", fix="Hand in the events of a whole run.")
    undeclared = measured.one("pipeline.undeclared_outputs")
    if undeclared is not None and undeclared.value:
        says = f"Written, but not declared: {undeclared.text or f'{undeclared.value:.0f}'}."
        yield stated(Verdict.WARN, says, undeclared, fix="Declare it in data.outputs.", limit="none")
    if last is not None and last.value == 0:
        fix = "Mend the pipeline and hand in the record of a run that completed."
        yield stated(Verdict.FAIL, f"The last run did not complete ({last.text or 'failed'}).", last, fix=fix, limit="COMPLETE")


_WHOLE = {
    "pipeline.inputs": 2.0,
    "pipeline.outputs": 1.0,
    "pipeline.unregistered": 0.0,
    "pipeline.unapproved": 0.0,
    "pipeline.without_owner": 0.0,
    "pipeline.last_run": 1.0,
}
_SCRAPED = Measure("pipeline.unregistered", 1.0, text="s3://lake/scraped")
EXAMPLES = (
    Example("all registered", _WHOLE, Verdict.PASS),
    Example("a source in no register", {**_WHOLE, "pipeline.unregistered": _SCRAPED}, Verdict.FAIL),
    Example("exactly at a limit of one", {**_WHOLE, "pipeline.unregistered": 1.0}, Verdict.PASS, {"max_unregistered": 1}),
    Example("nobody owns one", {**_WHOLE, "pipeline.without_owner": 1.0}, Verdict.FAIL),
    Example("the last run failed", {**_WHOLE, "pipeline.last_run": 0.0}, Verdict.FAIL),
    Example("writes more than declared", {**_WHOLE, "pipeline.undeclared_outputs": 1.0}, Verdict.WARN),
    Example("nothing written", {**_WHOLE, "pipeline.outputs": 0.0}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
