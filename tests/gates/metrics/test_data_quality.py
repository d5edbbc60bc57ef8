"""Data quality, personal data and decision flips on files with known faults, made here and public."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from gates import registry
from gates.collecting import Collected, EvidenceInput, EvidenceProblem, Inputs
from gates.metrics import data_quality, personal_data, rollback
from gates.metrics.personal_data_patterns_impl import is_card, is_iban, is_ip, kind_by_name, mask
from gates.metrics.statistics.intervals import wilson
from gates.pictures.render import draw
from gates.spec import GateResult, Measured
from governance.domain.vocabulary import Verdict
from tests.gates.readers.model_files import evidence


def judge(code: str, collected: Collected, **limits: Any) -> GateResult:
    gate = registry.gate(code)
    return gate.judge(Measured(collected.measures), gate.limits_with(limits))


def quality(**files: EvidenceInput) -> Collected:
    return data_quality.collect(Inputs(files))


def frames(folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    generator = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "id": np.arange(1200),
            "code": generator.integers(1, 4, 1200),
            "amount": generator.normal(100, 10, 1200),
            "kind": generator.choice(["x", "y"], 1200),
            "label": generator.integers(0, 2, 1200).astype(float),
        }
    )
    return frame[:600].copy(), frame[600:].copy()


def compared(folder: Path, before: pd.DataFrame, after: pd.DataFrame) -> Collected:
    before.to_csv(folder / "before.csv", index=False)
    after.to_csv(folder / "after.csv", index=False)
    return quality(
        reference_sample=evidence("reference_sample", folder / "before.csv", id="id", label="label"),
        current_sample=evidence("current_sample", folder / "after.csv", id="id", label="label"),
    )


def test_clean_data_pass(tmp_path: Path) -> None:
    before, after = frames(tmp_path)
    after["amount"] = after.amount.clip(before.amount.min(), before.amount.max())
    collected = compared(tmp_path, before, after)
    assert judge("GD101", collected).verdict is Verdict.PASS
    assert all(draw(picture.spec) for picture in collected.pictures)


@pytest.mark.parametrize(
    ("fault", "verdict", "named"),
    [
        (lambda d: d.assign(code=np.where(d.id % 3 == 0, 9, d.code)), Verdict.FAIL, "code"),
        (lambda d: d.assign(code=np.where(d.id % 50 == 0, 9, d.code)), Verdict.WARN, "code"),
        (lambda d: d.assign(kind=np.where(d.id % 3 == 0, None, d.kind)), Verdict.FAIL, "kind"),
        (lambda d: d.assign(kind="x"), Verdict.WARN, "kind"),
        (lambda d: d.assign(amount=d.amount * 100), Verdict.WARN, "amount"),
        (lambda d: d.drop(columns="amount"), Verdict.FAIL, "amount"),
        (lambda d: d.assign(amount="a lot"), Verdict.FAIL, "amount"),
        (lambda d: d.assign(id=0), Verdict.FAIL, "doubled"),
        (lambda d: d.assign(label=d.label.where(d.id % 10 > 0)), Verdict.FAIL, "labels"),
        (lambda d: d[:400], Verdict.NOT_ASSESSED, "400 rows"),
    ],
)
def test_each_fault_is_found_and_named(tmp_path: Path, fault: Any, verdict: Verdict, named: str) -> None:
    before, after = frames(tmp_path)
    after["amount"] = after.amount.clip(before.amount.min(), before.amount.max())
    result = judge("GD101", compared(tmp_path, before, fault(after)))
    assert result.verdict is verdict, result
    assert named in " ".join((result.says, *result.notes))


GX = {
    "1.x": lambda kind, column: {"expectation_config": {"type": kind, "kwargs": {"column": column}}},
    "0.x": lambda kind, column: {"expectation_config": {"expectation_type": kind, "kwargs": {"column": column}}},
}


@pytest.mark.parametrize("version", GX)
@pytest.mark.parametrize("checkpoint", [False, True])
def test_great_expectations_results_name_column_and_count(tmp_path: Path, version: str, checkpoint: bool) -> None:
    rows = [
        {
            **GX[version]("expect_column_values_to_be_between", "age"),
            "success": False,
            "result": {"element_count": 900, "unexpected_count": 7},
        },
        {
            **GX[version]("expect_column_values_to_not_be_null", "target"),
            "success": False,
            "result": {"element_count": 900, "unexpected_count": 31},
        },
        {**GX[version]("expect_column_to_exist", "age"), "success": True, "result": {}},
    ]
    result: dict[str, Any] = {"success": False, "results": rows, "statistics": {}}
    document = {"run_results": {"one": {"validation_result": result} if version == "0.x" else result}} if checkpoint else result
    (tmp_path / "gx.json").write_text(json.dumps(document))
    verdict = judge("GD101", quality(data_quality_report=evidence("data_quality_report", tmp_path / "gx.json")))
    said = " ".join((verdict.says, *verdict.notes))
    assert verdict.verdict is Verdict.FAIL
    assert "column “age”" in said.lower() and "7 rows" in said and "column “target”" in said.lower() and "31 rows" in said


@pytest.mark.parametrize("text", ["", "[1", "{}", '{"results": 3}', "[" * 100_000])
def test_what_is_no_result_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "gx.json").write_text(text)
    with pytest.raises(EvidenceProblem, match=r"gx\.json: expected"):
        quality(data_quality_report=evidence("data_quality_report", tmp_path / "gx.json"))


def test_public_data(shared_data: Path) -> None:
    taiwan = evidence("current_sample", shared_data / "taiwan" / "UCI_Credit_Card.csv", id="ID", label="Y")
    measured = Measured(quality(current_sample=taiwan).measures)
    assert measured.one("quality.duplicate_rows").detail["count"] == 35  # type: ignore[union-attr]
    credit = evidence("current_sample", shared_data / "credit_quality" / "credit_data.csv")
    measured = Measured(quality(current_sample=credit).measures)
    assert measured.one("quality.missing", "column=Income").value == pytest.approx(381 / 4454)  # type: ignore[union-attr]
    for file in (taiwan, credit):
        found = personal_data.collect(Inputs({"reference_sample": file}))
        assert Measured(found.measures).one("personal_data.columns").value == 0  # type: ignore[union-attr]


def test_personal_data_is_found_and_never_stored(tmp_path: Path) -> None:
    generator = np.random.default_rng(0)
    pd.DataFrame(
        {
            "mail": [f"person{at}@example.org" for at in range(400)],
            "card": ["4111111111111111", "4012888888881881"] * 200,
            "amount_16": generator.integers(10**15, 10**16, 400),
            "seen_at": generator.integers(1_600_000_000, 1_700_000_000, 400),
            "host": [f"10.1.{at % 200}.{at % 251}" for at in range(400)],
            "birthDate": "1980-02-01",
            "income": generator.random(400),
            "email_hash": "0123",
            "ssn_text": [f"{100 + at % 500}-12-{1000 + at}" for at in range(400)],
        }
    ).to_csv(tmp_path / "d.csv", index=False)
    file = {"reference_sample": evidence("reference_sample", tmp_path / "d.csv")}
    collected = personal_data.collect(Inputs(file))
    measured = Measured(collected.measures)
    found = {row.group.removeprefix("column="): row.text for row in measured.all("personal_data.column")}
    assert found == {
        "mail": "e-mail address",
        "card": "payment card number",
        "host": "IP address",
        "birthDate": "date of birth",
        "ssn_text": "US social security number",
    }
    assert "person1" not in repr(collected) and "4111" not in repr(collected) and "10.1." not in repr(collected)
    assert judge("GD103", collected).verdict is Verdict.FAIL
    assert {fact.name: fact.value for fact in collected.facts}["data.contains_pii"] is True
    declared = personal_data.collect(Inputs(file, {"data.contains_pii": True}))
    assert judge("GD103", declared).verdict is Verdict.WARN
    assert "approval" in judge("GD103", declared).says
    approved = personal_data.collect(Inputs(file, {"data.contains_pii": True, "data.pii_approval": "DPO-2026-17"}))
    assert judge("GD103", approved).verdict is Verdict.PASS
    assert judge("GD103", approved, personal_data_allowed=False).verdict is Verdict.FAIL

    def marked(mark: str, **facts: object) -> GateResult:
        marks = {column: {"mark": mark, "kind": kind} for column, kind in found.items()}
        return judge("GD103", personal_data.collect(Inputs(file, facts, {"column_marks": marks})))

    assert marked("wrong").verdict is Verdict.PASS
    assert marked("hashed").verdict is Verdict.PASS
    assert marked("expected").verdict is Verdict.WARN, "declared by the data steward, the approval is still to come"
    assert marked("expected", **{"data.pii_approval": "DPO-2026-17"}).verdict is Verdict.PASS
    removal = marked("remove", **{"data.contains_pii": True, "data.pii_approval": "DPO-2026-17"})
    assert removal.verdict is Verdict.FAIL and "mail" in removal.says
    old = {"mail": {"mark": "wrong", "kind": "phone number"}}
    again = personal_data.collect(Inputs(file, {}, {"column_marks": old}))
    assert judge("GD103", again).verdict is Verdict.FAIL, "a mark holds for what was found then"
    assert any("now it looks like e-mail address" in note for note in again.notes)


def test_raw_identifiers_among_the_features(tmp_path: Path) -> None:
    rows = 400
    keys = [hashlib.sha256(f"k{i}".encode()).hexdigest() for i in range(rows)]
    frame = pd.DataFrame(
        {"email": [f"p{i}@example.com" for i in range(rows)], "customer_id": keys, "income": range(rows), "dob": "1990-01-01"}
    )
    frame.to_csv(tmp_path / "d.csv", index=False)
    file = {"reference_sample": evidence("reference_sample", tmp_path / "d.csv")}

    def judged(features: list[object], classes: dict[str, str] | None = None, **settings: object) -> GateResult:
        facts = {"model.features": features, **({"model.feature_classes": classes} if classes else {})}
        return judge("GD112", personal_data.collect(Inputs(file, facts, settings)))

    raw = judged(["income", "email", "customer_id"])
    assert raw.verdict is Verdict.FAIL and "email" in raw.says and "customer_id" not in raw.says, raw.says
    assert judged(["income", "customer_id", "dob"]).verdict is Verdict.PASS, "hashed values; a date of birth is not direct"
    declared = judged(["email"], {"email": "hashed"})
    assert declared.verdict is Verdict.FAIL and "though declared as hashed" in declared.says
    assert judged(["income", "phone_number"]).verdict is Verdict.FAIL, "by name"
    assert judged(["income", "phone_number"], {"phone_number": "hashed"}).verdict is Verdict.PASS
    assert judged(["income", {"name": "x1", "class": "direct identifier"}]).verdict is Verdict.FAIL
    mark = {"email": {"mark": "hashed", "kind": "e-mail address"}}
    assert judged(["email"], column_marks=mark).verdict is Verdict.PASS
    assert judge("GD112", personal_data.collect(Inputs(file))).verdict is Verdict.NOT_ASSESSED


def test_recognisers() -> None:
    assert is_card("4111 1111 1111 1111") and not is_card("4111111111111112") and not is_card("0000000000000000")
    assert is_iban("DE89 3704 0044 0532 0130 00") and not is_iban("DE88370400440532013000")
    assert is_ip("10.0.0.1") and is_ip("2001:db8::1") and not is_ip("1.2.3") and not is_ip("12:30")
    assert (
        kind_by_name("CustomerEmail")
        and kind_by_name("date_of_birth")
        and not kind_by_name("email_count")
        and not kind_by_name("description")
    )
    assert mask("ann.lee77@example.org") == "a.a9@a.a"


def predictions(folder: Path, flip: np.ndarray, rows: int = 2000) -> dict[str, EvidenceInput]:
    generator = np.random.default_rng(0)
    now = pd.DataFrame(
        {
            "id": np.arange(rows),
            "pred": generator.integers(0, 2, rows),
            "y": generator.integers(0, 2, rows),
            "sex": generator.choice(["f", "m"], rows),
        }
    )
    before = now[["id"]].assign(pred=np.where(flip, 1 - now.pred, now.pred)).sample(frac=1, random_state=2)
    now.to_parquet(folder / "now.parquet")
    before.to_csv(folder / "before.csv", index=False)
    return {
        "candidate_predictions": evidence(
            "candidate_predictions", folder / "now.parquet", id="id", prediction="pred", label="y", sensitive=["sex"]
        ),
        "baseline_predictions": evidence("baseline_predictions", folder / "before.csv", id="id", prediction="pred"),
    }


@pytest.mark.parametrize(
    ("share", "verdict"), [(0.05, Verdict.PASS), (0.06, Verdict.WARN), (0.10, Verdict.WARN), (0.11, Verdict.FAIL)]
)
def test_flips_are_counted_by_key_not_by_position(tmp_path: Path, share: float, verdict: Verdict) -> None:
    flip = np.arange(2000) < share * 2000
    collected = rollback.collect(Inputs(predictions(tmp_path, flip)))
    measured = Measured(collected.measures)
    row = measured.one("rollback.flip_rate")
    expected = wilson(int(flip.sum()), 2000)
    assert row is not None
    assert (row.value, row.low, row.high) == (share, expected.low, expected.high)
    assert judge("GR103", collected).verdict is verdict
    fact = collected.facts[0]
    assert (fact.name, fact.value) == ("rollout.flip_rate", share)
    assert measured.one("rollback.flips_up").value + measured.one("rollback.flips_down").value == flip.sum()  # type: ignore[union-attr,operator]
    assert all(draw(picture.spec) for picture in collected.pictures)


def test_flips_refuse_doubled_keys_and_other_cases(tmp_path: Path) -> None:
    files = predictions(tmp_path, np.zeros(2000, bool))
    doubled = pd.read_csv(tmp_path / "before.csv")
    pd.concat([doubled, doubled[:3]]).to_csv(tmp_path / "before.csv", index=False)
    with pytest.raises(EvidenceProblem, match=r"before\.csv, column “id”.*3 doubled"):
        rollback.collect(Inputs(files))
    doubled.assign(id=doubled.id + 10_000).to_csv(tmp_path / "before.csv", index=False)
    with pytest.raises(EvidenceProblem, match="none in common"):
        rollback.collect(Inputs(files))
    doubled.assign(pred=doubled.pred + 1).to_csv(tmp_path / "before.csv", index=False)
    with pytest.raises(EvidenceProblem, match="0 or 1"):
        rollback.collect(Inputs(files))


def test_a_group_that_bears_the_flips_is_named(tmp_path: Path) -> None:
    sex = np.random.default_rng(0)
    sex.integers(0, 2, 2000), sex.integers(0, 2, 2000)
    women = sex.choice(["f", "m"], 2000) == "f"
    result = judge("GR103", rollback.collect(Inputs(predictions(tmp_path, women & (np.arange(2000) % 12 == 0)))))
    assert result.verdict in (Verdict.PASS, Verdict.WARN)
    first = rollback.collect(Inputs({}, {"champion.exists": False, "rollout.rollback_target": "first version"}))
    assert judge("GR103", first).verdict is Verdict.NOT_APPLICABLE
