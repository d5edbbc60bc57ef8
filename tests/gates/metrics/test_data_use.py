"""Age, legal basis and purposes of the data: each rule with a case on either side, from files and from the register."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from gates import registry
from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import consent, recency
from gates.pictures.render import draw
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers.model_files import evidence

TODAY = "2026-11-21"
ENTRY: dict[str, Any] = {
    "owner": "credit-data",
    "approved": True,
    "consent_basis": "contract",
    "holds_personal_data": True,
    "refreshed_on": "2026-11-01",
    "purposes": ["credit", "fraud"],
    "agreement_ends_on": "2027-12-31",
    "licence": "internal",
    "retention_days": 400,
}
FACTS = {"data.sources": ["s3://lake/loans/2026.parquet"], "data.snapshot_date": "2026-10-31", "decision.domain": "credit"}


def settings(**changes: Any) -> dict[str, Any]:
    return {"as_of": TODAY, "registered_sources": {"s3://lake/loans/": {**ENTRY, **changes}}}


def judge(code: str, collected: Collected, **limits: Any) -> GateResult:
    gate = registry.gate(code)
    assert not collected.not_measured or not collected.measures
    reasons = {gate.collectors[0]: collected.not_measured} if collected.not_measured else {}
    return gate.judge(Measured(collected.measures, reasons), gate.limits_with(limits))


def age(facts: dict[str, Any] | None = None, file: EvidenceInput | None = None, **changes: Any) -> Collected:
    return recency.collect(Inputs({"reference_sample": file} if file else {}, {**FACTS, **(facts or {})}, settings(**changes)))


def rows(folder: Path, *days: str, column: str = "when") -> EvidenceInput:
    pd.DataFrame({column: pd.to_datetime(list(days)), "x": 1.0}).to_parquet(folder / "train.parquet")
    return evidence("reference_sample", folder / "train.parquet", time=column)


@pytest.mark.parametrize(
    ("facts", "changes", "verdict"),
    [
        ({}, {}, Verdict.PASS),
        ({"data.snapshot_date": "2026-05-25"}, {}, Verdict.PASS),  # 180 days
        ({"data.snapshot_date": "2026-05-24"}, {}, Verdict.WARN),
        ({"data.snapshot_date": "2025-11-21"}, {}, Verdict.WARN),  # 365 days
        ({"data.snapshot_date": "2025-11-20"}, {}, Verdict.FAIL),
        ({"data.snapshot_date": "2026-11-22"}, {}, Verdict.FAIL),
        ({"data.snapshot_date": None}, {}, Verdict.NOT_ASSESSED),
        ({}, {"refreshed_on": "2026-05-24"}, Verdict.WARN),
        ({}, {"refreshed_on": "2025-11-20"}, Verdict.FAIL),
        ({}, {"refreshed_on": None}, Verdict.NOT_ASSESSED),
        ({"data.sources": ["s3://lake/loans/x", "scraped"]}, {}, Verdict.NOT_ASSESSED),
        ({"data.sources": []}, {}, Verdict.NOT_ASSESSED),
    ],
)
def test_ages(facts: dict[str, Any], changes: dict[str, Any], verdict: Verdict) -> None:
    collected = age(facts, **changes)
    result = judge("GD107", collected)
    assert result.verdict is verdict, result.says
    if verdict is Verdict.NOT_ASSESSED:
        assert judge("GD107", collected, unknown="warn").verdict is Verdict.WARN, "unknown never passes"
    assert all(draw(picture.spec) for picture in collected.pictures)


def test_rows_speak_before_the_declaration(tmp_path: Path) -> None:
    result = age(file=rows(tmp_path, "2026-01-05", "2026-03-01"))
    row = Measured(result.measures).one("recency.newest_row_days")
    assert row is not None and row.value == 265 and row.detail["from"] == "rows"
    said = judge("GD107", result)
    assert said.verdict is Verdict.WARN and said.observed == 265
    assert any("244 days newer than the newest row" in note for note in said.notes), said.notes


def test_rows_beyond_retention(tmp_path: Path) -> None:
    kept = rows(tmp_path, "2025-10-17", "2026-11-01")
    assert judge("GD107", age({"data.snapshot_date": "2026-11-01"}, kept)).verdict is Verdict.PASS, "400 days are allowed"
    old = rows(tmp_path, "2025-10-16", "2026-11-01")
    result = judge("GD107", age({"data.snapshot_date": "2026-11-01"}, old))
    assert result.verdict is Verdict.FAIL and "1 days longer" in result.says
    assert judge("GD107", age({"data.snapshot_date": "2026-11-01"}, old, retention_days=None)).verdict is Verdict.PASS


def test_a_time_column_that_holds_none_is_named(tmp_path: Path) -> None:
    pd.DataFrame({"when": ["soon", "later"], "x": 1}).to_csv(tmp_path / "train.csv", index=False)
    with pytest.raises(EvidenceProblem, match=r"train\.csv, column “when”: expected dates or times"):
        age(file=evidence("reference_sample", tmp_path / "train.csv", time="when"))
    with pytest.raises(EvidenceProblem, match="nearest: when"):
        age(file=evidence("reference_sample", tmp_path / "train.csv", time="whem"))


@pytest.mark.parametrize(
    ("facts", "changes", "verdict", "word"),
    [
        ({}, {}, Verdict.PASS, "The source has"),
        ({}, {"consent_basis": ""}, Verdict.FAIL, "no legal basis"),
        ({}, {"consent_basis": "", "holds_personal_data": False}, Verdict.PASS, "The source has"),
        (
            {"data.consent_basis": "contract"},
            {"consent_basis": ""},
            Verdict.NOT_ASSESSED,
            "declared (contract), but not registered",
        ),
        ({"data.consent_basis": "consent"}, {}, Verdict.WARN, "contract is registered, consent is declared"),
        ({"decision.domain": "marketing"}, {}, Verdict.FAIL, "may be used for credit, fraud, not for marketing"),
        ({"decision.domain": "marketing"}, {"purposes": ["any"]}, Verdict.PASS, "The source has"),
        ({}, {"purposes": []}, Verdict.NOT_ASSESSED, "does not say for which purposes"),
        ({"decision.domain": None}, {}, Verdict.NOT_ASSESSED, "not known"),
        ({}, {"agreement_ends_on": "2026-12-21"}, Verdict.PASS, "The source has"),
        ({}, {"agreement_ends_on": "2026-12-20"}, Verdict.WARN, "ends in 29 days"),
        ({}, {"agreement_ends_on": "2026-11-21"}, Verdict.WARN, "ends in 0 days"),
        ({}, {"agreement_ends_on": "2026-11-20"}, Verdict.FAIL, "ended 1 days ago"),
        ({}, {"agreement_ends_on": None, "licence": ""}, Verdict.PASS, "The source has"),
        ({"data.sources": ["scraped"]}, {}, Verdict.NOT_ASSESSED, "not in the register"),
        ({"data.sources": None}, {}, Verdict.NOT_ASSESSED, "No data source"),
    ],
)
def test_purposes(facts: dict[str, Any], changes: dict[str, Any], verdict: Verdict, word: str) -> None:
    collected = consent.collect(Inputs({}, {**FACTS, **facts}, settings(**changes)))
    result = judge("GD108", collected)
    assert result.verdict is verdict and word in result.says, result.says
    if changes.get("licence") == "":
        assert {"No licence of s3://lake/loans/2026.parquet is registered.", "No end of the agreement on s3://lake/loans/2026.parquet is registered."} <= set(result.notes)  # fmt: skip  # noqa: E501
