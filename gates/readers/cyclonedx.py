"""CycloneDX bills of materials in JSON (1.2 to 1.7): components, licences, and vulnerabilities where a scanner wrote them in.

An analysis that says `not_affected`, `false_positive` or `resolved` closes a vulnerability; it is counted apart, with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.json_report import mapping_of, read_json_report, rows_of, words_of
from gates.readers.sarif import severity_of_score

WAY_OUT = "Upload CycloneDX JSON, for example `trivy image --format cyclonedx --scanners vuln` or `cyclonedx-py`."
MOST_COMPONENTS = 200_000
MOST_DEPTH = 40
_CLOSED = {"not_affected", "false_positive", "resolved", "resolved_with_pedigree"}
_WORDS = {"critical": "critical", "high": "high", "medium": "medium", "moderate": "medium", "low": "low", "info": "low"}


@dataclass(frozen=True)
class Component:
    """One part. `licences`: SPDX ids or names as given."""

    name: str
    version: str
    licences: tuple[str, ...]


@dataclass(frozen=True)
class Vulnerability:
    """One known weakness of a component. `severity` "" when nobody rated it; `open` False when an analysis closes it."""

    id: str
    severity: str
    affects: tuple[str, ...]
    open: bool
    fixed_in: str = ""


@dataclass(frozen=True)
class Bom:
    """The bill. `looked_for`: whether it speaks of vulnerabilities at all (an empty list does, a missing one does not)."""

    components: tuple[Component, ...]
    vulnerabilities: tuple[Vulnerability, ...]
    looked_for: bool
    subject: str
    digest: str
    made_at: str


def read(evidence: EvidenceInput) -> Bom:
    """Read a file or raise EvidenceProblem: no JSON, no CycloneDX, too many components."""
    document = read_json_report(evidence, expected="a CycloneDX bill of materials", way_out=WAY_OUT)
    if not isinstance(document, Mapping) or document.get("bomFormat") != "CycloneDX":
        raise EvidenceProblem(
            file=evidence.name, expected="CycloneDX JSON (“bomFormat”: “CycloneDX”)", found="another document", way_out=WAY_OUT
        )
    names: dict[str, str] = {}
    components = []
    for row in _components(document, 0):
        component = _component(row)
        components.append(component)
        if isinstance(row.get("bom-ref"), str):
            names[row["bom-ref"]] = f"{component.name} {component.version}".strip()
        if len(components) > MOST_COMPONENTS:
            raise EvidenceProblem(
                file=evidence.name, expected=f"at most {MOST_COMPONENTS:,} components", found="more", way_out="Split the bill."
            )
    subject = mapping_of(mapping_of(document, "metadata"), "component")
    return Bom(
        tuple(components),
        tuple(_vulnerability(row, names) for row in rows_of(document, "vulnerabilities")[:MOST_COMPONENTS]),
        isinstance(document.get("vulnerabilities"), list),
        f"{words_of(subject.get('name'))} {words_of(subject.get('version'), 60)}".strip(),
        digest_of(subject),
        words_of(mapping_of(document, "metadata").get("timestamp"), 40),
    )


def digest_of(subject: Mapping[str, Any]) -> str:
    """The SHA-256 of what the bill is about, from its hashes or a `pkg:oci/…@sha256:…` name; "" when it has none."""
    for row in rows_of(subject, "hashes"):
        if row.get("alg") == "SHA-256" and isinstance(row.get("content"), str) and len(row["content"]) == 64:
            return f"sha256:{row['content'].lower()}"
    for name in (subject.get("purl"), subject.get("version"), subject.get("bom-ref")):
        text = words_of(name, 400).replace("%3A", ":").replace("%3a", ":")
        _, found, tail = text.rpartition("sha256:")
        if found and len(tail[:64]) == 64 and all(char in "0123456789abcdef" for char in tail[:64]):
            return f"sha256:{tail[:64]}"
    return ""


def _components(node: Mapping[str, Any], depth: int) -> Iterator[Mapping[str, Any]]:
    if depth > MOST_DEPTH:
        return
    for row in rows_of(node, "components"):
        yield row
        yield from _components(row, depth + 1)


def _component(row: Mapping[str, Any]) -> Component:
    group, name = words_of(row.get("group"), 120), words_of(row.get("name")) or "a component without a name"
    licences = []
    for entry in rows_of(row, "licenses"):
        licence = mapping_of(entry, "license")
        licences.append(words_of(licence.get("id") or licence.get("name") or entry.get("expression"), 80))
    return Component(f"{group}/{name}" if group else name, words_of(row.get("version"), 60), tuple(filter(None, licences)))


def _vulnerability(row: Mapping[str, Any], names: Mapping[str, str]) -> Vulnerability:
    ratings = rows_of(row, "ratings")
    found = [
        _WORDS.get(str(rating.get("severity") or "").lower()) or severity_of_score(rating.get("score")) for rating in ratings
    ]
    order = ("critical", "high", "medium", "low")
    refs = [str(affected.get("ref") or "") for affected in rows_of(row, "affects")]
    return Vulnerability(
        words_of(row.get("id"), 60) or "without an id",
        next((severity for severity in order if severity in found), ""),
        tuple(names.get(ref) or words_of(ref, 120) for ref in refs[:20]),
        mapping_of(row, "analysis").get("state") not in _CLOSED,
        words_of(row.get("recommendation"), 160),
    )
