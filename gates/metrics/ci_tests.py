"""What the tests of CI say: unit tests (`test_report`), and integration or staging tests (`integration_report`), as JUnit XML."""

from __future__ import annotations

from collections.abc import Iterable

from gates.collecting import Collected, Inputs
from gates.readers import junit
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "ci_tests"
TITLE = "Reading the test reports"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.TEST_REPORT, EvidenceRole.INTEGRATION_REPORT)
USES_FACTS: tuple[str, ...] = ()
_PARTS = (("tests", EvidenceRole.TEST_REPORT), ("integration", EvidenceRole.INTEGRATION_REPORT))


def collect(inputs: Inputs) -> Collected:
    """Counts named `tests.*` and `integration.*`; a report that was not handed in is a measure without a value."""
    measures: list[Measure] = []
    notes: list[str] = []
    for prefix, role in _PARTS:
        evidence = inputs.evidence.get(role)
        if evidence is None:
            measures.append(Measure(f"{prefix}.ran", None, reason=f"No test report was handed in as “{role.value}”."))
            continue
        report = junit.read(evidence)
        measures.extend(_counts(prefix, report, evidence.name))
        made = f", written {report.newest}" if report.newest else ""
        notes.append(f"{evidence.name}: {report.total:,} tests in {report.seconds:.1f} s{made}.")
    return Collected(tuple(measures), notes=tuple(notes))


def _counts(prefix: str, report: junit.TestReport, name: str) -> Iterable[Measure]:
    bad = report.failed + report.errors
    yield Measure(f"{prefix}.ran", float(report.ran), n=report.total, text=name)
    yield Measure(f"{prefix}.failed", float(bad), n=report.ran, text=", ".join(report.names[:10]))
    yield Measure(f"{prefix}.skipped_share", report.skipped / report.total if report.total else 0.0, n=report.total)
    yield Measure(f"{prefix}.repeated", float(report.again), n=report.ran)
    if report.stated is not None:
        text = f"{report.stated:,} stated, {report.total:,} in the file"
        yield Measure(f"{prefix}.missing", float(abs(report.stated - report.total)), text=text)
