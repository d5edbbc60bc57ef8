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

from gates.reported_tests import judge_tests
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode
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


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Failures first, then how many ran, were skipped, or needed repeating; the strictest decides."""
    return judge_tests(measured, limits, run="integration", role="integration_report")


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
