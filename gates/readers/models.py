"""Models as evidence: recognised by content, checked, opened, and asked for margins and contributions in one way.

- `identify(evidence)`: which format the bytes are, compared with what was declared;
- `open_model(evidence)`: an `OpenedModel`, or EvidenceProblem with the way out.

Only in the child process. Pickle and its family are refused here for good.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gates.collecting import EvidenceInput, EvidenceProblem
from gates.readers import models_lightgbm, models_onnx, models_skops, models_xgboost
from gates.readers.models_recognise import DECLARED, RUNS_CODE, WAY_OUT, ModelFormat, Recognised, recognise
from gates.readers.models_refusal import ModelRefused
from gates.readers.tables import Table

MAX_BYTES = 512 * 1024**2
LIMIT = 1e-7


def identify(evidence: EvidenceInput) -> Recognised:
    """The format by content. EvidenceProblem when the file is missing, too large, or not what was declared."""
    path = Path(evidence.path)
    try:
        found = recognise(path)
        size = path.stat().st_size
    except OSError as error:
        raise EvidenceProblem(
            file=evidence.name, expected="a stored file", found="nothing in the evidence store", way_out="Upload the file again."
        ) from error
    if size > MAX_BYTES:
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"a model of at most {MAX_BYTES // 1024**2} MB",
            found=f"{size // 1024**2} MB",
            way_out="Upload predictions and attributions instead of the model.",
        )
    declared = evidence.format.strip().lower()
    if declared in DECLARED and found.format not in DECLARED[declared] and found.format.can_open:
        raise EvidenceProblem(
            file=evidence.name,
            expected=f"{declared}, as declared",
            found=f"{found.format.label} ({found.detail})",
            way_out=f"Declare the format as {found.format.label}, or upload the file you meant.",
        )
    return found


def open_model(evidence: EvidenceInput) -> OpenedModel:
    """Check the file and open it. EvidenceProblem names the file, what was expected, what was found, and the way out."""
    found = identify(evidence)
    if not found.format.can_open:
        reason = (
            "such files can run code when they are opened, so they never are"
            if found.format in RUNS_CODE
            else "it cannot be read here"
        )
        raise EvidenceProblem(
            file=evidence.name,
            expected="a model in a format that holds data only",
            found=f"{found.format.label} ({found.detail}); {reason}",
            way_out=WAY_OUT,
        )
    try:
        return _OPENERS[found.format](evidence, found.format)
    except ModelRefused as refused:
        raise EvidenceProblem(
            file=evidence.name,
            expected=refused.expected,
            found=refused.found,
            way_out=refused.way_out
            or "Export the model again from the training run; if it still fails, upload predictions and attributions instead.",
        ) from refused


@dataclass
class OpenedModel:
    """An opened model. `features`: names in order, empty when the file has none; `count`: how many; `scale`: what `margin`
    is measured in.

    `native`: whether `contributions` exist (exact and fast); `estimator`: the scikit-learn object of a skops file.
    """

    format: ModelFormat
    features: tuple[str, ...]
    count: int
    scale: str
    native: bool = False
    estimator: Any = None
    categories: Mapping[str, Sequence[object]] = field(default_factory=dict)

    def matrix(self, table: Table, names: Sequence[str], evidence: EvidenceInput) -> np.ndarray:
        """The named columns as float64, text mapped to the model's own category codes. EvidenceProblem for text it has no
        codes for.
        """
        columns = []
        for name in names:
            if table.info.kind(name) in ("integer", "number", "boolean"):
                columns.append(np.asarray(table[name], dtype=np.float64))
                continue
            levels = self.categories.get(name)
            if levels is None:
                raise EvidenceProblem(
                    file=evidence.name,
                    column=name,
                    expected="numbers, as the model was trained on",
                    found=f"{table.info.kind(name)}",
                    way_out=(
                        "Upload the rows as they go into the model, after encoding; or upload attributions computed in your "
                        "own pipeline."
                    ),
                )
            codes = {str(level): float(code) for code, level in enumerate(levels)}
            columns.append(np.array([codes.get(str(value), np.nan) if value is not None else np.nan for value in table[name]]))
        return np.column_stack(columns) if columns else np.empty((table.rows, 0))

    def margin(self, rows: np.ndarray) -> np.ndarray:
        """The score before any link function (log-odds for classifiers), one per row."""
        raise NotImplementedError

    def contributions(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Attributions (rows x features) and base value per row, adding up to `margin`."""
        raise NotImplementedError


