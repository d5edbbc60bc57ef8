"""Raw identifiers as features (GD112)

## What it checks
Whether a feature of the model is a direct identifier in the clear: an e-mail address, a phone, account, card or document
number, a name, an address, the number of a customer. Values are looked at first (formats and checksums of up to 300
distinct ones; hashes are recognised), then the declared class of the feature (`model.feature_classes`), then its name. A
date of birth or a place is no direct identifier.

## Why it matters
A model that sees who somebody is learns single persons by heart and gives them away: by its explanations, by its logs and
to whoever can ask it often enough. It also learns nothing that holds for the next person. A keyed hash still lets rows be
joined, and a leaked feature store then holds no addresses.

## What good enough looks like
No feature is a raw direct identifier. Identifiers that are needed to join rows are hashed with a key, and declared so. If
a find is wrong, or the values are hashed in a way that is not recognised, the data steward marks the column, with a
reason, and it no longer counts.

## How to fix
Drop the feature: an identifier carries no knowledge about the next case. If it stands for something (the domain of a
mail address, the age of an account), make that the feature. Otherwise replace it by a keyed hash (HMAC with a secret that
the model team does not hold) and declare it: `model.feature_classes: {customer_id: hashed}`.

## Tools
`hmac` of the standard library; column-level tags in your feature store (Feast) or catalogue; Microsoft Presidio's
anonymiser for free text.
"""

from __future__ import annotations

from gates.judging import stated
from gates.spec import Example, GateResult, Limits, Measure, Measured, Mode, not_assessed
from governance.domain.vocabulary import Kind, Role, Verdict

CODE = "GD112"
NAME = "identifiers-hashed"
COLLECTORS = ("personal_data",)
NEEDS = ("personal_data.identifier_features",)
KINDS = frozenset({Kind.ML_MODEL})
READ_BY = Role.PRIVACY
MODE = Mode.AUTOMATIC
RISK = "The model learns single persons by heart and gives them away."
LIMITS = {"max_raw": 0}
_FIX = (
    "Drop the feature, or replace it by a keyed hash and declare it (model.feature_classes). "
    "If the find is wrong, the data steward marks the column."
)


def judge(measured: Measured, limits: Limits) -> GateResult:
    """Any raw direct identifier among the features fails."""
    row = measured.one("personal_data.identifier_features")
    if row is None or row.value is None:
        reason = (row.reason if row is not None else "") or measured.not_measured.get(
            "personal_data", "The features were not looked at."
        )
        return not_assessed(reason, fix="Hand in the model's metadata, so that its features are known.")
    limit = f"<= {limits['max_raw']}"
    if row.value > limits["max_raw"]:
        says = f"Features that are raw identifiers: {row.text or f'{row.value:.0f}'}."
        return stated(Verdict.FAIL, says, row, fix=_FIX, limit=limit)
    hashed = row.detail.get("hashed") or []
    tail = f" Hashed: {', '.join(map(str, hashed))}." if hashed else ""
    how = "by value, class and name" if row.detail.get("by_value") else "by class and name only, as no sample is attached"
    return stated(Verdict.PASS, f"No feature is a raw identifier, {how}.{tail}", row, limit=limit)


EXAMPLES = (
    Example(
        "no identifier",
        {"personal_data.identifier_features": Measure("personal_data.identifier_features", 0.0, n=12)},
        Verdict.PASS,
    ),
    Example(
        "hashed, to join rows",
        {
            "personal_data.identifier_features": Measure(
                "personal_data.identifier_features", 0.0, detail={"hashed": ["customer_id"]}
            )
        },
        Verdict.PASS,
    ),
    Example("exactly at the limit of a looser policy", {"personal_data.identifier_features": 1.0}, Verdict.PASS, {"max_raw": 1}),
    Example(
        "an address among the features",
        {
            "personal_data.identifier_features": Measure(
                "personal_data.identifier_features", 1.0, text="email (values of the kind: e-mail address)"
            )
        },
        Verdict.FAIL,
    ),
    Example(
        "features not known",
        {
            "personal_data.identifier_features": Measure(
                "personal_data.identifier_features", None, reason="The features are not known."
            )
        },
        Verdict.NOT_ASSESSED,
    ),
    Example("not measured", {}, Verdict.NOT_ASSESSED),
)
