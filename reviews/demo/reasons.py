"""The reasons a lender of the demo gives to people it declines: code, plain words, the features behind it."""

from __future__ import annotations

import json
from collections.abc import Sequence

REASONS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("R01", "Your income is low for the amount you asked for", ("income", "monthly_spend")),
    ("R02", "Your monthly debts take a large part of your income", ("debt_ratio",)),
    ("R03", "You have been our customer for a short time", ("tenure_months",)),
    ("R04", "You use most of the credit you already have", ("utilisation", "limit_balance")),
    ("R05", "You paid late in the last twelve months", ("late_payments",)),
    ("R06", "Fewer applicants from your region repay on time", ("region_code",)),
    ("R07", "You work fewer hours than the credit requires", ("part_time", "hours_per_week")),
    ("R11", "You paid your card late last month", ("pay_0",)),
    ("R12", "You paid your card late in the months before", ("pay_2", "pay_3", "pay_4", "pay_5", "pay_6")),
    ("R13", "Your card bills were high in the last three months", ("bill_1", "bill_2", "bill_3")),
    ("R14", "You paid back only little of your last card bills", ("paid_1", "paid_2", "paid_3")),
    ("R21", "Your job and training point to a lower income", ("education", "education_num", "occupation", "workclass")),
    ("R22", "You reported little income from savings", ("capital_gain", "capital_loss")),
    ("R23", "Your household has one income", ("marital_status", "relationship")),
)
NAMES = {
    "income": "your yearly income",
    "monthly_spend": "what you spend in a month",
    "debt_ratio": "the part of your income that goes into debts",
    "tenure_months": "months you have been our customer",
    "utilisation": "how much of your credit you use",
    "late_payments": "late payments in twelve months",
    "region_code": "your region",
    "part_time": "working part time",
}


def reason_file(features: Sequence[str]) -> bytes:
    """The reason-code file of a model with these features, as JSON."""
    known = set(features)
    codes = [
        {"code": code, "words": words, "features": [name for name in behind if name in known]}
        for code, words, behind in REASONS
        if known & set(behind)
    ]
    return json.dumps(
        {"codes": codes, "features": {name: words for name, words in NAMES.items() if name in known}}, indent=1
    ).encode()
