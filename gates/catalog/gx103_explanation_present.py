"""Missing explanation (GX103)

## What it checks
Whether the version can be explained at all, and whether that is written down. Every use needs two things: a global
explanation (how much each feature carries, measured here or uploaded and checked) and a method statement (how
explanations are made: library, algorithm, background, rows). A regulated use needs a third: a named person attests that
the reasons people are given are those that decided. "Regulated" means that a regime is named, or that nobody said that
none applies.

## Why it matters
Who cannot explain a score cannot answer the customer, the regulator or the engineer at night. Regulations B and the EU AI
Act ask for reasons and for somebody who stands for them, not for a picture of bars.

## What good enough looks like
Pass: "relationship carries 21 % … (13 features on 1,000 rows); method: TreeSHAP, path dependent; the reasons are attested by
the analyst". Fail: no feature has a share because no model or attributions were handed in, or attributions came without
a word on how they were made. Where explanations are computed here, the method of that computation counts as the
statement.

## How to fix
Attach the model and an explanation sample, or attributions from your own pipeline. Write the section "Explanations" into the
model card, or answer `explanation.method`: the library, the algorithm, the background rows, what it does not show. The
attestation is given on the case page, by somebody who did not hand the version in.

## Tools
XGBoost `pred_contribs`, LightGBM `pred_contrib`, shap; the model card; the page "What people attest" of the case.
"""

from __future__ import annotations

from gates.judging import stated
from gates.people import spoken, waiting
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GX103"
NAME = "explanation-present"
COLLECTORS = ("explanations", "explanations_statement")
NEEDS = (
    "explanation.top_share",
    "explanation.rows",
    "explanation.additivity_error",
    "explanation.method_statement",
    "explanation.regulated",
    "person.reason_codes",
)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "Nobody can say why the model decided as it did, not even to the person concerned."
LIMITS = {"min_rows": 200, "max_additivity_error": 1e-3}
_ATTACH = "Attach the model with an explanation sample, or attributions from your own pipeline."
_STATE = (
    "Write the section “Explanations” into the model card, or answer explanation.method: library, algorithm, background, rows."
)
_ATTEST = "A person with the role the policy names reads the reasons and attests them on the case page."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Global explanation, method statement, and where a regulation applies the attestation, in this order."""
    top, rows = measured.one("explanation.top_share"), measured.one("explanation.rows")
    if top is None or top.value is None or rows is None or rows.value is None:
        return not_assessed(measured.not_measured.get("explanations", "There is no global explanation."), fix=_ATTACH)
    gap = measured.one("explanation.additivity_error")
    if gap is not None and gap.value is not None and gap.value > limits["max_additivity_error"]:
        return not_assessed(f"The attributions are not those of the submitted score (off by up to {gap.value:.3g}).", fix=_ATTACH)
    if rows.value < limits["min_rows"]:
        says = f"Only {rows.value:.0f} rows are explained; a global explanation needs {limits['min_rows']}."
        return not_assessed(says, fix="Attach more rows.")
    statement = measured.one("explanation.method_statement")
    method = (statement.text if statement is not None and statement.value else "") or rows.text
    if not method:
        says = "The attributions came without a word on how they were made."
        return stated(Verdict.FAIL, says, statement or Measure("explanation.method_statement", 0.0), fix=_STATE, limit="stated")
    regulated = measured.one("explanation.regulated")
    if regulated is None or regulated.value is None:
        return not_assessed(
            "It was not looked at whether a regulation applies.", fix="Name the regimes, or say that none applies."
        )
    told = f"{top.text or 'The largest feature'} carries {top.value:.0%} ({rows.value:,.0f} rows). Method: {method[:200]}."
    if not regulated.value:
        return stated(Verdict.PASS, told, top, limit="explanation and method")
    why = regulated.text or "a regulation applies"
    asks = f"A regulated use ({why}) needs a person who attests the reasons people are given; nobody has yet."
    missing = waiting(measured, "reason_codes", asks, _ATTEST)
    if missing is not None:
        return missing
    attested = measured.one("person.reason_codes")
    assert attested is not None and attested.value is not None
    if attested.value < 1:
        says = f"The reasons people are given were read and not attested ({spoken(attested)})."
        return stated(
            Verdict.FAIL, says, attested, fix="Read the comment on the case page and mend the reasons.", limit="attested"
        )
    return stated(Verdict.PASS, f"{told} Reasons attested by {spoken(attested)}.", top, limit="explanation, method, attestation")


_MEASURED = {
    "explanation.top_share": Measure("explanation.top_share", 0.21, n=1000, text="relationship"),
    "explanation.rows": Measure("explanation.rows", 1000.0, n=1000, text="TreeSHAP, path dependent"),
    "explanation.additivity_error": 1e-6,
    "explanation.method_statement": 0.0,
    "explanation.regulated": 0.0,
}
_REGULATED = {**_MEASURED, "explanation.regulated": Measure("explanation.regulated", 1.0, text="US-REG-B")}
_UPLOADED = {**_MEASURED, "explanation.rows": Measure("explanation.rows", 1000.0, n=1000)}
_AMIR = {"wanted": 1, "yes": 1, "no": 0, "by": "Amir", "role": "ML Governance Analyst"}
EXAMPLES = (
    Example("explained here, no regulation", _MEASURED, Verdict.PASS),
    Example(
        "uploaded with a statement",
        {
            **_UPLOADED,
            "explanation.method_statement": Measure("explanation.method_statement", 1.0, text="TreeSHAP by our pipeline"),
        },
        Verdict.PASS,
    ),
    Example("uploaded without a word on the method", _UPLOADED, Verdict.FAIL),
    Example(
        "regulated and attested",
        {**_REGULATED, "person.reason_codes": Measure("person.reason_codes", 1.0, n=1, detail=_AMIR)},
        Verdict.PASS,
    ),
    Example("regulated, nobody attested", _REGULATED, Verdict.NOT_ASSESSED),
    Example(
        "regulated, the person said no",
        {**_REGULATED, "person.reason_codes": Measure("person.reason_codes", 0.0, n=1, detail=_AMIR)},
        Verdict.FAIL,
    ),
    Example(
        "exactly as many rows as the limit",
        {**_MEASURED, "explanation.rows": Measure("explanation.rows", 200.0, text="TreeSHAP")},
        Verdict.PASS,
    ),
    Example("too few rows", {**_MEASURED, "explanation.rows": 199.0}, Verdict.NOT_ASSESSED),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
