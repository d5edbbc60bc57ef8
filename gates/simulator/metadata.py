"""The files that a training run leaves behind, in the shapes of MLflow 3, Hugging Face and Great Expectations 1.x."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import yaml


def _midnight() -> datetime:
    """Today at 0:00 UTC: files written twice on a day are the same, and none is ever from the future."""
    return datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


@dataclass(frozen=True)
class RunFacts:
    """What the training run knows about itself."""

    system: str
    version: str
    framework: str
    model_class: str
    serialization: str
    features: Sequence[str]
    label: str
    auc: float
    threshold: float
    source_uri: str
    intended_use: str
    limitations: str
    owner: str
    trained_by: str
    dataset_digest: str
    assumptions: str = "The people scored next month resemble those of the training data, and the inputs keep their meaning."
    governance: Mapping[str, Any] = field(default_factory=dict)
    trained_at: datetime = field(default_factory=lambda: _midnight() - timedelta(days=1))


def mlmodel(run: RunFacts) -> bytes:
    """An `MLmodel` file."""
    inputs = [{"type": "double", "name": name, "required": True} for name in run.features]
    body = {
        "artifact_path": f"s3://models/{run.system}/{run.version}/artifacts",
        "flavors": {
            run.framework: {
                "model_class": run.model_class,
                "model_format": run.serialization,
                "data": f"model.{run.serialization}",
            },
            "python_function": {
                "loader_module": f"mlflow.{run.framework}",
                "python_version": "3.11.7",
                "data": f"model.{run.serialization}",
            },
        },
        "metadata": {
            "intended_use": run.intended_use,
            "owner": run.owner,
            "guiderail": {"model.decision_threshold": run.threshold, **run.governance},
        },
        "mlflow_version": "3.17.2",
        "model_id": f"m-{_short(run)}",
        "run_id": _short(run),
        "signature": {
            "inputs": json.dumps(inputs),
            "outputs": json.dumps([{"type": "double", "name": "score", "required": True}]),
            "params": None,
        },
        "utc_time_created": run.trained_at.strftime("%Y-%m-%d %H:%M:%S.000000"),
    }
    return yaml.safe_dump(body, sort_keys=True).encode()


def run_json(run: RunFacts) -> bytes:
    """An MLflow run as JSON."""
    columns = [{"type": "double", "name": name, "required": True} for name in run.features]
    columns.append({"type": "long", "name": run.label, "required": True})
    body = {
        "info": {
            "run_id": _short(run),
            "run_name": f"{run.system}-{run.version}",
            "status": "FINISHED",
            "start_time": round(run.trained_at.timestamp() * 1000) - 15_000,
            "end_time": round(run.trained_at.timestamp() * 1000),
            "user_id": run.trained_by,
        },
        "data": {
            "metrics": {"roc_auc": round(run.auc, 6)},
            "params": {"max_depth": "4", "eta": "0.15"},
            "tags": {
                "mlflow.user": run.trained_by,
                "team": run.owner,
                "mlflow.source.git.commit": hashlib.sha1(_short(run).encode()).hexdigest(),
            },
        },
        "inputs": {
            "dataset_inputs": [
                {
                    "dataset": {
                        "name": f"{run.system}-training",
                        "digest": run.dataset_digest[:8],
                        "source_type": "s3",
                        "source": json.dumps({"uri": run.source_uri}),
                        "schema": json.dumps({"mlflow_colspec": columns}),
                        "profile": json.dumps({"num_rows": 20000}),
                    },
                    "tags": {"mlflow.data.context": "training"},
                }
            ]
        },
    }
    return json.dumps(body, indent=1).encode()


def model_card(run: RunFacts) -> bytes:
    """A Hugging Face model card."""
    front = {
        "library_name": run.framework,
        "license": "other",
        "tags": ["tabular-classification"],
        "datasets": [run.source_uri],
        "model-index": [
            {
                "name": run.system,
                "results": [
                    {
                        "task": {"type": "tabular-classification"},
                        "dataset": {
                            "name": f"{run.system} evaluation",
                            "type": f"{run.system}-evaluation",
                            "split": "test",
                            "revision": run.dataset_digest[8:16],
                        },
                        "metrics": [{"type": "roc_auc", "value": round(run.auc, 6)}],
                    }
                ],
            }
        ],
    }
    parts = {"Intended use": run.intended_use, "Limitations": run.limitations, "Assumptions": run.assumptions}
    text = f"# {run.system} {run.version}\n" + "".join(f"\n## {title}\n\n{words}\n" for title, words in parts.items())
    return f"---\n{yaml.safe_dump(front, sort_keys=False)}---\n{text}".encode()


def gx_result(run: RunFacts, frame: pd.DataFrame) -> bytes:
    """A Great Expectations 1.x validation result, computed on the training frame."""
    results: list[dict[str, Any]] = []
    for name in [*run.features, run.label]:
        missing = int(frame[name].isna().sum())
        results.append(
            {
                "success": missing == 0,
                "expectation_config": {
                    "type": "expect_column_values_to_not_be_null",
                    "kwargs": {"column": name},
                    "meta": {},
                    "severity": "critical",
                },
                "result": {
                    "element_count": len(frame),
                    "unexpected_count": missing,
                    "unexpected_percent": 100.0 * missing / len(frame),
                },
                "exception_info": {"raised_exception": False, "exception_traceback": None, "exception_message": None},
            }
        )
    passed = sum(row["success"] for row in results)
    body = {
        "success": passed == len(results),
        "results": results,
        "suite_name": run.system,
        "statistics": {
            "evaluated_expectations": len(results),
            "successful_expectations": passed,
            "unsuccessful_expectations": len(results) - passed,
            "success_percent": 100.0 * passed / len(results),
        },
        "meta": {
            "great_expectations_version": "1.24.1",
            "run_id": {"run_name": None, "run_time": (run.trained_at - timedelta(days=5)).isoformat()},
        },
    }
    return json.dumps(body, indent=1).encode()


def all_files(run: RunFacts, frame: pd.DataFrame) -> dict[str, bytes]:
    """The four files by name."""
    return {
        "MLmodel": mlmodel(run),
        "run.json": run_json(run),
        "README.md": model_card(run),
        "validation_result.json": gx_result(run, frame),
    }


def frame_digest(frame: pd.DataFrame) -> str:
    """A digest of the data, as hex: the same rows give the same one."""
    return hashlib.sha256(pd.util.hash_pandas_object(frame, index=False).to_numpy().tobytes()).hexdigest()


def _short(run: RunFacts) -> str:
    return hashlib.sha256(f"{run.system}/{run.version}".encode()).hexdigest()[:32]
