"""What a JUnit report says of a run of tests, judged: for the gates on a build's own tests and on its integration tests."""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import over, stated, strictest
from gates.spec import GateResult, Limits, Measure, Measured, not_assessed
from governance.domain.vocabulary import Verdict


def judge_tests(measured: Measured, limits: Limits, *, run: str, role: str) -> GateResult:
    """Failures first, then how many ran, were skipped, or needed repeating; the strictest decides.

    `run`: what the measurements are named by (`tests`, `integration`); `role`: the evidence that the report comes as.
    """
    ran, failed = measured.one(f"{run}.ran"), measured.one(f"{run}.failed")
    if ran is None or ran.value is None or failed is None or failed.value is None:
        reason = (ran.reason if ran is not None else "") or measured.not_measured.get("ci_tests", "")
        return not_assessed(reason or "No test report was read.", fix=f"Hand in the JUnit XML of that run as {role}.")
    results = [*_outcome(ran.value, failed, limits), *_whole(measured, limits, run)]
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


def _whole(measured: Measured, limits: Limits, run: str) -> Iterator[GateResult]:
    skipped, repeated, missing = (measured.one(f"{run}.{name}") for name in ("skipped_share", "repeated", "missing"))
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
