"""Failing integration tests (GA103)

## What it checks
The JUnit report of the tests against the other systems, run in staging or with them in containers
(`integration_report`): how many ran, failed, were skipped or repeated, and whether the file is whole.

## Why it matters
Parts that work alone fail together: another schema, a missing right, a slower answer. Staging is the last place where
that costs nothing.

## What good enough looks like
No failed test and no error; at least one test ran; at most a tenth skipped (a warning above). A file whose stated total
is not the number of tests in it was cut short or put together by hand, and fails.

## How to fix
Deploy the same build to staging, run the integration tests there and hand in their report.

## Tools
Testcontainers, Playwright, Postman's Newman, `pytest --junitxml` with a staging address.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import over, stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GA103"
NAME = "integration-tests-pass"
COLLECTORS = ("ci_tests",)
NEEDS = ("integration.ran", "integration.failed", "integration.skipped_share")
KINDS = frozenset({Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "The build fails together with the systems around it, in front of customers."
LIMITS = {"min_tests": 1, "max_failed": 0, "max_skipped_share_warn": 0.10, "max_skipped_share_fail": 0.50}
_ADD = "Hand in the JUnit XML of that run as integration_report."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Failures first, then how many ran, were skipped, or needed repeating; the strictest decides."""
    ran, failed = measured.one("integration.ran"), measured.one("integration.failed")
    if ran is None or ran.value is None or failed is None or failed.value is None:
        reason = (ran.reason if ran is not None else "") or measured.not_measured.get("ci_tests", "")
        return not_assessed(reason or "No test report was read.", fix=_ADD)
    results = [*_outcome(ran.value, failed, limits), *_whole(measured, limits)]
    if all(result.verdict is Verdict.PASS for result in results):
        return stated(Verdict.PASS, f"{ran.value:,.0f} tests ran, none failed.", failed, limit=f"<= {limits['max_failed']}")
    return strictest(results)


def _outcome(ran: float, failed: Measure, limits: Limits) -> Iterator[GateResult]:
    bad, most, least = failed.value or 0.0, limits["max_failed"], limits["min_tests"]
    if bad > most:
        says = f"{bad:,.0f} of {ran:,.0f} tests failed: {failed.text or 'see the report'}."
        yield stated(Verdict.FAIL, says, failed, fix="Mend what fails, then run and hand in again.", limit=f"<= {most}")
    if ran < least:
        says = f"{ran:,.0f} tests ran, at least {least} are asked for."
        yield stated(Verdict.FAIL, says, failed, fix="Run the tests, not only their collection.", limit=f">= {least}")


def _whole(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    skipped, repeated, missing = (measured.one(f"integration.{name}") for name in ("skipped_share", "repeated", "missing"))
    if skipped is not None and skipped.value is not None:
        yield over(
            skipped, warn=limits["max_skipped_share_warn"], fail=limits["max_skipped_share_fail"],
            says="The share of skipped tests", because="what is skipped tells nothing", fix="Run them, or take them out.",
        )  # fmt: skip
    if repeated is not None and repeated.value:
        says = f"{repeated.value:.0f} tests passed only when they were repeated."
        yield stated(Verdict.WARN, says, repeated, fix="Find out why they are not stable.", limit="none")
    if missing is not None and missing.value:
        says = f"The report is not whole: {missing.text or 'the totals do not agree'}."
        yield stated(Verdict.FAIL, says, missing, fix="Hand in the file as the test runner wrote it.", limit="whole")


_GOOD = {"integration.ran": 420.0, "integration.failed": 0.0, "integration.skipped_share": 0.02}
_CUT = Measure("integration.missing", 3.0, text="10 stated, 7 in the file")
EXAMPLES = (
    Example("all passed", _GOOD, Verdict.PASS),
    Example("one failed", {**_GOOD, "integration.failed": 1.0}, Verdict.FAIL),
    Example("exactly a tenth skipped", {**_GOOD, "integration.skipped_share": 0.10}, Verdict.PASS),
    Example("more skipped", {**_GOOD, "integration.skipped_share": 0.11}, Verdict.WARN),
    Example("nothing ran", {**_GOOD, "integration.ran": 0.0}, Verdict.FAIL),
    Example("passed when repeated", {**_GOOD, "integration.repeated": 2.0}, Verdict.WARN),
    Example("cut short", {**_GOOD, "integration.missing": _CUT}, Verdict.FAIL),
    Example(
        "no report",
        {"integration.ran": Measure("integration.ran", None, reason="No report.")},
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
