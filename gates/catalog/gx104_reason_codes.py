"""Reason codes that do not hold (GX104)

## What it checks
The list of reasons people are given after an adverse decision. Each code maps to features that the model has, says it in
plain and specific words, and stands for no protected attribute or proxy. Every adverse decision in the explained sample
gets at least one code from its own attributions (the strongest adverse contributions, up to four, as Regulation B asks
for the principal reasons), and what weighed most has a code. A named person attests the list.

## Why it matters
A person who is declined has a right to the real reasons. A code that no feature stands behind is invented; "insufficient
score" tells nothing (CFPB circulars 2022-03 and 2023-03 refuse it); a strong feature without a code hides the real reason
behind a weaker one; a protected attribute behind a code is discrimination in writing.

## What good enough looks like
Pass: "12 codes; each of 214 adverse decisions in the sample has a reason; attested by the analyst". Fail: code R07 names
`bureau_age`, which the model does not have; R03 says "SHAP value of income_delta"; R09 stands for `sex`; or adverse
decisions without any reason. Warn: the strongest reason has no code for up to 5 % of the people.

## How to fix
Write a JSON, YAML or CSV file with `code`, `words`, `features` (role reason_codes) and optionally plain names of the
features. Three to thirty words each, as you would say them to the person: "Your monthly payments are high for your income".
Give every feature that can push a score to the bad end a code; take features that stand for protected attributes out of the
model, not out of the list.

## Tools
Regulation B, 12 CFR 1002.9 and its sample form C-1; the reason-code list of your adverse-action letters; XGBoost
`pred_contribs` to see which features decide about single people.
"""

from __future__ import annotations

from gates.judging import stated, strictest
from gates.people import spoken, waiting
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GX104"
NAME = "reason-codes"
COLLECTORS = ("explanations", "reason_codes")
NEEDS = (
    "reason_codes.codes",
    "reason_codes.unknown_features",
    "reason_codes.without_features",
    "reason_codes.not_plain",
    "reason_codes.protected",
    "reason_codes.doubled",
    "reason_codes.features_without_code",
    "reason_codes.adverse",
    "reason_codes.uncovered",
    "reason_codes.hidden",
    "person.reason_codes",
)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "People are declined for reasons that are wrong, empty or forbidden."
LIMITS = {"max_hidden_warn": 0.0, "max_hidden_fail": 0.05, "max_uncovered": 0.0}
_LIST = (
    ("unknown_features", "Codes name features that the model does not have", "Name the features as the model does."),
    ("without_features", "Codes stand for no feature", "Map each code to the features behind it, or take it out."),
    (
        "not_plain",
        "Codes are not plain words",
        "Write what you would say to the person: specific, 3 to 30 words, no names of columns.",
    ),
    (
        "protected",
        "Codes stand for protected attributes",
        "Take the attribute or proxy out of the model and the code out of the list.",
    ),
    ("doubled", "Codes stand in the list twice", "Give each reason one code."),
)
_ATTACH = "Attach the reason-code file (role reason_codes): code, plain words, features; JSON, YAML or CSV."
_ATTEST = "A person with the role the policy names reads the list and attests it on the case page."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """The list first, then the adverse decisions of the sample, then the person."""
    codes = measured.one("reason_codes.codes")
    if codes is None or codes.value is None:
        return not_assessed(measured.not_measured.get("reason_codes", "The reason codes were not looked at."), fix=_ATTACH)
    results = [result for row in _LIST if (result := _listed(measured, *row)) is not None]
    results += _given(measured, limits)
    worst = strictest(results) if results else None
    if worst is not None and worst.verdict in (Verdict.FAIL, Verdict.NOT_ASSESSED):
        return worst
    asks = "The list of reasons waits for a person who attests it."
    missing = waiting(measured, "reason_codes", asks, _ATTEST)
    if missing is not None:
        return strictest([missing, *results])
    attested = measured.one("person.reason_codes")
    assert attested is not None and attested.value is not None
    if attested.value < 1:
        says = f"The list of reasons was read and not attested ({spoken(attested)})."
        return stated(Verdict.FAIL, says, attested, fix="Read the comment on the case page and mend the list.", limit="attested")
    adverse = measured.one("reason_codes.adverse")
    people = f"each of {adverse.value:,.0f} adverse decisions has a reason" if adverse and adverse.value else ""
    whole = stated(Verdict.PASS, f"{codes.value:.0f} codes; {people}; attested by {spoken(attested)}.", codes, limit="whole")
    return strictest([whole, *results])


