"""Undeclared personal data (GD103)

## What it checks
Up to 300 distinct values of each column are compared with formats that have a fixed shape or a checksum (e-mail, payment
card, IBAN, IP address, dashed US social security number, international phone number); names of columns tell the rest
(names, addresses, dates of birth, documents). A column counts when at least a tenth of its distinct values match, or its
name says so. Numbers are tested for checksum types only. What is found is compared with what was declared. Values are
never stored: only column, kind, confidence, share and a shape such as `a9@a.a`.

## Why it matters
Personal data that nobody declared has no purpose, no legal basis, no retention and nobody who approved it. Personal data
that is declared and approved is no offence: a rule that bans it altogether stops legitimate models, and people start to
go round the platform.

## What good enough looks like
Nothing found; or declared (`data.contains_pii`) with a reference to the data-governance approval (`data.pii_approval`).
Found and not declared fails. Declared without approval warns and asks for it. A direct identifier used as a model feature
warns even then. In applications the policy may forbid it outright.

## How to fix
Declare it and attach the approval; or leave the columns out, or replace them by keyed hashes, if the model does not need
them. If a find is wrong, or the column is already hashed, the data steward marks it so, with a name and a date.

## Tools
Microsoft Presidio for free text in your own pipeline; column tags in your catalogue. Names and addresses inside free text
are not found here.
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD103"
NAME = "personal-data-declared"
COLLECTORS = ("personal_data",)
NEEDS = ("personal_data.columns", "personal_data.declared", "personal_data.approved", "personal_data.used_as_feature")
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE, Kind.APPLICATION})
READ_BY = Role.PRIVACY
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "Personal data is used without purpose, legal basis or anybody's approval."
LIMITS = {"personal_data_allowed": True}
_DECLARE = "Declare it (data.contains_pii) and give the data-governance approval (data.pii_approval), or leave the columns out."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Found and undeclared fails; declared asks for the approval; approved passes unless an identifier is a feature."""
    found = measured.one("personal_data.columns")
    if found is None or found.value is None:
        return not_assessed(
            measured.not_measured.get("personal_data", "Nothing was looked through."), fix="Attach a reference or current sample."
        )
    declared, approved = _yes(measured, "personal_data.declared"), _yes(measured, "personal_data.approved")
    used = measured.one("personal_data.used_as_feature")
    what = f"Personal data in {found.value:.0f} column{'s' if found.value != 1 else ''}{': ' + found.text if found.text else ''}"
    if not found.value and not declared:
        return stated(Verdict.PASS, "No column looks like personal data.", found, limit="declared and approved")
    if not limits["personal_data_allowed"]:
        return stated(Verdict.FAIL, f"{what}. The policy allows none here.", found, fix="Remove it from the build.", limit="none")
    remove = measured.one("personal_data.must_remove")
    if remove is not None and remove.value:
        says = f"The data steward asked for the removal of {remove.text or f'{remove.value:.0f} columns'}; they are still there."
        return stated(Verdict.FAIL, says, remove, fix="Take the columns out of the data and train again.", limit="none")
    if found.value and not declared:
        return stated(Verdict.FAIL, f"{what}, and it is not declared.", found, fix=_DECLARE, limit="declared and approved")
    if not approved:
        told = what if found.value else "Personal data is declared"
        return stated(
            Verdict.WARN,
            f"{told}. Confirm the data-governance approval.",
            found,
            fix="Give the reference of the approval (data.pii_approval).",
            limit="declared and approved",
        )
    if used is not None and used.value:
        return stated(
            Verdict.WARN,
            f"Identifiers are used as model features: {used.text or f'{used.value:.0f}'}.",
            used,
            fix="Drop them from the features, or say why the model needs them.",
            limit="none",
        )
    told = what if found.value else "Personal data is declared; none was found by format or name"
    return stated(Verdict.PASS, f"{told}; declared and approved.", found, limit="declared and approved")


def _yes(measured: Measured, metric: str) -> bool:
    row = measured.one(metric)
    return row is not None and row.value is not None and row.value >= 1


_FOUND = Measure("personal_data.columns", 2.0, text="email (e-mail address), phone (phone number)")
EXAMPLES = (
    Example(
        "nothing found",
        {"personal_data.columns": 0.0, "personal_data.declared": 0.0, "personal_data.approved": 0.0},
        Verdict.PASS,
    ),
    Example(
        "declared and approved",
        {"personal_data.columns": _FOUND, "personal_data.declared": 1.0, "personal_data.approved": 1.0},
        Verdict.PASS,
    ),
    Example(
        "declared, approval missing",
        {"personal_data.columns": _FOUND, "personal_data.declared": 1.0, "personal_data.approved": 0.0},
        Verdict.WARN,
    ),
    Example(
        "an identifier as feature",
        {
            "personal_data.columns": _FOUND,
            "personal_data.declared": 1.0,
            "personal_data.approved": 1.0,
            "personal_data.used_as_feature": Measure("personal_data.used_as_feature", 1.0, text="email"),
        },
        Verdict.WARN,
    ),
    Example(
        "at the limit: one column, not declared", {"personal_data.columns": 1.0, "personal_data.declared": 0.0}, Verdict.FAIL
    ),
    Example(
        "found and not declared",
        {"personal_data.columns": _FOUND, "personal_data.declared": 0.0, "personal_data.approved": 0.0},
        Verdict.FAIL,
    ),
    Example(
        "an application that may hold none",
        {"personal_data.columns": _FOUND, "personal_data.declared": 1.0, "personal_data.approved": 1.0},
        Verdict.FAIL,
        {"personal_data_allowed": False},
    ),
    Example(
        "to be removed, and still there",
        {
            "personal_data.columns": _FOUND,
            "personal_data.declared": 1.0,
            "personal_data.approved": 1.0,
            "personal_data.must_remove": Measure("personal_data.must_remove", 1.0, text="email"),
        },
        Verdict.FAIL,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
