"""What scanners say of the code, from SARIF: findings open and closed, of quality, security and secrets, by severity."""

from __future__ import annotations

from collections import Counter

from gates.collecting import Collected, Inputs, Picture
from gates.readers import sarif
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "static_analysis"
TITLE = "Reading the scan report"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.SCAN_REPORT,)
USES_FACTS = ("code.commit",)
_SHOWN = 10


def collect(inputs: Inputs) -> Collected:
    """`scan.<about>` for each severity (groups `severity=high`) and for the whole, and whether the scan came to an end."""
    evidence = inputs.evidence.get(EvidenceRole.SCAN_REPORT)
    if evidence is None:
        why, absent = "No scan report was handed in as “scan_report”.", {"absent": True}
        return Collected(tuple(Measure(f"scan.{about}", None, reason=why, detail=absent) for about in ("quality", "security")))
    scan = sarif.read(evidence)
    measures = [
        Measure("scan.tools", float(len(scan.tools)), text=", ".join(scan.tools)),
        Measure("scan.broken", float(len(scan.broken)), text=", ".join(scan.broken)),
        _commit(scan, inputs.facts.get("code.commit")),
    ]
    for about in ("quality", "security", "secret"):
        rows = [row for row in scan.findings if row.about == about and row.open]
        measures.append(Measure(f"scan.{about}", float(len(rows)), n=len(scan.findings), text=_named(rows)))
        for severity in sarif.SEVERITIES:
            found = [row for row in rows if row.severity == severity]
            measures.append(Measure(f"scan.{about}", float(len(found)), f"severity={severity}", n=len(rows), text=_named(found)))
    closed = sum(not row.open for row in scan.findings)
    notes = [f"{evidence.name} ({', '.join(scan.tools)}): {len(scan.findings):,} results, {closed:,} of them suppressed or gone."]
    return Collected(tuple(measures), (), (_picture(scan),), tuple(notes))


def _named(rows: list[sarif.Finding]) -> str:
    """The rules found most, each with one place."""
    counts = Counter(row.rule for row in rows)
    first = {row.rule: row.where for row in reversed(rows)}
    return "; ".join(
        f"{rule}{f' ({first[rule]})' if first[rule] else ''}{f' ×{count}' if count > 1 else ''}"
        for rule, count in counts.most_common(_SHOWN)
    )


def _commit(scan: sarif.Scan, declared: object) -> Measure:
    if not isinstance(declared, str) or not declared.strip() or not scan.commits:
        return Measure(
            "scan.commit", None, reason="The scan or the submission does not name a commit, so they were not compared."
        )
    wanted = declared.strip().lower()
    same = any(commit.lower().startswith(wanted) or wanted.startswith(commit.lower()) for commit in scan.commits)
    return Measure("scan.commit", 1.0 if same else 0.0, text=f"scanned {scan.commits[0][:12]}, handed in {wanted[:12]}")


def _picture(scan: sarif.Scan) -> Picture:
    rows = [
        (about, severity, sum(row.about == about and row.severity == severity and row.open for row in scan.findings))
        for about in ("security", "secret", "quality")
        for severity in sarif.SEVERITIES
    ]
    spec = {
        "width": 480,
        "data": {"values": [{"about": about, "severity": severity, "count": count} for about, severity, count in rows]},
        "mark": {"type": "bar", "style": "candidate"},
        "encoding": {
            "y": {"field": "severity", "type": "nominal", "sort": list(sarif.SEVERITIES), "title": None},
            "x": {"field": "count", "type": "quantitative", "title": "Open findings"},
            "row": {"field": "about", "type": "nominal", "title": None},
        },
    }
    total = sum(count for _, _, count in rows)
    return Picture(
        "scan", "Open findings by severity", f"{total:,} open findings.", spec, ("About", "Severity", "Open"), tuple(rows)
    )
