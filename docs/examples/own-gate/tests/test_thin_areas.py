"""The gate's examples are its tests; the collector is tested on a real file. Run where Guiderail can be imported."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from acme_gates import area_coverage, gz101_thin_areas

from gates.collecting import EvidenceInput, EvidenceProblem, Inputs
from gates.spec import Example, Measured


def given(tmp_path: Path, text: str) -> Inputs:
    path = tmp_path / "scored.csv"
    path.write_text(text)
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    return Inputs({"candidate_predictions": EvidenceInput("candidate_predictions", str(path), path.name, sha256)})


@pytest.mark.parametrize("example", gz101_thin_areas.EXAMPLES, ids=lambda example: example.name)
def test_examples(example: Example) -> None:
    limits = {**gz101_thin_areas.LIMITS, **example.limits}
    assert gz101_thin_areas.judge(Measured.of(example.measured), limits).verdict == example.verdict


def test_thin_areas_are_counted(tmp_path: Path) -> None:
    areas = ["N1"] * 90 + ["N2"] * 10
    rows = "\n".join(f"{number},{area}" for number, area in enumerate(areas))
    share, thin = area_coverage.collect(given(tmp_path, f"id,postcode\n{rows}\n")).measures
    assert (share.value, share.n, thin.group, thin.value) == (0.1, 100, "area=N2", 10.0)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(EvidenceProblem, match=r"column “postcode”.*area_column"):
        area_coverage.collect(given(tmp_path, "id,age\n1,40\n"))
