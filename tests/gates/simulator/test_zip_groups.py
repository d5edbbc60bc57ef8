"""The demo's credit applicants have age bands and zip code groups: the fairness gate shows both and their crossing."""

from __future__ import annotations

from pathlib import Path

from gates.management.local import pack_at
from gates.services.local_runs import LocalFile, run_locally
from gates.simulator.models import predictions, train
from gates.simulator.populations import ZIP_GROUPS, lender
from governance.domain.facts import FactSet
from governance.domain.vocabulary import EvidenceRole, Track
from governance.services.packs import PACKS
from reviews.demo.handing_in import PREDICTION_COLUMNS, parquet


def test_the_gate_shows_age_bands_zip_groups_and_their_crossing(tmp_path: Path) -> None:
    training, evaluation = lender(2_000, seed=41), lender(6_000, seed=42)
    scored = predictions(train(training, seed=1, trees=15, depth=3), evaluation)
    path = tmp_path / "candidate.parquet"
    path.write_bytes(parquet(scored))
    columns = {**PREDICTION_COLUMNS, "sensitive": ["age_band", "zip_group"]}
    file = LocalFile(EvidenceRole.CANDIDATE_PREDICTIONS.value, path, columns)
    run = run_locally("GF101", files=[file], facts=FactSet(), pack=pack_at(PACKS / "ml_model.yaml"), track=Track.RED)
    measured = run.to_json()["measures"]
    groups = {row["group"] for row in measured if row["metric"] == "fairness.selection_rate" and row["value"] is not None}
    bands = {"18-29", "30-44", "45-59", "60+"}
    assert {f"age_band={band}" for band in bands} | {f"zip_group={group}" for group in ZIP_GROUPS} <= groups
    crossing = {f"age_band={band} & zip_group={group}" for band in bands for group in ZIP_GROUPS}
    assert crossing <= groups, crossing - groups
    assert run.result.group and run.result.verdict
