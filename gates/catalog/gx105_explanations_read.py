"""Explanations nobody understood (GX105)

## What it checks
Whether a person finds the explanations of single decisions usable. The analyst reads a sample (10 cases; the policy says how
many), drawn with a seed and spread over decisions and groups: feature words with value and contribution, score, decision
and reasons. For each the analyst answers yes or no: could the person concerned understand this and do something with it?
The answers stand under the analyst's name and are bound to exactly what was shown; another measurement asks again.

## Why it matters
A tool can check that attributions add up. It cannot see that "utilisation of revolving facilities: 0.81" means nothing to the
person who was declined. So automatic checks alone never pass this gate.

## What good enough looks like
Pass: 10 of 10 were found clear. Warn: one or two were not, and the comment says why. Fail: fewer than 8 of 10. Before anybody
has read, there is no verdict and the case cannot be approved.

## How to fix
Read the comments beside each no. Give features plain names in the reason-code file, replace internal terms, say what the
person can do ("paying down the card by 200 would change it"), and hand the revision in: the sample is drawn and read anew.

## Tools
The page "What people attest" of the case, for the role the policy names; the submitter, contributors and API tokens cannot
answer. The sample comes from the explanations collector.
"""

from __future__ import annotations

from gates.judging import stated
from gates.people import spoken, waiting
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GX105"
NAME = "explanations-read"
COLLECTORS = ("explanations",)
NEEDS = ("explanation.rows", "person.explanations_read")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.HUMAN
RISK = "People get explanations that are correct and useless to them."
LIMITS = {"min_yes_warn": 1.0, "min_yes_fail": 0.8}
_READ = "The role the policy names reads the sampled explanations on the case page and answers yes or no for each."
_MEND = "Read the comments, put the explanations into plainer words, and hand in a revision."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """From the records alone: without them there is no verdict, whatever was measured."""
    rows = measured.one("explanation.rows")
    if rows is None or rows.value is None:
        why = measured.not_measured.get("explanations", "There are no explanations to read.")
        return not_assessed(why, fix="Attach the model with an explanation sample, or attributions from your own pipeline.")
    missing = waiting(measured, "explanations_read", "The explanations wait for a person who reads them.", _READ)
    if missing is not None:
        return missing
    row = measured.one("person.explanations_read")
    assert row is not None and row.value is not None
    yes = round(row.value * (row.n or 0))
    told = f"{yes} of {row.n} explanations were found clear to the person concerned ({spoken(row)})"
    if row.value < limits["min_yes_fail"]:
        return stated(Verdict.FAIL, f"Only {told}.", row, fix=_MEND, limit=f">= {limits['min_yes_fail']:.0%}")
    if row.value < limits["min_yes_warn"]:
        return stated(
            Verdict.WARN,
            f"{told}; read the comments on the others.",
            row,
            fix=_MEND,
            limit=f">= {limits['min_yes_warn']:.0%}",
        )
    return stated(Verdict.PASS, f"{told}.", row, limit=f">= {limits['min_yes_warn']:.0%}")


_THERE = {"explanation.rows": 1000.0}


def _answered(yes: int, of: int) -> Measure:
    return Measure("person.explanations_read", yes / of, n=of, detail={"by": "Amir", "role": "ML Governance Analyst"})


EXAMPLES = (
    Example("all were found clear", {**_THERE, "person.explanations_read": _answered(10, 10)}, Verdict.PASS),
    Example("one was not clear", {**_THERE, "person.explanations_read": _answered(9, 10)}, Verdict.WARN),
    Example("exactly at the failing limit", {**_THERE, "person.explanations_read": _answered(8, 10)}, Verdict.WARN),
    Example("too many were not clear", {**_THERE, "person.explanations_read": _answered(7, 10)}, Verdict.FAIL),
    Example("measured, and nobody has read", _THERE, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