def _listed(measured: Measured, name: str, says: str, fix: str) -> GateResult | None:
    row = measured.one(f"reason_codes.{name}")
    if row is None:
        return not_assessed(f"{says}: not looked at.", fix=fix)
    if row.value is None:
        return not_assessed(
            f"Not known whether codes fit. {row.reason}", fix="Attach the model's metadata, so that its features are known."
        )
    return stated(Verdict.FAIL, f"{says}: {row.text or f'{row.value:.0f}'}.", row, fix=fix, limit="none") if row.value else None


def _given(measured: Measured, limits: Limits) -> list[GateResult]:
    """What single people of the sample would be told."""
    adverse = measured.one("reason_codes.adverse")
    if adverse is None or adverse.value is None:
        why = (adverse.reason if adverse else "") or measured.not_measured.get("explanations", "No decision was explained.")
        return [
            not_assessed(
                f"No adverse decision could be explained. {why}", fix="Attach rows with adverse decisions and the model."
            )
        ]
    found = []
    uncovered, hidden = measured.one("reason_codes.uncovered"), measured.one("reason_codes.hidden")
    if uncovered is not None and uncovered.value is not None and uncovered.value > limits["max_uncovered"]:
        says = f"{uncovered.value:.1%} of {adverse.value:,.0f} adverse decisions get no reason{_cases(uncovered)}."
        fix = "Give the features that decided about these people a code."
        found.append(stated(Verdict.FAIL, says, uncovered, fix=fix, limit=f"<= {limits['max_uncovered']:.0%}"))
    if hidden is not None and hidden.value is not None and hidden.value > limits["max_hidden_warn"]:
        fails = hidden.value > limits["max_hidden_fail"]
        bound = limits["max_hidden_fail"] if fails else limits["max_hidden_warn"]
        of = f"{hidden.value:.1%} of {adverse.value:,.0f} adverse decisions"
        says = f"For {of} what weighed most has no code{_cases(hidden)}."
        fix = "Give every feature that can weigh against a person a code."
        found.append(stated(Verdict.FAIL if fails else Verdict.WARN, says, hidden, fix=fix, limit=f"<= {bound:.0%}"))
    return found


def _cases(row: Measure) -> str:
    return f" (cases {row.text})" if row.text else ""


_CLEAN: dict[str, float | Measure] = {
    "reason_codes.codes": 12.0,
    **{f"reason_codes.{name}": 0.0 for name, _, _ in _LIST},
    "reason_codes.adverse": 214.0,
    "reason_codes.uncovered": 0.0,
    "reason_codes.hidden": 0.0,
    "person.reason_codes": Measure("person.reason_codes", 1.0, n=1, detail={"by": "Amir", "role": "ML Governance Analyst"}),
}
_NOBODY = {name: value for name, value in _CLEAN.items() if name != "person.reason_codes"}
EXAMPLES = (
    Example("a whole list, attested", _CLEAN, Verdict.PASS),
    Example("a whole list that nobody attested", _NOBODY, Verdict.NOT_ASSESSED),
    Example(
        "a code for a feature the model does not have",
        {**_CLEAN, "reason_codes.unknown_features": Measure("reason_codes.unknown_features", 1.0, text="R07: bureau_age")},
        Verdict.FAIL,
    ),
    Example(
        "a code that stands for sex",
        {**_CLEAN, "reason_codes.protected": Measure("reason_codes.protected", 1.0, text="R09: sex")},
        Verdict.FAIL,
    ),
    Example(
        "words of the model",
        {**_CLEAN, "reason_codes.not_plain": Measure("reason_codes.not_plain", 1.0, text="R03 (technical: “SHAP”)")},
        Verdict.FAIL,
    ),
    Example("adverse decisions without a reason", {**_CLEAN, "reason_codes.uncovered": 0.01}, Verdict.FAIL),
    Example("exactly at the limit of hidden reasons", {**_CLEAN, "reason_codes.hidden": 0.05}, Verdict.WARN),
    Example("too many hidden reasons", {**_CLEAN, "reason_codes.hidden": 0.06}, Verdict.FAIL),
    Example(
        "the person did not attest",
        {**_CLEAN, "person.reason_codes": Measure("person.reason_codes", 0.0, n=1, detail={"by": "Amir"})},
        Verdict.FAIL,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
