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

from gates.people import ANSWER_LIMITS, Reading, judge_reading, reading_examples
from gates.spec import GateResult, Limits, Measured, Mode
from governance.domain.vocabulary import Kind, Role

CODE = "GX106"
NAME = "reasons-in-product-words"
COLLECTORS = ("explanations",)
NEEDS = ("explanation.rows", "person.product_words")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.HUMAN
RISK = "Prices go out that nobody in the business can justify."
LIMITS = ANSWER_LIMITS

READING = Reading(
    record="product_words",
    waits="The reasons of the prices wait for the business owner.",
    read="The business owner reads the sampled explanations on the case page and answers yes or no for each.",
    means="were approved as reasons for customers",
    mend="Put the reasons into the product's own words, and hand in a revision.",
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """What was answered, against the least share that has to be yes."""
    return judge_reading(measured, limits, READING)


EXAMPLES = reading_examples(READING, of=5, by="Mona", role="product")
