"""A planted portfolio as files: what a team would hand in, and what was planted beside it.

`submission.json` names every file with its role and columns (as the body of `POST /api/v1/submissions` does), `truth.json` says
what is true. The other files are Parquet, models in XGBoost's UBJ, and the metadata a training run leaves.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from gates.simulator.metadata import RunFacts, all_files, frame_digest
from gates.simulator.models import auc, predictions
from gates.simulator.planting import Dials, Planted, plant
from gates.simulator.truths import Truth, truths
from governance.domain.vocabulary import EvidenceRole

DOMAIN = {"lender": "credit", "shop": "recommendation", "hospital": "health"}
PURPOSE = {
    "lender": "Decides whether an application for a loan is pre-approved; a refusal can be appealed.",
    "shop": "Chooses the product that a visitor of the shop is shown first.",
    "hospital": "Ranks patients for a follow-up call after discharge.",
}


def simulate(dials: Dials, folder: Path) -> list[Truth]:
    """Write a portfolio into a folder (made when it is not there). Returns what is true of it."""
    planted = plant(dials)
    folder.mkdir(parents=True, exist_ok=True)
    evidence = _evidence(planted, folder)
    metadata = all_files(_run(planted), planted.training.frame)
    for name, data in metadata.items():
        (folder / name).write_bytes(data)
    found = truths(planted)
    body = {
        "system": f"simulated-{dials.portfolio}",
        "kind": "ml_model",
        "version": f"1.{dials.seed}.0",
        "environment": "production",
        "sources": [{"name": name} for name in sorted(metadata)],
        "evidence": evidence,
        "answers": {},
    }
    _json(folder / "submission.json", body)
    _json(folder / "truth.json", {"dials": dials.to_json(), "truths": [truth.to_json() for truth in found]})
    return found


def _evidence(planted: Planted, folder: Path) -> list[dict[str, Any]]:
    training, evaluation = planted.training, planted.evaluation
    scored = {
        "label": "label",
        "prediction": "decision",
        "score": "score",
        "id": "case_id",
        "sensitive": list(evaluation.sensitive),
    }
    sampled = {"id": "case_id", "label": "label", "score": "score"}
    features = list(training.features)

    def sample(part: Any) -> pd.DataFrame:
        return part.frame[["case_id", *features]].assign(label=part.y, score=planted.candidate.score(part).astype(float))

    tables: list[tuple[EvidenceRole, str, pd.DataFrame, Mapping[str, Any]]] = [
        (EvidenceRole.CANDIDATE_PREDICTIONS, "candidate.parquet", predictions(planted.candidate, evaluation), scored),
        (EvidenceRole.BASELINE_PREDICTIONS, "champion.parquet", predictions(planted.champion, evaluation), scored),
        (EvidenceRole.REFERENCE_SAMPLE, "reference.parquet", sample(training), sampled),
        (EvidenceRole.CURRENT_SAMPLE, "current.parquet", sample(evaluation), sampled),
        (
            EvidenceRole.EXPLANATION_SAMPLE,
            "explain.parquet",
            evaluation.frame[["case_id", *features]].head(2_000),
            {"id": "case_id"},
        ),
    ]
    found = []
    for role, name, frame, columns in tables:
        frame.to_parquet(folder / name, index=False)
        found.append({"role": role.value, "file": name, "columns": dict(columns), "format": ""})
    for role, name, model in (
        (EvidenceRole.CANDIDATE_MODEL, "model.ubj", planted.candidate),
        (EvidenceRole.BASELINE_MODEL, "champion.ubj", planted.champion),
    ):
        model.save(folder / name)
        found.append({"role": role.value, "file": name, "columns": {"features": list(model.features)}, "format": "xgboost"})
    return found


def _run(planted: Planted) -> RunFacts:
    dials, candidate = planted.dials, planted.candidate
    return RunFacts(
        system=f"simulated-{dials.portfolio}",
        version=f"1.{dials.seed}.0",
        framework="xgboost",
        model_class="xgboost.sklearn.XGBClassifier",
        serialization="ubj",
        features=candidate.features,
        label=planted.training.label,
        auc=auc(predictions(candidate, planted.evaluation)),
        threshold=candidate.threshold,
        source_uri=f"s3://lake/simulated/{dials.portfolio}.parquet",
        intended_use=PURPOSE[dials.portfolio],
        limitations="Simulated data from stated equations; nothing in it is about real people.",
        owner="simulation",
        trained_by="dana.okafor",
        dataset_digest=frame_digest(planted.training.frame),
        governance={"decision.domain": DOMAIN[dials.portfolio], "decision.automated": True},
    )


def _json(path: Path, body: Any) -> None:
    path.write_text(json.dumps(body, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
