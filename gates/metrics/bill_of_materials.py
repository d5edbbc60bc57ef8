"""What the build is made of, from a CycloneDX bill: components, licences, known vulnerabilities by severity."""

from __future__ import annotations

from gates.collecting import Collected, Inputs
from gates.readers import cyclonedx
from gates.spec import Measure
from governance.domain.vocabulary import EvidenceRole

NAME = "bill_of_materials"
TITLE = "Reading the bill of materials"
VERSION = 1
HEAVY = False
REQUIRES: tuple[EvidenceRole, ...] = ()
OPTIONAL = (EvidenceRole.BOM,)
USES_FACTS = ("artifact.digest",)
_SHOWN = 10
_SEVERITIES = ("critical", "high", "medium", "low", "")


def collect(inputs: Inputs) -> Collected:
    """`bom.vulnerable` for each severity (`severity=unrated` where nobody rated it), parts without version, licences, digest."""
    evidence = inputs.evidence.get(EvidenceRole.BOM)
    if evidence is None:
        why = "No bill of materials was handed in as “bom”."
        return Collected((Measure("bom.vulnerable", None, reason=why, detail={"absent": True}),))
    bom = cyclonedx.read(evidence)
    unnamed = [part.name for part in bom.components if not part.version]
    licences = sorted({licence for part in bom.components for licence in part.licences})
    measures = [
        Measure("bom.components", float(len(bom.components)), text=bom.subject or evidence.name),
        Measure("bom.without_version", float(len(unnamed)), n=len(bom.components), text=", ".join(unnamed[:_SHOWN])),
        Measure("bom.licences", float(len(licences)), text=", ".join(licences)[:2_000], detail={"names": licences[:500]}),
        _same_build(bom.digest, inputs.facts.get("artifact.digest")),
    ]
    if not bom.looked_for:
        measures.append(
            Measure("bom.vulnerable", None, reason=f"{evidence.name} holds no vulnerabilities: nobody looked for any.")
        )
    else:
        known = [row for row in bom.vulnerabilities if row.open]
        measures.append(Measure("bom.vulnerable", float(len(known)), n=len(bom.components), text=_named(known)))
        for severity in _SEVERITIES:
            rows = [row for row in known if row.severity == severity]
            measures.append(
                Measure("bom.vulnerable", float(len(rows)), f"severity={severity or 'unrated'}", n=len(known), text=_named(rows))
            )
    closed = sum(not row.open for row in bom.vulnerabilities)
    notes = [f"{evidence.name}: {len(bom.components):,} components, {closed:,} vulnerabilities closed by an analysis."]
    return Collected(tuple(measures), notes=tuple(notes))


def _named(rows: list[cyclonedx.Vulnerability]) -> str:
    return "; ".join(f"{row.id}{f' in {row.affects[0]}' if row.affects else ''}" for row in rows[:_SHOWN])


def _same_build(found: str, declared: object) -> Measure:
    if not found or not isinstance(declared, str) or not declared.strip():
        return Measure("bom.same_build", None, reason="The bill or the submission names no digest of the build.")
    wanted = declared.strip().lower().rsplit("@", 1)[-1]
    same = wanted.rsplit(":", 1)[-1] == found.rsplit(":", 1)[-1]
    return Measure("bom.same_build", 1.0 if same else 0.0, text=f"bill {found[:19]}, handed in {wanted[:19]}")
