"""Open security findings (GA105)

## What it checks
Results of the SARIF report (`scan_report`) that are about security, by severity: the CVSS score of the rule
(`security-severity`) in the bands of CVSS 3.1, else the SARIF level. Secrets a scanner found count with them, whatever
their severity. Suppressed results do not count. Where scan and submission both name a commit, it has to be the same.

## Why it matters
An injection or a missing check of rights is found from outside within days. What the scanner found, others find too.

## What good enough looks like
None critical, none high, no secret; up to ten medium ones (a warning above). The limits are the policy's.

## How to fix
Mend them, highest first. A false alarm is suppressed in the source with its reason. What cannot be mended in time needs a
waiver with a control in its place.

## Tools
CodeQL, Semgrep, Bandit, gosec, Trivy, Gitleaks, Checkov for infrastructure; all write SARIF.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_applicable, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GA105"
NAME = "security-findings"
COLLECTORS = ("static_analysis",)
NEEDS = ("scan.security", "scan.secret", "scan.broken")
KINDS = frozenset({Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.SECURITY
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "Somebody gets in through a door the scanner had already found."
LIMITS = {"required": True, "max_critical": 0, "max_high": 0, "max_medium": 10, "max_secrets": 0}
_MEND = "Mend them, highest severity first; suppress a false alarm in the source with its reason."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """By severity; secrets and another commit fail as well; a scan that broke off says nothing."""
    total = measured.one("scan.security")
    if total is not None and total.detail.get("absent") and not limits["required"]:
        return not_applicable(f"{total.reason} The policy reads it where it is given.")
    if total is None or total.value is None:
        reason = (total.reason if total is not None else "") or measured.not_measured.get("static_analysis", "")
        reason = reason or "No scan report was read."
        return not_assessed(reason, fix="Hand in the SARIF report of the scanner as scan_report.")
    broken = measured.one("scan.broken")
    if broken is not None and broken.value:
        return not_assessed(f"The scan did not come to an end: {broken.text or 'see the report'}.", fix="Run the scan again.")
    results = [*_severities(measured, limits), *_others(measured, limits)]
    if not results:
        return stated(Verdict.PASS, f"{total.value:,.0f} open security findings, within the limits.", total)
    return strictest(results)


def _severities(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    for severity in ("critical", "high", "medium"):
        row, limit = measured.one("scan.security", f"severity={severity}"), limits[f"max_{severity}"]
        if row is not None and row.value is not None and row.value > limit:
            says = f"{row.value:,.0f} open {severity} security findings: {row.text or 'see the report'}."
            yield stated(Verdict.WARN if severity == "medium" else Verdict.FAIL, says, row, fix=_MEND, limit=f"<= {limit}")


def _others(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    secret, commit = measured.one("scan.secret"), measured.one("scan.commit")
    most = limits["max_secrets"]
    if secret is not None and secret.value is not None and secret.value > most:
        says = f"{secret.value:,.0f} secrets in the code: {secret.text or 'see the report'}."
        yield stated(Verdict.FAIL, says, secret, fix="Revoke them, then take them out of the code.", limit=f"<= {most}")
    if commit is not None and commit.value == 0:
        says = f"Another commit was scanned: {commit.text or 'they differ'}."
        yield stated(Verdict.FAIL, says, commit, fix="Scan the commit that is handed in.", limit="the same")


_CLEAN = {"scan.security": 0.0, "scan.secret": 0.0, "scan.broken": 0.0}


def _of(severity: str, count: float) -> dict[str, object]:
    place = "py/sql-injection (app/db.py:7)"
    rows = [Measure("scan.security", count), Measure("scan.security", count, f"severity={severity}", text=place)]
    return {**_CLEAN, "scan.security": rows}


_ABSENT = Measure("scan.security", None, reason="None was handed in.", detail={"absent": True})
EXAMPLES = (
    Example("clean", _CLEAN, Verdict.PASS),
    Example("one high", _of("high", 1.0), Verdict.FAIL),
    Example("one critical", _of("critical", 1.0), Verdict.FAIL),
    Example("exactly at the limit of medium ones", _of("medium", 10.0), Verdict.PASS),
    Example("more medium ones", _of("medium", 11.0), Verdict.WARN),
    Example("a secret", {**_CLEAN, "scan.secret": 1.0}, Verdict.FAIL),
    Example("another commit", {**_CLEAN, "scan.commit": 0.0}, Verdict.FAIL),
    Example("the scan broke off", {**_CLEAN, "scan.broken": 1.0}, Verdict.NOT_ASSESSED),
    Example("none given, none asked for", {"scan.security": _ABSENT}, Verdict.NOT_APPLICABLE, {"required": False}),
    Example("none given, one asked for", {"scan.security": _ABSENT}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
