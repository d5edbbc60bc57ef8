"""DVC's metrics and pipeline, lock files of Python packages, and Kubeflow's registry."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from governance.prefill.reading import Reading
from governance.prefill.requirement_lines import MOST_LINES
from tests.governance.prefill.looking import advice, errors, fact, values

Read = Callable[..., Reading]
Sample = Callable[[str], Reading]


# --- DVC


def test_metrics_as_dvc_shows_them(sample: Sample) -> None:
    reading = sample("dvc-3.metrics_show.json")
    assert reading.reader == "dvc_metrics"
    assert values(reading) == {
        "performance.metrics": {
            "train_avg_prec": 0.97, "test_avg_prec": 0.92, "train_roc_auc": 0.99, "test_roc_auc": 0.95, "rows": 3000,
        },
        "performance.metric": "roc_auc",
        "performance.candidate": 0.95,
    }  # fmt: skip
    assert fact(reading, "performance.candidate").locator == '"".data.metrics/eval.json.data.roc_auc.test'
    assert errors(reading)[0].startswith(
        '"".data.metrics/fit.json.error: DVC could not read this: "metrics/fit.json does not exist"'
    )


def test_revisions_of_dvc(read: Read) -> None:
    one, two = ({"data": {"m.json": {"data": {"auc": value}}}} for value in (0.9, 0.8))
    assert values(read("m.json", {"workspace": one, "main": two}))["performance.candidate"] == 0.9
    assert values(read("m.json", {"main": two}))["performance.candidate"] == 0.8
    several = read("m.json", {"main": one, "v1": two})
    assert several.facts == () and "holds 2 revisions (main, v1)" in errors(several)[0]
    failed = read("m.json", {"workspace": {"error": {"type": "YAMLSyntaxError", "msg": ""}}})
    assert failed.facts == () and "YAMLSyntaxError" in errors(failed)[0]


def test_dvc_files_that_differ(read: Read) -> None:
    files = {
        "metrics/train.json": {"data": {"auc": 0.99}},
        "metrics\\test.json": {"data": {"auc": 0.8}},
        "auc.txt": {"data": 0.7},
    }
    found = values(read("m.json", {"": {"data": files}}))
    assert found["performance.metrics"] == {"train_auc": 0.99, "test_auc": 0.8, "auc.txt / auc": 0.7}
    assert found["performance.candidate"] == 0.8


def test_a_nested_file_of_metrics(read: Read) -> None:
    tree = {"avg_prec": {"train": 0.97, "test": 0.92}, "roc_auc": {"train": 0.99, "test": 0.95}}
    reading = read("metrics.json", tree)
    assert reading.reader == "dvc_metrics"
    assert (values(reading)["performance.metric"], values(reading)["performance.candidate"]) == ("roc_auc", 0.95)
    assert fact(reading, "performance.candidate").locator == "roc_auc.test"
    assert "performance.candidate" not in values(read("scores.json", {"train": {"auc": 0.99}, "step": 3}))
    others: list[Any] = [{"auc": 0.9}, {"a": {"rows": 3}}, {"a": {"auc": 0.9, "by": "dana"}}, {"metrics": {"auc": 0.9}}]
    assert [read("x.json", other).reader for other in others] == ["generic_metrics", None, None, "generic_metrics"]
    assert read("params.yaml", "train: {precision: 16}\n").reader is None


def test_a_pipeline_names_its_files(sample: Sample) -> None:
    reading = sample("dvc-3.dvc.yaml")
    assert reading.reader == "dvc_pipeline"
    expected = {"data.sources": ["data/raw.csv"], "data.outputs": ["data/prepared", "models/model.onnx"], "model.name": "churn"}
    assert values(reading) == expected
    assert "metrics: The figures are in metrics/fit.json, metrics/eval.json." in advice(reading)[0]


def test_paths_that_dvc_fills_in(read: Read) -> None:
    words = "stages:\n  a:\n    foreach: [x]\n    do:\n      cmd: c ${item}\n      deps: ['${item}.csv', b.csv]\n"
    words += "      outs: [{o: {cache: false}}]\n"
    reading = read("dvc.yaml", words + "artifacts: {one: {type: model}, two: {type: model}, three: {type: data}}\n")
    assert values(reading) == {"data.sources": ["b.csv"], "data.outputs": ["o"]}
    assert ["Bring dvc.lock" in words for words in advice(reading)] == [True, False]
    assert "makes 2 models (one, two)" in advice(reading)[1]
    assert "m.json" in advice(read("dvc.yaml", "metrics: [m.json]\n"))[0]
    assert read("ci.yaml", "stages: [build, test]\nbuild: {script: x}\n").reader is None


def test_parameters_of_the_lock_file(sample: Sample) -> None:
    reading = sample("dvc-3.dvc.lock")
    assert values(reading)["training.parameters"] == {
        "prepare.split": 0.2, "params.yaml:seed": 7, "train.n_est": 50, "other.yaml:seed": 8,
    }  # fmt: skip


# --- packages

FOUND = ("model.framework", "model.framework_version")


def test_the_framework_of_a_lock_file(sample: Sample) -> None:
    reading = sample("uv-0.9.uv.lock")
    assert (reading.reader, reading.media, reading.problems) == ("uv_lock", "application/toml", ())
    found = values(reading)
    locked = hashlib.sha256(b"pandas==3.1.0\nscikit-learn==1.9.1\nxgboost==3.2.0").hexdigest()
    assert found.pop("model.dependencies") == f"3 packages, sha256:{locked}"
    assert found == {"model.framework": "scikit-learn", "model.framework_version": "1.9.1"}
    assert fact(reading, "model.framework_version").locator == "package[2].version"


def test_the_framework_of_a_requirements_file(sample: Sample) -> None:
    reading = sample("pip-26.requirements.txt")
    assert (reading.reader, reading.media, reading.problems) == ("requirements_txt", "text/plain", ())
    assert values(reading) == {"model.framework": "lightgbm", "model.framework_version": "4.7.0"}
    assert fact(reading, "model.framework_version").locator == "line 3"


@pytest.mark.parametrize(
    ("words", "expected", "says"),
    [
        ("Scikit_Learn == 1.9.1\n", ("scikit-learn", "1.9.1"), ""),
        ("scikit-learn[all]===1.9.1 # why\n", ("scikit-learn", "1.9.1"), ""),
        ("torch>=2\n", ("pytorch", None), "line 1: torch is not fixed to one version"),
        ("torch==2.*\n", ("pytorch", None), "not fixed to one version"),
        ("torch\n", ("pytorch", None), "not fixed"),
        (
            "torch==2.1; python_version<'3.9'\ntorch==2.5; python_version>='3.9'\n",
            ("pytorch", None),
            "several versions (2.1, 2.5)",
        ),
        ("xgboost==3.2\nscikit-learn==1.9\n", (None, None), "Several libraries here make models (xgboost 3.2, scikit-learn 1.9)"),
        ("numpy==2\n", (None, None), "None of these packages is a library that makes models"),
        ("xgboost==3.2\n= what\n", ("xgboost", "3.2"), "line 2: Line 2 is no requirement"),
        ("torch==1 \\\n  --hash=sha256:a\n\nwhat is this\n", ("pytorch", "1"), "line 4: Line 4 is no requirement"),
        ("-r base.txt\n./local.whl\nhttps://a.example/b.whl\nlightgbm==4\n", ("lightgbm", "4"), ""),
    ],
)
def test_requirements(read: Read, words: str, expected: tuple[Any, Any], says: str) -> None:
    reading = read("requirements-train.txt", words)
    found = values(reading)
    assert (found.get(FOUND[0]), found.get(FOUND[1])) == expected
    assert [says in line for line in (*errors(reading), *advice(reading))] == ([True] if says else [])


def test_what_is_taken_for_requirements(read: Read) -> None:
    assert read("freeze.txt", "# by pip freeze\nnumpy==2.4\nacme @ https://a/b.whl\n").reader == "requirements_txt"
    assert read("notes.txt", "use numpy>=2, please\n").reader is None
    assert read("notes.txt", "numpy\npandas\n").reader is None
    assert read("x.yaml", "a==1\n").reader is None
    many = read("requirements.txt", "a==1\n" * (MOST_LINES + 1))
    assert "Only the first 20,000 lines" in errors(many)[0]


def lock(*packages: str) -> str:
    return "version = 1\n" + "".join(f"\n[[package]]\n{package}\n" for package in packages)


REGISTRY = 'source = { registry = "https://pypi.org/simple" }'


def test_packages_of_a_lock_file(read: Read) -> None:
    alone = lock(f'name = "torch"\nversion = "2.5"\n{REGISTRY}', f'version = "1"\n{REGISTRY}')
    reading = read("uv.lock", alone)
    found = values(reading)
    assert found.pop("model.dependencies").startswith("1 package, sha256:")
    assert found == {"model.framework": "pytorch", "model.framework_version": "2.5"}
    assert errors(reading)[0].startswith("package[1]: A package has a name")
    member = 'name = "m"\nsource = { editable = "m" }\n[package.optional-dependencies]\ngpu = [{ name = "torch" }]'
    twice = lock(member, f'name = "torch"\nversion = "2.5"\n{REGISTRY}', f'name = "torch"\nversion = "2.1"\n{REGISTRY}')
    reading = read("uv.lock", twice)
    assert values(reading)["model.framework"] == "pytorch" and "model.framework_version" not in values(reading)
    assert "several versions (2.1, 2.5)" in advice(reading)[0]


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (lock("name ="), "line 4, column 7: This is not valid TOML"),
        (lock("a = " + "[" * 5_000), "nests deeper than 64 levels"),
        (lock("a = " + "[" * 100 + "]" * 100), "nests deeper than 64 levels"),
        (lock("a.b.c.d.e.f.g = 1"), "a key of very many parts"),
        (lock('a = """\nx"""'), "a text over several lines"),
        (lock(f'a = "{"x" * 30_000}"'), "a line of 30,006 characters"),
        (lock("a = 1\n" * 50_000), "lines; 40,000 are the most"),
        (lock(f"a = nan\nname = 'torch'\n{REGISTRY}"), "package[0].a: This value is nan"),
        (lock(f"a = {'9' * 30}\n{REGISTRY}"), "package[0].a: This value is a whole number beyond"),
        (
            lock('name = "serde"\nversion = "1"\nsource = "registry+https://github.com/rust-lang/crates.io-index"'),
            "not recognised",
        ),
    ],
)
def test_lock_files_that_cannot_be_used(read: Read, words: str, says: str) -> None:
    assert says in errors(read("uv.lock", words))[0]


def test_dates_of_a_lock_file_are_text(read: Read) -> None:
    assert errors(read("uv.lock", lock(f'name = "a"\nat = 2026-11-21T05:19:12Z\non = 2026-11-21\n{REGISTRY}'))) == []


# --- Kubeflow


def test_a_list_of_artefacts(sample: Sample) -> None:
    reading = sample("kubeflow-v1alpha3.artifacts.json")
    assert (reading.reader, reading.problems) == ("kubeflow_registry", ())
    assert values(reading) == {
        "model.framework": "scikit-learn",
        "model.framework_version": "1.9.1",
        "training.run_id": "8f0c5a52-7c0e-4d0e-9f67-3a3d2f4f9b11",
        "training.parameters": {"C": "0.5"},
        "system.owner": "payments-ml",
        "performance.metrics": {"accuracy": 0.96, "roc_auc": 0.93},
        "performance.metric": "roc_auc",
        "performance.candidate": 0.93,
    }
    assert fact(reading, "performance.candidate").locator == "items[1].value"


def test_model_version_and_artefact(read: Read) -> None:
    times = {"createTimeSinceEpoch": "1", "lastUpdateTimeSinceEpoch": "2"}
    model = read(
        "rm.json", {"id": "1", "name": "fraud", "owner": "payments", "description": "Stops theft.", "state": "LIVE", **times}
    )
    assert values(model) == {"model.name": "fraud", "system.owner": "payments", "business.context": "Stops theft."}
    custom = {
        "guiderail.decision.automated": {"bool_value": True, "metadataType": "MetadataBoolValue"},
        "guiderail.impact.people_per_month": {"int_value": "12000", "metadataType": "MetadataIntValue"},
        "raw": {"metadataType": "MetadataStructValue", "struct_value": "e30="},
        "odd": 7,
    }
    version = read(
        "mv.json", {"name": "v1", "author": "dana", "registeredModelId": "1", "state": "ARCHIVED", "customProperties": custom}
    )
    assert values(version) == {
        "training.contributors": ["dana"], "decision.automated": True, "impact.people_per_month": 12000,
    }  # fmt: skip
    assert errors(version)[0].startswith("customProperties.odd: A custom property is a typed value")
    assert "ARCHIVED" in advice(version)[0]
    stored = read("ma.json", {"artifactType": "model-artifact", "modelFormatName": "onnx", "modelFormatVersion": "1.2"})
    assert values(stored) == {"model.framework": "onnx", "model.serialization": "onnx"}
    plain = read("ma.json", {"artifactType": "model-artifact", "modelFormatName": "xgboost", "modelFormatVersion": "1"})
    assert values(plain) == {"model.framework": "xgboost"}


def test_a_list_of_several_versions_is_not_guessed_at(read: Read) -> None:
    rows = [{"name": name, "registeredModelId": "1"} for name in ("v1", "v2")]
    reading = read("mv.json", {"items": rows, "size": 2, "pageSize": 10, "nextPageToken": ""})
    assert reading.facts == () and "holds 2 entries (v1, v2)" in errors(reading)[0]
    assert read("x.json", {"items": [], "size": 0}).reader is None
