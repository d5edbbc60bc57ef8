"""Open quality findings (GA104)

## What it checks
Results of static analysis in the SARIF report (`scan_report`) that are about quality, not security: those at SARIF level
`error` and those at `warning`. Suppressed results do not count; a scan that did not come to an end is no result.

## Why it matters
What an analyser is sure about (a name that does not exist, a resource never closed, an exception swallowed) fails later,
at night, in front of somebody.

## What good enough looks like
No result at level error; up to 50 warnings (a convention: lower it as your code allows).

## How to fix
Mend the results named, or suppress one in the source with the reason beside it: the suppression is in the report.

## Tools
Ruff, ESLint, SonarQube, CodeQL quality queries, SpotBugs, golangci-lint; all write SARIF.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_applicable, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GA104"
NAME = "code-quality"
COLLECTORS = ("static_analysis",)
NEEDS = ("scan.quality", "scan.broken")
KINDS = frozenset({Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "Defects that a machine already found fail in production."
LIMITS = {"required": True, "max_errors": 0, "max_warnings": 50}
_MEND = "Mend the results named, or suppress one in the source with its reason."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Errors fail, too many warnings warn, and a scan that broke off says nothing."""
    total = measured.one("scan.quality")
    if total is not None and total.detail.get("absent") and not limits["required"]:
        return not_applicable(f"{total.reason} The policy reads it where it is given.")
    if total is None or total.value is None:
        reason = (total.reason if total is not None else "") or measured.not_measured.get("static_analysis", "")
        reason = reason or "No scan report was read."
        return not_assessed(reason, fix="Hand in the SARIF report of the analyser as scan_report.")
    broken = measured.one("scan.broken")
    if broken is not None and broken.value:
        return not_assessed(f"The scan did not come to an end: {broken.text or 'see the report'}.", fix="Run the scan again.")
    results = list(_levels(measured, limits))
    if not results:
        return stated(Verdict.PASS, f"{total.value:,.0f} open quality findings, within the limits.", total)
    return strictest(results)


def _levels(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    # quality findings have no score: the collector reads SARIF's error as high and warning as medium
    for severity, word, verdict in (("high", "errors", Verdict.FAIL), ("medium", "warnings", Verdict.WARN)):
        row, limit = measured.one("scan.quality", f"severity={severity}"), limits[f"max_{word}"]
        if row is not None and row.value is not None and row.value > limit:
            says = f"{row.value:,.0f} open {word} of static analysis: {row.text or 'see the report'}."
            yield stated(verdict, says, row, fix=_MEND, limit=f"<= {limit}")


_CLEAN = {"scan.quality": 0.0, "scan.broken": 0.0}


def _of(severity: str, count: float) -> dict[str, object]:
    rows = [Measure("scan.quality", count), Measure("scan.quality", count, f"severity={severity}", text="F821 (app.py:3)")]
    return {**_CLEAN, "scan.quality": rows}


_ABSENT = Measure("scan.quality", None, reason="None was handed in.", detail={"absent": True})
EXAMPLES = (
    Example("clean", _CLEAN, Verdict.PASS),
    Example("an error", _of("high", 1.0), Verdict.FAIL),
    Example("exactly at the limit of warnings", _of("medium", 50.0), Verdict.PASS),
    Example("more warnings", _of("medium", 51.0), Verdict.WARN),
    Example("the scan broke off", {**_CLEAN, "scan.broken": 1.0}, Verdict.NOT_ASSESSED),
    Example("none given, none asked for", {"scan.quality": _ABSENT}, Verdict.NOT_APPLICABLE, {"required": False}),
    Example("none given, one asked for", {"scan.quality": _ABSENT}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
