"""Data used for another purpose (GD108)

## What it checks
Every declared data source against the register: is a legal basis on record, do its purposes cover what this model decides
about, does the agreement still run on the day of handing in, is a licence named. A declared basis that differs from the
registered one is said.

## Why it matters
Data collected to bill a customer may not be used to judge the customer. Purpose limitation is law where personal data are
concerned (GDPR Article 5), and a contract nearly everywhere else. A model trained beyond purpose or after the end of an
agreement has to be unlearned, which is the most expensive repair there is.

## What good enough looks like
Each source: basis registered, purposes that name this use (or any), an end in the future or stated as open, a licence.
No basis for personal data fails, a purpose that does not cover the use fails, an ended agreement fails. An end within 30
days warns. What the register does not say is unknown, which never passes; a missing licence or end is a note.

## How to fix
Ask the source's owner to enter the missing words in the register, or to extend the agreement. If the purpose does not
cover the use, either ask the data steward for an approval of this purpose or train without the source. Declaring another
use than the real one is seen by the reviewer and by the track rules.

## Tools
The register of data sources on the policy page; ODRL or Croissant metadata for purposes and licences in your catalogue.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD108"
NAME = "consent-and-purpose"
COLLECTORS = ("consent",)
NEEDS = ("consent.basis", "consent.purpose", "consent.days_left", "consent.licence", "consent.sources")
KINDS = frozenset({Kind.ML_MODEL, Kind.DATA_PIPELINE})
READ_BY = Role.PRIVACY
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "People's data are used for what they never agreed to, and the model has to be unlearned."
LIMITS = {"days_left_warn": 30, "unknown": "not_assessed"}
_REGISTER = "Have the source's owner or the data steward complete the register."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Basis, purpose and end of every source; the strictest decides, licences and open ends are notes."""
    sources = measured.one("consent.sources")
    if sources is None or sources.value is None:
        return not_assessed(
            measured.not_measured.get("consent", "Nobody looked what the data may be used for."), fix="Declare data.sources."
        )
    unknown = Verdict.WARN if limits["unknown"] == "warn" else Verdict.NOT_ASSESSED
    results = [*_basis(measured, unknown), *_purpose(measured, unknown), *_end(measured, limits)]
    notes = tuple(
        row.reason
        for metric in ("consent.licence", "consent.days_left")
        for row in measured.all(metric)
        if row.value is None and row.reason
    )
    if all(result.verdict is Verdict.PASS for result in results):
        every = "The source has" if sources.value == 1 else f"All {sources.value:.0f} sources have"
        says = f"{every} a legal basis and purposes that cover this use, and no agreement has ended."
        return replace(stated(Verdict.PASS, says, sources, limit="covered"), notes=notes)
    decided = strictest(results)
    return replace(decided, notes=(*decided.notes, *notes))


def _source(row: Measure) -> str:
    return row.group.removeprefix("source=") or "a source"


def _basis(measured: Measured, unknown: Verdict) -> Iterator[GateResult]:
    rows = measured.all("consent.basis")
    if not rows:
        yield stated(unknown, "The legal basis of the sources was not looked at.", fix=_REGISTER)
    for row in rows:
        if row.value is None:
            yield stated(unknown, row.reason or f"The legal basis of {_source(row)} is not known.", row, fix=_REGISTER)
        elif row.value < 1:
            says = f"{row.text or f'{_source(row)} has no legal basis'}."
            yield stated(
                Verdict.FAIL, says, row, fix="Have the legal basis registered, or leave the source out.", limit="a legal basis"
            )
        elif row.detail.get("differs"):
            yield stated(
                Verdict.WARN, f"{_source(row)}: {row.text}.", row, fix="Correct the answer or the register.", limit="the same"
            )


def _purpose(measured: Measured, unknown: Verdict) -> Iterator[GateResult]:
    rows = measured.all("consent.purpose")
    if not rows:
        yield stated(unknown, "The purposes of the sources were not looked at.", fix=_REGISTER)
    for row in rows:
        if row.value is None:
            yield stated(unknown, row.reason or f"The purposes of {_source(row)} are not known.", row, fix=_REGISTER)
        elif row.value < 1:
            use = str(row.detail.get("use") or "this use").replace("_", " ")
            says = f"{_source(row)} may be used for {row.text or 'other purposes'}, not for {use}."
            yield stated(
                Verdict.FAIL,
                says,
                row,
                fix="Have the purpose approved by the data steward, or leave the source out.",
                limit="covered",
            )


def _end(measured: Measured, limits: Limits) -> Iterator[GateResult]:
    for row in measured.all("consent.days_left"):
        if row.value is None:
            continue
        if row.value < 0:
            says = f"The agreement on {_source(row)} ended {-row.value:.0f} days ago ({row.text})."
            yield stated(Verdict.FAIL, says, row, fix="Have the agreement extended, or leave the source out.", limit="not ended")
        elif row.value < limits["days_left_warn"]:
            says = (
                f"The agreement on {_source(row)} ends in {row.value:.0f} days ({row.text}), limit >= {limits['days_left_warn']}."
            )
            yield stated(
                Verdict.WARN, says, row, fix="Have the agreement extended in time.", limit=f">= {limits['days_left_warn']}"
            )


_COVERED = {
    "consent.sources": 1.0,
    "consent.basis": Measure("consent.basis", 1.0, "source=s3://lake/loans/", text="contract"),
    "consent.purpose": Measure("consent.purpose", 1.0, "source=s3://lake/loans/", text="credit"),
    "consent.days_left": Measure("consent.days_left", 400.0, "source=s3://lake/loans/", text="2027-12-31"),
    "consent.licence": Measure("consent.licence", 1.0, "source=s3://lake/loans/", text="internal"),
}
EXAMPLES = (
    Example("covered", _COVERED, Verdict.PASS),
    Example("exactly at the limit of days left", {**_COVERED, "consent.days_left": 30.0}, Verdict.PASS),
    Example("ends in a month less a day", {**_COVERED, "consent.days_left": 29.0}, Verdict.WARN),
    Example("ended yesterday", {**_COVERED, "consent.days_left": -1.0}, Verdict.FAIL),
    Example(
        "collected for billing, used for credit",
        {
            **_COVERED,
            "consent.purpose": Measure("consent.purpose", 0.0, "source=billing", text="billing", detail={"use": "credit"}),
        },
        Verdict.FAIL,
    ),
    Example("personal data without a legal basis", {**_COVERED, "consent.basis": 0.0}, Verdict.FAIL),
    Example(
        "declared otherwise than registered",
        {
            **_COVERED,
            "consent.basis": Measure(
                "consent.basis", 1.0, text="contract is registered, consent is declared", detail={"differs": True}
            ),
        },
        Verdict.WARN,
    ),
    Example(
        "purposes not registered",
        {**_COVERED, "consent.purpose": Measure("consent.purpose", None, "source=x", reason="The register does not say.")},
        Verdict.NOT_ASSESSED,
    ),
    Example(
        "purposes not registered, where a person reads it",
        {**_COVERED, "consent.purpose": Measure("consent.purpose", None, "source=x", reason="The register does not say.")},
        Verdict.WARN,
        {"unknown": "warn"},
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
