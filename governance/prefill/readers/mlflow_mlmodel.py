"""MLflow's `MLmodel` file, of MLflow 1, 2 and 3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill import mlflow_tags
from governance.prefill.convention import block_of, stated
from governance.prefill.estimators import class_name, framework_name
from governance.prefill.mlflow_schema import read_columns
from governance.prefill.source import Document, Problem, Source, child, mapping, shown, text

NAME = "mlflow_mlmodel"
TITLE = "MLflow MLmodel"
FILLS = (
    "model.framework",
    "model.framework_version",
    "model.architecture",
    "model.serialization",
    "model.predict_method",
    "model.features",
    "model.signature_present",
    "model.size_bytes",
    "model.task",
    "model.license",
    "model.intended_use",
    "model.limitations",
    "system.owner",
    "training.run_id",
)

_CLASS_KEYS = ("model_class", "model_type", "instance_type", "pipeline_model_type", "estimator_class")
_FILE_KEYS = ("serialization_format", "model_format", "pickled_model", "model_file", "data", "model_data", "model_path")
_BY_ENDING = {
    ".skops": "skops",
    ".onnx": "onnx",
    ".ubj": "xgboost-ubj",
    ".lgb": "lightgbm-text",
    ".safetensors": "safetensors",
    ".cbm": "catboost",
    ".keras": "keras",
    ".pkl": "pickle",
    ".pickle": "pickle",
    ".joblib": "joblib",
    ".pth": "pickle",
    ".pt": "pickle",
}
_NATIVE = {"pytorch": "pickle", "onnx": "onnx", "spark": "spark", "tensorflow": "saved_model", "xgboost": "xgboost-ubj"}
_BY_FORMAT = {"ubj": "xgboost-ubj", "xgb": "xgboost-binary", "json": "xgboost-json", "txt": "lightgbm-text", "cbm": "catboost"}
_RUNS_CODE = frozenset({"pickle", "cloudpickle", "joblib"})


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    return isinstance(data.get("flavors"), dict) or ("mlflow_version" in data and "model_uuid" in data)


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    data = mapping(document.data)
    yield from _flavor_facts(data, source)
    yield from _signature_facts(data, source)
    run_id = text(data.get("run_id"))
    if run_id:
        yield source.fact("training.run_id", run_id, "run_id")
    size = data.get("model_size_bytes")
    if isinstance(size, int) and not isinstance(size, bool) and size >= 0:
        yield source.fact("model.size_bytes", size, "model_size_bytes")
    yield from mlflow_tags.path_advice(data.get("artifact_path"), source, "artifact_path")
    metadata = data.get("metadata")
    if metadata is not None and not isinstance(metadata, dict):
        yield source.problem("metadata", f"metadata has to be a mapping; found {shown(metadata)}.")
    yield from mlflow_tags.plain_facts(mapping(metadata), source, "metadata")
    yield from stated(block_of(metadata), source, "metadata.guiderail")


def _flavor_facts(data: dict[str, Any], source: Source) -> Iterator[Fact | Problem]:
    flavors = data.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        yield source.problem(
            "flavors", f"flavors has to name at least one flavor, such as sklearn; found {shown(flavors)}. Log the model again."
        )
        return
    pyfunc = mapping(flavors.get("python_function"))
    predict = text(pyfunc.get("predict_fn"))
    if predict:
        yield source.fact("model.predict_method", predict, "flavors.python_function.predict_fn")
    own = next((name for name in flavors if name != "python_function" and framework_name(name)), None)
    if own is None:
        yield from _pyfunc_facts(pyfunc, source)
        return
    path, flavor = f"flavors.{own}", mapping(flavors[own])
    framework = framework_name(own) or own
    yield source.fact("model.framework", framework, path)
    versions = (f"{own}_version", "version", "xgb_version", "lgb_version")
    for key in versions:
        if isinstance(flavor.get(key), str | int | float) and not isinstance(flavor.get(key), bool):
            yield source.fact("model.framework_version", str(flavor[key]), child(path, key))
            break
    for key in _CLASS_KEYS:
        if text(flavor.get(key)):
            yield source.fact("model.architecture", class_name(text(flavor[key])), child(path, key))
            break
    if text(flavor.get("task")):
        yield source.fact("model.task", text(flavor["task"]), child(path, "task"))
    yield from _serialization_facts(framework, flavor, path, source)


def _pyfunc_facts(pyfunc: dict[str, Any], source: Source) -> Iterator[Fact | Problem]:
    """A model that only has the python_function flavor: its loader says what it is."""
    loader = text(pyfunc.get("loader_module"))
    framework = framework_name(class_name(loader)) if loader else None
    path = "flavors.python_function.loader_module"
    if framework:
        yield source.fact("model.framework", framework, path)
    elif loader:
        yield source.fact("model.framework", "python function", path)
    if text(pyfunc.get("python_model")):
        yield from _serialization_facts("python function", {"data": pyfunc["python_model"]}, "flavors.python_function", source)


def _serialization_facts(framework: str, flavor: dict[str, Any], path: str, source: Source) -> Iterator[Fact | Problem]:
    for key in _FILE_KEYS:
        value = text(flavor.get(key)).lower()
        if not value:
            continue
        ending = "." + value.rsplit(".", 1)[-1] if "." in value else ""
        if key in {"serialization_format", "model_format"}:
            found = _BY_FORMAT.get(value, value)
        elif framework == "xgboost" and ending in {".json", ".xgb"}:
            found = "xgboost-json" if ending == ".json" else "xgboost-binary"
        else:
            found = _BY_ENDING.get(ending, "")
        if found:
            break
    else:
        key, found = "", _NATIVE.get(framework, "") if framework != "xgboost" else ""
    if not found:
        return
    place = child(path, key) if key else path
    yield source.fact("model.serialization", found, place)
    if found in _RUNS_CODE:
        detail = f"The model is saved as {found}; opening it runs code, so no check can load it. Save it as skops or ONNX."
        yield source.advice(place, detail)


def _signature_facts(data: dict[str, Any], source: Source) -> Iterator[Fact | Problem]:
    signature = data.get("signature")
    inputs = mapping(signature).get("inputs")
    if signature is not None and not isinstance(signature, dict):
        yield source.problem("signature", f"signature has to be a mapping with inputs; found {shown(signature)}.")
    yield source.fact("model.signature_present", inputs is not None, "signature.inputs" if inputs is not None else "signature")
    if inputs is None:
        yield source.advice(
            "signature",
            "The model has no signature, so its features are not known and cannot be compared with the champion's. "
            "Log it with signature=infer_signature(X, model.predict(X)) or with input_example.",
        )
        return
    columns, problems = read_columns(inputs, source, "signature.inputs")
    yield from problems
    if columns.names and columns.complete and not columns.tensor:
        last = len(columns.names) - 1
        where = f"signature.inputs[0..{last}].name" if last else "signature.inputs[0].name"
        yield source.fact("model.features", list(columns.names), where)
    elif columns.tensor and not columns.names:
        yield source.advice(
            "signature.inputs",
            "The input is one tensor without column names, so features are not known. Log a data frame as example.",
        )