@dataclass
class _XGBoost(OpenedModel):
    booster: Any = None
    types: tuple[str, ...] = ()

    def _predict(self, rows: np.ndarray, **options: bool) -> np.ndarray:
        import xgboost  # noqa: PLC0415

        data = xgboost.DMatrix(
            rows,
            feature_names=list(self.features) or None,
            feature_types=list(self.types) or None,
            enable_categorical=True,
            nthread=1,
        )
        return np.asarray(self.booster.predict(data, **options), dtype=np.float64)

    def margin(self, rows: np.ndarray) -> np.ndarray:
        return self._predict(rows, output_margin=True)

    def contributions(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = self._predict(rows, pred_contribs=True)
        return found[:, :-1], found[:, -1]


@dataclass
class _LightGBM(OpenedModel):
    booster: Any = None

    def margin(self, rows: np.ndarray) -> np.ndarray:
        return np.asarray(self.booster.predict(rows, raw_score=True, num_threads=1), dtype=np.float64)

    def contributions(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        found = np.asarray(self.booster.predict(rows, pred_contrib=True, num_threads=1), dtype=np.float64)
        return found[:, :-1], found[:, -1]


@dataclass
class _Onnx(OpenedModel):
    session: Any = None
    split_inputs: bool = False

    def margin(self, rows: np.ndarray) -> np.ndarray:
        inputs = self.session.get_inputs()
        if self.split_inputs:
            feed = {item.name: _typed(rows[:, [at]], item.type) for at, item in enumerate(inputs)}
        else:
            feed = {inputs[0].name: _typed(rows, inputs[0].type)}
        return self._read(self.session.run(None, feed), len(rows))

    def _read(self, outputs: Sequence[Any], rows: int) -> np.ndarray:
        """Probabilities become log-odds; a single number per row stays as it is."""
        for value in reversed(outputs):
            if isinstance(value, list) and value and isinstance(value[0], Mapping) and len(value[0]) == 2:
                return log_odds(np.array([row[max(row)] for row in value], dtype=np.float64))
            if not isinstance(value, np.ndarray) or value.dtype.kind != "f" or value.shape[:1] != (rows,):
                continue
            if value.ndim == 2 and value.shape[1] == 2:
                return log_odds(value[:, 1].astype(np.float64))
            if value.ndim == 1 or (value.ndim == 2 and value.shape[1] == 1):
                flat = value.reshape(-1).astype(np.float64)
                return log_odds(flat) if self.scale == "log-odds" else flat
        raise ModelRefused(
            "one score or two class probabilities per row", "other outputs", "Upload attributions instead of the model."
        )


@dataclass
class _Skops(OpenedModel):
    def margin(self, rows: np.ndarray) -> np.ndarray:
        given = rows
        if getattr(self.estimator, "feature_names_in_", None) is not None:
            import pandas  # noqa: PLC0415

            given = pandas.DataFrame(rows, columns=list(self.features))
        if hasattr(self.estimator, "decision_function"):
            return np.asarray(self.estimator.decision_function(given), dtype=np.float64)
        if hasattr(self.estimator, "predict_proba"):
            return log_odds(np.asarray(self.estimator.predict_proba(given), dtype=np.float64)[:, 1])
        return np.asarray(self.estimator.predict(given), dtype=np.float64).reshape(-1)


def log_odds(probability: np.ndarray) -> np.ndarray:
    """Logit with the probability kept within [1e-7, 1 - 1e-7]."""
    kept = np.clip(probability, LIMIT, 1 - LIMIT)
    return np.asarray(np.log(kept / (1 - kept)))


def _typed(values: np.ndarray, kind: str) -> np.ndarray:
    wanted = {
        "tensor(float)": np.float32,
        "tensor(double)": np.float64,
        "tensor(int64)": np.int64,
        "tensor(int32)": np.int32,
    }.get(kind)
    if wanted is None:
        raise ModelRefused("numeric inputs", kind, "Export the model after its encoding step, or upload attributions.")
    return np.ascontiguousarray(values.astype(wanted))


def _open_xgboost(evidence: EvidenceInput, found: ModelFormat) -> OpenedModel:
    document, data = models_xgboost.checked_document(evidence.path, found)
    learner = document["learner"]
    param = learner["learner_model_param"]
    if int(param.get("num_class", 0)) > 1:
        raise ModelRefused(
            "a model with one score per row", f"{param['num_class']} classes", "Upload attributions of the class that decides."
        )
    import xgboost  # noqa: PLC0415

    booster = xgboost.Booster(params={"nthread": 1, "verbosity": 0})
    try:
        booster.load_model(bytearray(data))
    except xgboost.core.XGBoostError as error:
        raise ModelRefused("a model that XGBoost opens", str(error).strip().splitlines()[0][:160]) from error
    objective = str(learner.get("objective", {}).get("name", ""))
    features = tuple(str(name) for name in learner.get("feature_names", []))
    return _XGBoost(
        format=found,
        features=features,
        count=int(param["num_feature"]),
        scale="log-odds" if "logistic" in objective or "logitraw" in objective else "score",
        native=True,
        booster=booster,
        types=tuple(str(kind) for kind in learner.get("feature_types", [])),
        categories=_xgboost_categories(document, features),
    )


def _xgboost_categories(document: Mapping[str, Any], features: Sequence[str]) -> dict[str, Sequence[object]]:
    booster = document["learner"]["gradient_booster"]
    model = booster.get("gbtree", booster).get("model", {})
    found: dict[str, Sequence[object]] = {}
    for name, entry in zip(features, model.get("cats", {}).get("enc", []), strict=False):
        if "offsets" in entry and len(entry["offsets"]) > 1:
            raw = bytes(int(part) % 256 for part in entry["values"])
            offsets = [int(part) for part in entry["offsets"]]
            found[name] = [raw[a:b].decode("utf-8", "replace") for a, b in itertools.pairwise(offsets)]
    return found


def _open_lightgbm(evidence: EvidenceInput, found: ModelFormat) -> OpenedModel:
    checked = models_lightgbm.checked_text(evidence.path)
    if checked.classes > 1:
        raise ModelRefused(
            "a model with one score per row", f"{checked.classes} classes", "Upload attributions of the class that decides."
        )
    import lightgbm  # noqa: PLC0415

    lightgbm.register_logger(_Silent())
    try:
        booster = lightgbm.Booster(params={"verbosity": -1, "num_threads": 1}, model_str=checked.text)
    except lightgbm.basic.LightGBMError as error:
        raise ModelRefused("a model that LightGBM opens", str(error)[:160]) from error
    return _LightGBM(
        format=found,
        features=checked.features,
        count=len(checked.features),
        scale="log-odds" if checked.objective in ("binary", "cross_entropy") else "score",
        native=True,
        booster=booster,
        categories=_lightgbm_categories(checked),
    )


def _lightgbm_categories(checked: models_lightgbm.CheckedText) -> dict[str, Sequence[object]]:
    """Levels belong to the categorical columns in order; those have a list, not a range, in `feature_infos`."""
    line = next(row for row in checked.text.splitlines() if row.startswith("feature_infos="))
    listed = [
        name
        for name, info in zip(checked.features, line[14:].split(" "), strict=True)
        if info != "none" and not info.startswith("[")
    ]
    return dict(zip(listed, checked.categories, strict=True)) if len(listed) == len(checked.categories) else {}


class _Silent:
    """LightGBM's chatter would mix with the result on standard output."""

    def info(self, message: str) -> None:
        """Drop it."""

    warning = info


def _open_onnx(evidence: EvidenceInput, found: ModelFormat) -> OpenedModel:
    models_onnx.check(evidence.path)
    session = models_onnx.session(evidence.path)
    inputs = session.get_inputs()
    one = len(inputs) == 1
    width = inputs[0].shape[-1] if one and len(inputs[0].shape) == 2 and isinstance(inputs[0].shape[-1], int) else 0
    if one and len(inputs[0].shape) != 2:
        raise ModelRefused(
            "one input of rows by features", f"shape {inputs[0].shape}", "Upload attributions instead of the model."
        )
    model = _Onnx(
        format=found,
        features=() if one else tuple(item.name for item in inputs),
        count=width if one else len(inputs),
        scale="score",
        session=session,
        split_inputs=not one,
    )
    outputs = session.get_outputs()
    last = outputs[-1]
    classes = len(outputs) > 1 or (isinstance(last.shape, list) and last.shape[-1:] == [2]) or "prob" in last.name.lower()
    model.scale = "log-odds" if classes else "score"
    return model


def _open_skops(evidence: EvidenceInput, found: ModelFormat) -> OpenedModel:
    estimator = models_skops.opened(evidence.path)
    classes = getattr(estimator, "classes_", None)
    if not hasattr(estimator, "predict"):
        raise ModelRefused("a fitted model", type(estimator).__name__)
    if classes is not None and len(classes) != 2:
        raise ModelRefused(
            "a model with one score per row", f"{len(classes)} classes", "Upload attributions of the class that decides."
        )
    names = tuple(str(name) for name in getattr(estimator, "feature_names_in_", ()))
    return _Skops(
        format=found,
        features=names,
        count=int(getattr(estimator, "n_features_in_", len(names))),
        scale="log-odds" if classes is not None else "score",
        estimator=estimator,
    )


_OPENERS = {
    ModelFormat.XGBOOST_JSON: _open_xgboost,
    ModelFormat.XGBOOST_UBJ: _open_xgboost,
    ModelFormat.LIGHTGBM_TEXT: _open_lightgbm,
    ModelFormat.ONNX: _open_onnx,
    ModelFormat.SKOPS: _open_skops,
}

__all__ = ["ModelFormat", "OpenedModel", "identify", "log_odds", "open_model"]
