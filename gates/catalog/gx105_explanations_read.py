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

from gates.people import ANSWER_LIMITS, Reading, judge_reading, reading_examples
from gates.spec import GateResult, Limits, Measured, Mode
from governance.domain.vocabulary import Kind, Role

CODE = "GX105"
NAME = "explanations-read"
COLLECTORS = ("explanations",)
NEEDS = ("explanation.rows", "person.explanations_read")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.HUMAN
RISK = "People get explanations that are correct and useless to them."
LIMITS = ANSWER_LIMITS

READING = Reading(
    record="explanations_read",
    waits="The explanations wait for a person who reads them.",
    read="The role the policy names reads the sampled explanations on the case page and answers yes or no for each.",
    means="were found clear to the person concerned",
    mend="Read the comments, put the explanations into plainer words, and hand in a revision.",
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """What was answered, against the least share that has to be yes."""
    return judge_reading(measured, limits, READING)


EXAMPLES = reading_examples(READING, of=10, by="Amir", role="ML Governance Analyst")
