"""SARIF 2.1.0, what scanners write (CodeQL, Semgrep, Bandit, Ruff, Trivy, Gitleaks …): findings by severity, no source text.

Severity: a rule's or result's `security-severity` (a CVSS score, bands of CVSS 3.1) where it has one, else the SARIF level.
Suppressed and unchanged-and-absent results do not count as open, and are counted apart.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers.json_report import mapping_of, read_json_report, rows_of, words_of

WAY_OUT = "Upload the SARIF file your scanner writes, for example `semgrep scan --sarif` or `trivy image --format sarif`."
MOST_RESULTS = 200_000
SEVERITIES = ("critical", "high", "medium", "low")
_LEVELS = {"error": "high", "warning": "medium", "note": "low", "none": "low"}
_CLASSES = ("security", "vulnerability", "cwe", "cve")
_SECRETS = ("secret", "credential", "gitleaks", "trufflehog")


@dataclass(frozen=True)
class Finding:
    """One result. `about`: `security`, `secret` or `quality`; `level`: SARIF's own word; `where`: file and line."""

    tool: str
    rule: str
    level: str
    severity: str
    about: str
    where: str
    open: bool


@dataclass(frozen=True)
class Scan:
    """Everything a file says. `broken`: tools that say of themselves that they did not come to an end."""

    findings: tuple[Finding, ...]
    tools: tuple[str, ...]
    broken: tuple[str, ...]
    commits: tuple[str, ...] = ()


def read(evidence: EvidenceInput) -> Scan:
    """Read a file or raise EvidenceProblem: no JSON, no SARIF, too many results."""
    document = read_json_report(evidence, expected="a SARIF report", way_out=WAY_OUT)
    runs = rows_of(document, "runs")
    if not runs or not str(document.get("version") or "").startswith("2."):
        raise EvidenceProblem(
            file=evidence.name, expected="SARIF 2.1.0 with “version” and “runs”", found="another document", way_out=WAY_OUT
        )
    if sum(len(rows_of(run, "results")) for run in runs) > MOST_RESULTS:
        raise EvidenceProblem(
            file=evidence.name, expected=f"at most {MOST_RESULTS:,} results", found="more", way_out="Scan in parts, or filter."
        )
    found: list[Finding] = []
    broken = []
    for run in runs:
        found.extend(_findings(run))
        if any(row.get("executionSuccessful") is False for row in rows_of(run, "invocations")):
            broken.append(_tool(run))
        if not isinstance(run.get("results"), list):
            broken.append(_tool(run))  # "results" absent or null: the scan was not made (SARIF 2.1.0, 3.14.23)
    commits = [words_of(row.get("revisionId"), 64) for run in runs for row in rows_of(run, "versionControlProvenance")]
    return Scan(tuple(found), tuple(dict.fromkeys(map(_tool, runs))), tuple(dict.fromkeys(broken)), tuple(filter(None, commits)))


def severity_of_score(score: Any) -> str:
    """CVSS bands: 9 and more critical, 7 high, 4 medium, above 0 low; "" for what is no score."""
    try:
        value = float(score)
    except (TypeError, ValueError):
        return ""
    if not 0 < value <= 10:
        return ""
    return "critical" if value >= 9 else "high" if value >= 7 else "medium" if value >= 4 else "low"


def _tool(run: Mapping[str, Any]) -> str:
    return words_of(mapping_of(mapping_of(run, "tool"), "driver").get("name"), 80) or "a tool without a name"


def _findings(run: Mapping[str, Any]) -> Iterator[Finding]:
    tool = _tool(run)
    rules = list(_rules(run))
    by_id = {str(rule.get("id")): rule for rule in rules if isinstance(rule.get("id"), str)}
    for result in rows_of(run, "results"):
        index = result.get("ruleIndex")
        named = words_of(result.get("ruleId") or mapping_of(result, "rule").get("id"), 120)
        rule = by_id.get(named) or (rules[index] if isinstance(index, int) and 0 <= index < len(rules) else {})
        level = result.get("level") or mapping_of(rule, "defaultConfiguration").get("level") or "warning"
        level = level if level in _LEVELS else "warning"
        kind = result.get("kind", "fail")
        score = severity_of_score(
            mapping_of(result, "properties").get("security-severity") or mapping_of(rule, "properties").get("security-severity")
        )
        suppressed = any(row.get("status", "accepted") == "accepted" for row in rows_of(result, "suppressions"))
        yield Finding(
            tool,
            named or words_of(rule.get("id"), 120) or "a rule without a name",
            level,
            score or _LEVELS[level],
            _about(tool, rule, bool(score)),
            _where(result),
            kind in ("fail", "open", "review") and not suppressed and result.get("baselineState") != "absent",
        )


def _rules(run: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    tool = mapping_of(run, "tool")
    yield from rows_of(mapping_of(tool, "driver"), "rules")
    for extension in rows_of(tool, "extensions"):
        yield from rows_of(extension, "rules")


def _about(tool: str, rule: Mapping[str, Any], scored: bool) -> str:
    tags = mapping_of(rule, "properties").get("tags")
    words = [tool, str(rule.get("id") or ""), *(tags if isinstance(tags, list) else [])]
    text = " ".join(str(word).lower() for word in words)
    if any(word in text for word in _SECRETS):
        return "secret"
    return "security" if scored or any(word in text for word in _CLASSES) else "quality"


def _where(result: Mapping[str, Any]) -> str:
    place = mapping_of(next(iter(rows_of(result, "locations")), {}), "physicalLocation")
    file = words_of(mapping_of(place, "artifactLocation").get("uri"), 200)
    line = mapping_of(place, "region").get("startLine")
    return f"{file}:{line}" if file and isinstance(line, int) else file
