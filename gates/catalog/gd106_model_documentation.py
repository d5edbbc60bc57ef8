"""Missing documentation (GD106)

## What it checks
The model's card, as far as it was read or answered: what the model is for (intended use or business context), where it
must not be trusted (limitations), what it takes for granted (assumptions) and who owns it. Placeholders such as "[More
Information Needed]" or "TBD" count as nothing.

## Why it matters
Reviewers, support and the next owner judge by what is written. A model without stated limits is used beyond them; a model
without an owner is nobody's when it fails at night. A tool can see that a text is there; only a reader can say whether it
is right.

## What good enough looks like
Intended use and limitations in sentences of their own (20 characters are the least the check accepts; a good section has
three to ten sentences). Assumptions named as such ("assumes that income is verified"), an owner that is a team people can
reach. Missing use or limits fail; missing assumptions or owner warn.

## How to fix
Write the sections into the model card (README.md) beside the model; they are read from there and need not be typed here.
Say who decides with the score, about whom, and what happens on a wrong one; name groups, ranges and times for which it
was never tested.

## Tools
Hugging Face model card template, model-card-toolkit, MLflow `metadata` and tags; the questions on this site are the short
form.
"""

from __future__ import annotations

from gates.judging import stated, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD106"
NAME = "model-documentation"
COLLECTORS = ("documentation",)
NEEDS = ("documentation.intended_use", "documentation.limitations", "documentation.assumptions", "documentation.owner")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "The model is used for what it was never made for, and nobody is there to say so."
LIMITS = {"required": ["intended_use", "limitations"], "advised": ["assumptions", "owner"]}


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Required fields fail when missing, advised ones warn."""
    wanted = [(name, Verdict.FAIL) for name in limits["required"]] + [(name, Verdict.WARN) for name in limits["advised"]]
    rows = [(measured.one(f"documentation.{name}"), name, verdict) for name, verdict in wanted]
    if all(row is None for row, _, _ in rows):
        return not_assessed(
            measured.not_measured.get("documentation", "The card was not looked at."), fix="Attach the model card."
        )
    results = []
    for row, name, verdict in rows:
        label = name.replace("_", " ")
        if row is None or row.value is None:
            results.append(not_assessed(f"The card's {label} was not looked at."))
        elif row.value < 1:
            says = f"Missing in the card: {row.text or label}."
            results.append(
                stated(
                    verdict,
                    says,
                    row,
                    fix=f"Write the section on {label} in the model card, or answer the question.",
                    limit="present",
                )
            )
    if not results:
        return stated(
            Verdict.PASS,
            f"The card says: {', '.join(name.replace('_', ' ') for name, _ in wanted)}. Whether it is right, a reader decides.",
            limit="present",
        )
    return strictest(results)


_WHOLE = {f"documentation.{name}": 1.0 for name in ("intended_use", "limitations", "assumptions", "owner")}
EXAMPLES = (
    Example("whole card", _WHOLE, Verdict.PASS),
    Example("no assumptions", {**_WHOLE, "documentation.assumptions": 0.0}, Verdict.WARN),
    Example(
        "limitations left as a placeholder",
        {**_WHOLE, "documentation.limitations": Measure("documentation.limitations", 0.0, text="limitations: a placeholder")},
        Verdict.FAIL,
    ),
    Example("exactly the required fields, an advised one missing", {**_WHOLE, "documentation.owner": 0.0}, Verdict.WARN),
    Example(
        "exactly what a policy requires",
        {"documentation.intended_use": 1.0},
        Verdict.PASS,
        {"required": ["intended_use"], "advised": []},
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
