"""Failing tests (GA102)

## What it checks
The JUnit report of the build's own tests (`test_report`): how many ran, failed or stopped with an error, were skipped,
or passed only when repeated, and whether the file is whole. What a test printed is not kept.

## Why it matters
A build whose tests fail has a known defect. A build whose tests did not run has unknown ones, which is worse.

## What good enough looks like
No failed test and no error; at least one test ran; at most a tenth skipped (a warning above). A file whose stated total
is not the number of tests in it was cut short or put together by hand, and fails.

## How to fix
Mend what fails. Run the whole suite in CI and hand in the file it writes, unchanged.

## Tools
`pytest --junitxml`, Maven Surefire, Gradle, `jest-junit`, `gotestsum --junitfile`.
"""

from __future__ import annotations

from gates.reported_tests import judge_tests
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GA102"
NAME = "tests-pass"
COLLECTORS = ("ci_tests",)
NEEDS = ("tests.ran", "tests.failed", "tests.skipped_share")
KINDS = frozenset({Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.PLATFORM_ENGINEER
MODE = Mode.AUTOMATIC
RISK = "A known defect goes into production."
LIMITS = {"min_tests": 1, "max_failed": 0, "max_skipped_share_warn": 0.10, "max_skipped_share_fail": 0.50}


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Failures first, then how many ran, were skipped, or needed repeating; the strictest decides."""
    return judge_tests(measured, limits, run="tests", role="test_report")


_GOOD = {"tests.ran": 420.0, "tests.failed": 0.0, "tests.skipped_share": 0.02}
_CUT = Measure("tests.missing", 3.0, text="10 stated, 7 in the file")
EXAMPLES = (
    Example("all passed", _GOOD, Verdict.PASS),
    Example("one failed", {**_GOOD, "tests.failed": 1.0}, Verdict.FAIL),
    Example("exactly a tenth skipped", {**_GOOD, "tests.skipped_share": 0.10}, Verdict.PASS),
    Example("more skipped", {**_GOOD, "tests.skipped_share": 0.11}, Verdict.WARN),
    Example("nothing ran", {**_GOOD, "tests.ran": 0.0}, Verdict.FAIL),
    Example("passed when repeated", {**_GOOD, "tests.repeated": 2.0}, Verdict.WARN),
    Example("cut short", {**_GOOD, "tests.missing": _CUT}, Verdict.FAIL),
    Example("no report", {"tests.ran": Measure("tests.ran", None, reason="No report.")}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
