"""Drift as Evidently or Deepchecks report it, beside what is measured here. It decides nothing: their limits are others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from gates.collecting import EvidenceProblem, Inputs, Picture
from gates.readers import quality_reports
from gates.spec import Measure
from governance.prefill.reported_tests import ReportedDrift, ReportedTests

MOST, SHOWN = 300, 15


@dataclass(frozen=True)
class Reported:
    """What a report says of drift: rows to store, a sentence, and a picture where there is something to compare."""

    measures: tuple[Measure, ...] = ()
    note: str = ""
    pictures: tuple[Picture, ...] = ()


def reported(inputs: Inputs, measured: Mapping[str, Measure]) -> Reported:
    """`drift.reported` for each column a report speaks of. `measured`: column -> its PSI here.

    A report that cannot be read is a note: what is wrong with the file the check of data quality says.
    """
    evidence = inputs.evidence.get("data_quality_report")
    if evidence is None or not quality_reports.looks_like(evidence):
        return Reported()
    try:
        report = quality_reports.read(evidence)
    except EvidenceProblem:
        return Reported(note=f"{evidence.name} could not be read, so no reported drift is shown.")
    if not report.drift:
        return Reported()
    rows = tuple(_row(report.tool, each) for each in report.drift[:MOST])
    compared = [each for each in report.drift[:MOST] if each.column in measured]
    return Reported(rows, _sentence(report, evidence.name), (_picture(report, compared, measured),) if compared else ())


def _row(tool: str, each: ReportedDrift) -> Measure:
    detail = {"tool": tool, "method": each.method, "limit": each.limit, "drifted": each.drifted}
    return Measure("drift.reported", each.score, group=f"feature={each.column}", text=_words(tool, each), detail=detail)


def _words(tool: str, each: ReportedDrift) -> str:
    says = {True: "reports drift", False: "reports no drift", None: "gives a figure and no verdict"}[each.drifted]
    limit = f", its limit {each.limit:.3g}" if each.limit is not None else ""
    figure = f"{each.score:.3g}" if each.score is not None else "no figure"
    return f"{each.column}: {tool} {says} ({each.method or 'method not said'}: {figure}{limit})"


def _sentence(report: ReportedTests, name: str) -> str:
    found = [each.column for each in report.drift if each.drifted]
    named = f" ({', '.join(found[:10])})" if found else ""
    return (
        f"{report.tool} reports drift in {len(found)} of {len(report.drift)} columns{named}, see {name}. It decides nothing here."
    )


def _picture(report: ReportedTests, compared: Sequence[ReportedDrift], measured: Mapping[str, Measure]) -> Picture:
    psi = {each.column: measured[each.column].value or 0.0 for each in compared}
    ranked = sorted(compared, key=lambda each: (-psi[each.column], each.column))
    verdict = {True: "drift", False: "no drift", None: "no verdict"}
    values = [
        {"feature": each.column, "psi": round(psi[each.column], 5), "reported": verdict[each.drifted]} for each in ranked[:SHOWN]
    ]
    order = list(verdict.values())
    spec = {
        "width": 560,
        "data": {"values": values},
        "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
        "encoding": {
            "y": {"field": "feature", "type": "nominal", "sort": None, "title": None},
            "x": {"field": "psi", "type": "quantitative", "title": "Population stability index, measured here"},
            "color": {"field": "reported", "type": "nominal", "sort": order, "title": f"{report.tool} reports"},
            "shape": {"field": "reported", "type": "nominal", "sort": order, "title": f"{report.tool} reports"},
        },
    }
    rows = tuple(
        (
            each.column,
            f"{psi[each.column]:.4f}",
            verdict[each.drifted],
            each.method,
            "–" if each.score is None else f"{each.score:.4g}",
            "–" if each.limit is None else f"{each.limit:.4g}",
        )
        for each in ranked
    )
    said = sum(1 for each in compared if each.drifted)
    words = f"{report.tool} reports drift in {said} of the {len(compared)} columns compared; the PSI beside it is measured here."
    columns = ("Feature", "PSI here", "Reported", "Method", "Score", "Its limit")
    return Picture("drift_reported", f"Drift measured here and reported by {report.tool}", words, spec, columns, rows)
