"""Prices without reasons in product words (GX106)

## What it checks
For prices: whether the owner of the product approves a sample of explanations as the reasons customers can be told: "we
recommend this price because of X, Y and Z". The business owner reads the sampled cases and answers yes or no for each;
the answers stand under that name and are bound to exactly what was shown.

## Why it matters
A price is questioned by customers, sales and supervisors alike. Whoever answers for the product has to be able to say why,
in words of the product, before the price is out; the team that built the model cannot say it for them.

## What good enough looks like
Pass: all sampled explanations are approved. Warn: one of five is not. Fail: fewer than four of five. Before the business owner
has read, there is no verdict and the case cannot be approved.

## How to fix
Give features the names your product uses (“features” in the reason-code file), take out what nobody could tell a customer, and
hand the revision in: the sample is drawn and read anew.

## Tools
The page "What people attest" of the case, for the role the policy names (product). The reason-code file holds the product
words.
"""

from __future__ import annotations

from gates.judging import stated
from gates.people import spoken, waiting
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GX106"
NAME = "reasons-in-product-words"
COLLECTORS = ("explanations",)
NEEDS = ("explanation.rows", "person.product_words")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.HUMAN
RISK = "Prices go out that nobody in the business can justify."
LIMITS = {"min_yes_warn": 1.0, "min_yes_fail": 0.8}
_READ = "The business owner reads the sampled explanations on the case page and answers yes or no for each."
_MEND = "Put the reasons into the product's own words, and hand in a revision."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """From the records alone: without them there is no verdict, whatever was measured."""
    rows = measured.one("explanation.rows")
    if rows is None or rows.value is None:
        why = measured.not_measured.get("explanations", "There are no explanations to read.")
        return not_assessed(why, fix="Attach the model with an explanation sample, or attributions from your own pipeline.")
    missing = waiting(measured, "product_words", "The reasons of the prices wait for the business owner.", _READ)
    if missing is not None:
        return missing
    row = measured.one("person.product_words")
    assert row is not None and row.value is not None
    yes = round(row.value * (row.n or 0))
    told = f"{yes} of {row.n} explanations were approved as reasons for customers ({spoken(row)})"
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
    return Measure("person.product_words", yes / of, n=of, detail={"by": "Mona", "role": "product"})


EXAMPLES = (
    Example("all were found clear", {**_THERE, "person.product_words": _answered(5, 5)}, Verdict.PASS),
    Example("one was not clear", {**_THERE, "person.product_words": _answered(4, 5)}, Verdict.WARN),
    Example("exactly at the failing limit", {**_THERE, "person.product_words": _answered(4, 5)}, Verdict.WARN),
    Example("too many were not clear", {**_THERE, "person.product_words": _answered(3, 5)}, Verdict.FAIL),
    Example("measured, and nobody has read", _THERE, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
