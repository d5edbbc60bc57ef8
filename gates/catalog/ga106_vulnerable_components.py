"""Vulnerable components (GA106)

## What it checks
The bill of materials (`bom`, CycloneDX) with the vulnerabilities a scanner wrote into it, by severity; what an analysis
(VEX) closes as not affected, false alarm or resolved does not count. Licences the policy forbids, components without a
version, and whether the bill is about the build handed in.

## Why it matters
Most of an application is other people's code. A known weakness in it has a published way in, and machines try them all.

## What good enough looks like
None critical, none high; up to twenty medium ones (a warning above); no forbidden licence. A bill nobody searched for
vulnerabilities is not assessed.

## How to fix
Update the component to the version that mends it. If the weak part is not reachable, say so with a VEX analysis and its
justification in the bill.

## Tools
Trivy, Grype, OSV-Scanner and Dependency-Track write CycloneDX with vulnerabilities; `cyclonedx-py` and `cdxgen` the bill.
"""

from __future__ import annotations

from collections.abc import Iterator

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_applicable, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GA106"
NAME = "vulnerable-components"
COLLECTORS = ("bill_of_materials",)
NEEDS = ("bom.vulnerable", "bom.components")
KINDS = frozenset({Kind.ML_MODEL, Kind.APPLICATION, Kind.DATA_PIPELINE})
READ_BY = Role.SECURITY
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "A published weakness in a component is used before anybody here has read of it."
LIMITS = {"required": True, "max_critical": 0, "max_high": 0, "max_medium": 20, "max_unrated": 20, "forbidden_licences": []}
_UPDATE = "Update the component, or record in the bill why it is not affected (VEX)."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """By severity, then licences and the build; a bill without a search for vulnerabilities is not assessed."""
    total, parts = measured.one("bom.vulnerable"), measured.one("bom.components")
    if total is not None and total.detail.get("absent") and not limits["required"]:
        return not_applicable(f"{total.reason} The policy reads it where it is given.")
    if total is None or total.value is None:
        reason = (total.reason if total is not None else "") or measured.not_measured.get("bill_of_materials", "")
        return not_assessed(reason or "No bill of materials was read.", fix="Hand in CycloneDX with vulnerabilities as bom.")
    if parts is None or not parts.value:
        return not_assessed("The bill of materials names no component.", fix="Make the bill from the build itself.")
    results = [*_severities(measured, limits), *_others(measured, limits)]
    if not results:
        says = f"{total.value:,.0f} known vulnerabilities in {parts.value:,.0f} components, within the limits."
        return stated(Verdict.PASS, says, total)
    return strictest(results)


def _severities(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    for severity in ("critical", "high", "medium", "unrated"):
        row, limit = measured.one("bom.vulnerable", f"severity={severity}"), limits[f"max_{severity}"]
        if row is not None and row.value is not None and row.value > limit:
            says = f"{row.value:,.0f} {severity} vulnerabilities: {row.text or 'see the bill'}."
            verdict = Verdict.FAIL if severity in ("critical", "high") else Verdict.WARN
            yield stated(verdict, says, row, fix=_UPDATE, limit=f"<= {limit}")


def _others(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    licences, unnamed, same = (measured.one(f"bom.{name}") for name in ("licences", "without_version", "same_build"))
    found = set(licences.detail.get("names", ())) & set(limits["forbidden_licences"]) if licences is not None else set()
    if found:
        says = f"Components under licences the policy forbids: {', '.join(sorted(found))}."
        yield stated(Verdict.FAIL, says, licences, fix="Take the component out, or buy another licence.", limit="none")
    if unnamed is not None and unnamed.value:
        says = f"{unnamed.value:,.0f} components have no version, so nobody can look them up: {unnamed.text or 'see the bill'}."
        yield stated(Verdict.WARN, says, unnamed, fix="Pin versions and make the bill again.", limit="none")
    if same is not None and same.value == 0:
        says = f"The bill is about another build: {same.text or 'digests differ'}."
        yield stated(Verdict.FAIL, says, same, fix="Make the bill from the build that is handed in.", limit="the same")


_CLEAN = {"bom.vulnerable": 0.0, "bom.components": 120.0}


def _of(severity: str, count: float) -> dict[str, object]:
    place = "CVE-2026-1 in openssl"
    rows = [Measure("bom.vulnerable", count), Measure("bom.vulnerable", count, f"severity={severity}", text=place)]
    return {**_CLEAN, "bom.vulnerable": rows}


_ABSENT = Measure("bom.vulnerable", None, reason="None was handed in.", detail={"absent": True})
EXAMPLES = (
    Example("none known", _CLEAN, Verdict.PASS),
    Example("one critical", _of("critical", 1.0), Verdict.FAIL),
    Example("one high", _of("high", 1.0), Verdict.FAIL),
    Example("exactly at the limit of medium ones", _of("medium", 20.0), Verdict.PASS),
    Example("more medium ones", _of("medium", 21.0), Verdict.WARN),
    Example(
        "a forbidden licence",
        {**_CLEAN, "bom.licences": Measure("bom.licences", 1.0, detail={"names": ["AGPL-3.0-only"]})},
        Verdict.FAIL,
        {"forbidden_licences": ["AGPL-3.0-only"]},
    ),
    Example("another build", {**_CLEAN, "bom.same_build": 0.0}, Verdict.FAIL),
    Example("components without version", {**_CLEAN, "bom.without_version": 2.0}, Verdict.WARN),
    Example(
        "nobody looked", {**_CLEAN, "bom.vulnerable": Measure("bom.vulnerable", None, reason="Nobody did.")}, Verdict.NOT_ASSESSED
    ),
    Example("none given, none asked for", {"bom.vulnerable": _ABSENT}, Verdict.NOT_APPLICABLE, {"required": False}),
    Example("none given, one asked for", {"bom.vulnerable": _ABSENT}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
