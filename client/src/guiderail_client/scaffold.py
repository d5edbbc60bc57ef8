"""`guiderail init`: a first `guiderail.yaml` from the files that lie there."""

from __future__ import annotations

from pathlib import Path

_METADATA = (
    "MLmodel",
    "README.md",
    "model_card.md",
    "model_card.json",
    "run.json",
    "metrics.json",
    "validation_result.json",
    "logged_model.json",
    "croissant.json",
    "dvc.lock",
    "uv.lock",
)
_ROLES = {
    "predictions": "candidate_predictions",
    "candidate_predictions": "candidate_predictions",
    "baseline_predictions": "baseline_predictions",
    "champion_predictions": "baseline_predictions",
    "reference_sample": "reference_sample",
    "current_sample": "current_sample",
    "explanation_sample": "explanation_sample",
}
_TABLES = (".parquet", ".csv", ".arrow")

_HEAD = """\
# What is submitted to Guiderail. ${{NAME}} stands for an environment variable.
# yaml-language-server: $schema={schema}
system: {system}            # small letters, digits and dashes
kind: ml_model              # ml_model, application, data_pipeline
version: "0.1.0"            # in CI often ${{CI_COMMIT_TAG}} or ${{GITHUB_REF_NAME}}
environment: production
"""


def scaffold(folder: Path, schema: str) -> str:
    """The text of the file for that folder."""
    name = "".join(c if c.isalnum() else "-" for c in folder.resolve().name.lower()).strip("-") or "my-model"
    lines = [_HEAD.format(system=name, schema=schema)]
    sources = [file for file in _METADATA if (folder / file).is_file()]
    lines.append("sources:                    # metadata the questionnaire is filled from")
    lines += [f"  - {file}" for file in sources] or ["  []                        # such as MLmodel, README.md, run.json"]
    lines.append("answers: {}                 # such as decision.domain: credit")
    found = [(role, path.name) for path in sorted(folder.iterdir()) if path.suffix in _TABLES and (role := _ROLES.get(path.stem))]
    lines.append("evidence:                   # files the gates measure")
    if not found:
        lines.append("  []")
    for role, file in found:
        lines += [f"  - role: {role}", f"    path: {file}"]
        if role.endswith("_predictions"):
            lines.append("    columns: {id: id, label: label, prediction: prediction, score: score, sensitive: []}")
    return "\n".join(lines) + "\n"
