"""Score carried by one feature or by protected ones (GX102)

## What it checks
The share of all attribution that the largest feature holds, and the share held by features that are protected attributes,
their one-hot columns, or named as proxies by the policy. Share means the mean absolute attribution of a feature over the
sum of all features.

## Why it matters
A model that leans on one feature fails with it: one broken feed, one unit error, one leak of the label. A score carried
by a protected attribute or its proxy treats people by group, whatever the accuracy.

## What good enough looks like
No feature above 50 % (a warning; above 90 % the model is that feature, which fails). Protected and proxy features
together at most 5 % (a warning; above 20 % fails). These limits are conventions; the policy pack sets them by domain.

## How to fix
A dominant feature: check that it is known at decision time (not a consequence of the label), then regularise, or write
down why it should dominate. A protected share: leave the attribute out and retrain, then look again; its proxies often
take over its share, so also read the fairness gates. If the attribute is there to measure or correct bias, say so in the
business context.

## Tools
XGBoost `pred_contribs`, LightGBM `pred_contrib`, shap. Name proxies in the policy (`proxy_features`), such as postcode or
first language.
"""

from __future__ import annotations

from gates.judging import over, strictest
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GX102"
NAME = "explanation-concentration"
COLLECTORS = ("explanations",)
NEEDS = ("explanation.top_share", "explanation.protected_share", "explanation.additivity_error", "explanation.score_mismatch")
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.ANALYST
MODE = Mode.AUTOMATIC_WITH_READING
RISK = "One feature, or a protected one, decides about people without anybody having chosen that."
LIMITS = {
    "max_feature_share_warn": 0.50,
    "max_feature_share_fail": 0.90,
    "max_protected_share_warn": 0.05,
    "max_protected_share_fail": 0.20,
    "max_additivity_error": 1e-3,
}
_FIX_TOP = (
    "Check that the feature is known at decision time and no consequence of the label; else write down why it should dominate."
)
_FIX_PROTECTED = "Leave the protected or proxy features out and retrain, or say in the business context what they are for."


def judge(measured: Measured, limits: Limits) -> GateResult:
    """The stricter of concentration and protected share."""
    top, protected = measured.one("explanation.top_share"), measured.one("explanation.protected_share")
    for metric in ("explanation.additivity_error", "explanation.score_mismatch"):
        row = measured.one(metric)
        if row is not None and row.value is not None and row.value > limits["max_additivity_error"]:
            return not_assessed(
                f"Attributions or model and the submitted score differ by up to {row.value:.3g}: "
                f"{row.text or 'they explain another model'}.",
                fix="Explain the model that was scored: same file, same number of trees.",
            )
        if row is not None and row.value is None and row.reason:
            return not_assessed(
                f"Nobody can tell whether the attributions belong to the scores. {row.reason}",
                fix="Attach the predictions with the same row keys, or add a score column to the attributions.",
            )
    if top is None or top.value is None:
        return not_assessed(
            measured.not_measured.get("explanations", "Explanations were not measured."),
            fix="Attach the model with an explanation sample, or attributions from your own pipeline.",
        )
    results = [
        over(
            top,
            warn=limits["max_feature_share_warn"],
            fail=limits["max_feature_share_fail"],
            says=f"The share of the largest feature{_named(top)}",
            because="the score leans on one feature",
            fix=_FIX_TOP,
        ),
    ]
    if protected is not None:
        results.append(
            over(
                protected,
                warn=limits["max_protected_share_warn"],
                fail=limits["max_protected_share_fail"],
                says=f"The share of protected and proxy features{_named(protected)}",
                because="the score uses what it should not know",
                fix=_FIX_PROTECTED,
            )
        )
    return strictest(results)


def _named(row: Measure) -> str:
    return f" ({row.text})" if row.text else ""


EXAMPLES = (
    Example("spread over many features", {"explanation.top_share": 0.22, "explanation.protected_share": 0.0}, Verdict.PASS),
    Example("exactly at both limits", {"explanation.top_share": 0.50, "explanation.protected_share": 0.05}, Verdict.PASS),
    Example("one feature over half", {"explanation.top_share": 0.51, "explanation.protected_share": 0.0}, Verdict.WARN),
    Example(
        "some weight on a protected attribute", {"explanation.top_share": 0.3, "explanation.protected_share": 0.08}, Verdict.WARN
    ),
    Example("the score is one feature", {"explanation.top_share": 0.95, "explanation.protected_share": 0.0}, Verdict.FAIL),
    Example("protected attributes decide", {"explanation.top_share": 0.3, "explanation.protected_share": 0.31}, Verdict.FAIL),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
