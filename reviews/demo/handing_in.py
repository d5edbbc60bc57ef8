"""What demo stories have in common: files and evidence of a version, handed in through the same services as everybody's."""

from __future__ import annotations

import io
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from gates.simulator.metadata import RunFacts, all_files, frame_digest
from gates.simulator.models import Trained, auc, predictions
from gates.simulator.populations import Population
from governance.domain.incoming import NewAnswer, NewEvidence, NewSource, NewSubmission
from governance.domain.vocabulary import EvidenceRole, Kind, State
from governance.models import Person, Submission, Unit
from governance.selectors.access import caller_for
from governance.services.evidence import store_evidence
from governance.services.opening import open_submission
from governance.services.work import unit_of_work
from reviews.demo.reasons import reason_file
from reviews.services.intake import submit

PREDICTION_COLUMNS = {"label": "label", "prediction": "decision", "score": "score", "id": "case_id"}


@dataclass(frozen=True)
class Version:
    """A version with everything it needs to be handed in: metadata files and evidence as bytes."""

    system: str
    version: str
    files: Mapping[str, bytes]
    evidence: Mapping[EvidenceRole, tuple[str, bytes, Mapping[str, Any], str]]
    answers: Mapping[str, Any] = field(default_factory=dict)
    environment: str = "production"
    kind: Kind = Kind.ML_MODEL


def parquet(frame: pd.DataFrame) -> bytes:
    """A frame as Parquet bytes."""
    out = io.BytesIO()
    frame.to_parquet(out, index=False)
    return out.getvalue()


def model_bytes(model: Trained) -> bytes:
    """A booster in XGBoost's own UBJ format."""
    with tempfile.TemporaryDirectory() as folder:
        return model.save(Path(folder) / "model.ubj").read_bytes()


def build(
    *,
    system: str,
    version: str,
    candidate: Trained,
    champion: Trained | None,
    training: Population,
    evaluation: Population,
    source: str,
    intended_use: str,
    limitations: str,
    owner: str,
    governance: Mapping[str, Any],
    answers: Mapping[str, Any] | None = None,
    sample_extra: pd.DataFrame | None = None,
    sensitive: Sequence[str] | None = None,
    leave_out: Sequence[EvidenceRole] = (),
    documents: Mapping[EvidenceRole, tuple[str, bytes]] | None = None,
) -> Version:
    """Measure nothing, write everything down: the files a training run leaves, and the evidence on the same evaluation rows.

    `documents`: further evidence by role, name and content (cost report, experiment).
    """
    scored = predictions(candidate, evaluation)
    run = RunFacts(
        system=system,
        version=version,
        framework="xgboost",
        model_class="xgboost.sklearn.XGBClassifier",
        serialization="ubj",
        features=candidate.features,
        label=training.label,
        auc=auc(scored),
        threshold=candidate.threshold,
        source_uri=source,
        intended_use=intended_use,
        limitations=limitations,
        owner=owner,
        trained_by="dana.okafor",
        dataset_digest=frame_digest(training.frame),
        governance=governance,
    )
    # samples hold what the model reads; protected attributes stand beside the predictions only, for the fairness gate
    columns = list(training.features)
    scored_columns = {**PREDICTION_COLUMNS, "sensitive": list(evaluation.sensitive if sensitive is None else sensitive)}
    reference, current = (
        part.frame[["case_id", *columns]].assign(label=part.y, score=candidate.score(part).astype(float))
        for part in (training, evaluation)
    )
    if sample_extra is not None:
        for name in sample_extra.columns:
            reference[name] = sample_extra[name].to_numpy()[: len(reference)]
            current[name] = sample_extra[name].to_numpy()[: len(current)]
    features = {"features": list(candidate.features)}
    sampled = {"id": "case_id", "label": "label", "score": "score"}
    evidence: dict[EvidenceRole, tuple[str, bytes, Mapping[str, Any], str]] = {
        EvidenceRole.CANDIDATE_PREDICTIONS: ("candidate.parquet", parquet(scored), scored_columns, ""),
        EvidenceRole.REFERENCE_SAMPLE: ("reference.parquet", parquet(reference), sampled, ""),
        EvidenceRole.CURRENT_SAMPLE: ("current.parquet", parquet(current), sampled, ""),
        EvidenceRole.CANDIDATE_MODEL: ("model.ubj", model_bytes(candidate), features, "xgboost"),
        EvidenceRole.EXPLANATION_SAMPLE: (
            "explain.parquet",
            parquet(evaluation.frame[["case_id", *training.features]].head(2000)),
            {"id": "case_id"},
            "",
        ),
    }
    if champion is not None:
        baseline = predictions(champion, evaluation)
        evidence[EvidenceRole.BASELINE_PREDICTIONS] = ("champion.parquet", parquet(baseline), scored_columns, "")
        evidence[EvidenceRole.BASELINE_MODEL] = (
            "champion.ubj",
            model_bytes(champion),
            {"features": list(champion.features)},
            "xgboost",
        )
    for role, (name, content) in (documents or {}).items():
        evidence[role] = (name, content, {}, "")
    if governance.get("decision.domain") == "credit":
        evidence[EvidenceRole.REASON_CODES] = ("reasons.json", reason_file(candidate.features), {}, "")
    for role in leave_out:
        evidence.pop(role, None)
    return Version(system, version, all_files(run, training.frame), evidence, answers or {})


def hand_in(person: Person, unit: Unit, new: Version, *, draft: bool = False) -> Submission:
    """Store the evidence, open the submission and submit it, as that person."""
    caller = caller_for(person, origin="job")
    evidence = []
    for role, (name, data, columns, kind) in new.evidence.items():
        row, _ = store_evidence(caller=caller, unit_id=unit.pk, name=name, media_type="application/octet-stream", chunks=[data])
        evidence.append(NewEvidence(role, row.sha256, columns, kind))
    body = NewSubmission(
        system=new.system,
        kind=new.kind,
        version=new.version,
        environment=new.environment,
        sources=tuple(NewSource(name, data) for name, data in new.files.items()),
        answers={question: NewAnswer(value) for question, value in new.answers.items()},
        evidence=tuple(evidence),
    )
    with unit_of_work(caller) as work:
        submission, created = open_submission(work, unit_id=unit.pk, new=body)
    if created and not draft:
        submit(caller=caller, submission_id=submission.pk)
    submission.refresh_from_db()
    return submission


def settled(submission: Submission, *, seconds: float = 300) -> Submission:
    """Wait until the workers have run the gates and the case has moved on."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        submission.refresh_from_db()
        if submission.state != State.IN_CHECKS:
            return submission
        time.sleep(0.3)
    raise TimeoutError(f"{submission.number} is still in checks after {seconds:.0f} s. Is a worker running?")


def write_sample(new: Version, folder: Path) -> None:
    """Put a version's files on disk, for somebody who wants to hand it in by form."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in new.files.items():
        (folder / name).write_bytes(data)
    lines = [f"{new.system} {new.version}, to {new.environment}", "", "Drop these under New submission:"]
    lines += [f"  {name}" for name in new.files]
    lines += ["", "Attach these under Evidence, each for what it is:"]
    for role, (name, data, columns, _) in new.evidence.items():
        (folder / name).write_bytes(data)
        named = "; ".join(f"{key}: {value if isinstance(value, str) else ', '.join(value)}" for key, value in columns.items())
        lines.append(f"  {name}: {role.value.replace('_', ' ')}" + (f" ({named})" if named and "features" not in columns else ""))
    (folder / "hand-in.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
