"""Protected attributes found among the columns of the samples."""

from __future__ import annotations

from pathlib import Path

from gates.collecting import EvidenceInput, Inputs
from gates.metrics import personal_data


def test_protected_attributes_among_the_columns_are_a_measured_fact(tmp_path: Path) -> None:
    path = tmp_path / "sample.csv"
    path.write_text("income,sex,marital_status,age_band\n" + "".join(f"{i},female,single,30-44\n" for i in range(600)))
    apart = EvidenceInput("reference_sample", str(path), "sample.csv", "0" * 64, {"sensitive": ["sex", "age_band"]})
    said = {fact.name: fact.value for fact in personal_data.collect(Inputs({"reference_sample": apart})).facts}
    assert said["data.protected_attributes"] == ["marital_status"]
    plain = tmp_path / "plain.csv"
    plain.write_text("income,tenure\n" + "".join(f"{i},3\n" for i in range(600)))
    nothing = EvidenceInput("reference_sample", str(plain), "plain.csv", "0" * 64)
    said = {fact.name: fact.value for fact in personal_data.collect(Inputs({"reference_sample": nothing})).facts}
    assert "data.protected_attributes" not in said
