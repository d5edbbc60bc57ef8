"""Each reader on the shapes its tool also writes: REST answers, older versions, checkpoints, and the traps in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from governance.prefill.readers import all_readers
from governance.prefill.reading import Reading
from tests.governance.prefill.looking import advice, errors, fact, values

Read = Callable[..., Reading]


def test_every_reader_keeps_its_contract() -> None:
    readers = all_readers()
    orders = {reader.NAME: getattr(reader, "ORDER", 50) for reader in readers}
    names = [reader.NAME for reader in readers]
    assert names == sorted(names, key=lambda name: (orders[name], name)) and len(names) == len(set(names))
    assert names[-1] == "generic_metrics", "what takes nearly anything is asked last"
    for reader in readers:
        assert reader.TITLE and reader.FILLS and reader.__doc__


# --- MLmodel


def mlmodel(flavors: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"mlflow_version": "3.0.0", "flavors": flavors, **more}


@pytest.mark.parametrize(
    ("flavors", "framework", "architecture", "serialization"),
    [
        (
            {
                "xgboost": {
                    "model_class": "xgboost.sklearn.XGBClassifier",
                    "model_format": "ubj",
                    "data": "model.ubj",
                    "xgb_version": "3.2",
                }
            },
            "xgboost",
            "XGBClassifier",
            "xgboost-ubj",
        ),
        ({"xgboost": {"data": "model.xgb"}}, "xgboost", None, "xgboost-binary"),
        ({"xgboost": {"data": "model.json"}}, "xgboost", None, "xgboost-json"),
        ({"xgboost": {}}, "xgboost", None, None),
        (
            {"lightgbm": {"model_class": "lightgbm.sklearn.LGBMClassifier", "data": "model.pkl", "lgb_version": "4.6"}},
            "lightgbm",
            "LGBMClassifier",
            "pickle",
        ),
        (
            {"catboost": {"model_type": "CatBoostClassifier", "data": "model.cb", "catboost_version": 1.2}},
            "catboost",
            "CatBoostClassifier",
            None,
        ),
        ({"onnx": {"data": "model.onnx"}}, "onnx", None, "onnx"),
        ({"pytorch": {"model_data": "data", "pytorch_version": "2.4"}}, "pytorch", None, "pickle"),
        ({"spark": {}}, "spark", None, "spark"),
        (
            {"transformers": {"instance_type": "TextClassificationPipeline", "task": "text-classification"}},
            "transformers",
            "TextClassificationPipeline",
            None,
        ),
        ({"python_function": {"loader_module": "mlflow.sklearn"}}, "scikit-learn", None, None),
        (
            {"python_function": {"loader_module": "mlflow.pyfunc.model", "python_model": "python_model.pkl"}},
            "python function",
            None,
            "pickle",
        ),
        ({"python_function": {}}, None, None, None),
        ({"mystery": {"data": "x"}, "sklearn": None}, "scikit-learn", None, None),
        (
            {"python_function": {"loader_module": "mlflow.xgboost"}, "xgboost": {"data": "model.ubj"}},
            "xgboost",
            None,
            "xgboost-ubj",
        ),
    ],
)
def test_flavors(
    read: Read, flavors: dict[str, Any], framework: str | None, architecture: str | None, serialization: str | None
) -> None:
    found = values(read("MLmodel", mlmodel(flavors)))
    assert found.get("model.framework") == framework
    assert found.get("model.architecture") == architecture
    assert found.get("model.serialization") == serialization


def test_versions_and_tasks_of_flavors(read: Read) -> None:
    assert values(read("MLmodel", mlmodel({"xgboost": {"xgb_version": "3.2"}})))["model.framework_version"] == "3.2"
    assert values(read("MLmodel", mlmodel({"catboost": {"catboost_version": 1.2}})))["model.framework_version"] == "1.2"
    assert (
        values(read("MLmodel", mlmodel({"transformers": {"task": "text-classification"}})))["model.task"] == "text-classification"
    )


def test_no_flavors_is_said(read: Read) -> None:
    reading = read("MLmodel", {"mlflow_version": "3.0.0", "model_uuid": "a", "flavors": []})
    assert errors(reading) == [
        "flavors: flavors has to name at least one flavor, such as sklearn; found []. Log the model again."
    ]
    assert values(reading) == {"model.signature_present": False}


@pytest.mark.parametrize(
    ("inputs", "features"),
    [
        ([{"name": "a", "type": "long"}], ["a"]),
        ('[{"name": "a"}, {"name": "b"}]', ["a", "b"]),
        ([{"name": "a", "type": {"type": "array", "items": "long"}}], ["a"]),
    ],
)
def test_signature_as_text_or_list(read: Read, inputs: Any, features: list[str]) -> None:
    reading = read("MLmodel", mlmodel({"sklearn": {}}, signature={"inputs": inputs}))
    assert fact(reading, "model.features").value == features
    assert fact(reading, "model.signature_present").value is True
    assert reading.problems == ()


@pytest.mark.parametrize(
    ("signature", "place", "says"),
    [
        ({"inputs": [{"name": "a"}, {"type": "long"}]}, "signature.inputs[1]", "has no name"),
        ({"inputs": [{"name": "a"}, {"name": "a"}]}, "signature.inputs[1]", '"a" is named twice'),
        ({"inputs": [{"name": "a"}, 7]}, "signature.inputs[1]", "has no name"),
        ({"inputs": '[{"name": "a"'}, "signature.inputs: line 1", "not valid JSON"),
        ({"inputs": '[{"name": "a", "x": NaN}]'}, "signature.inputs[0].x", "is nan"),
        ({"inputs": '{"name": NaN}'}, "signature.inputs.name", "is nan"),
        ({"inputs": "[" * 9_000}, "signature.inputs", "nests deeper"),
        ({"inputs": {"a": 1}}, "signature.inputs", "A schema is a list of columns"),
        ("inputs", "signature", "has to be a mapping with inputs"),
    ],
)
def test_an_incomplete_signature_gives_no_features(read: Read, signature: Any, place: str, says: str) -> None:
    reading = read("MLmodel", mlmodel({"sklearn": {"sklearn_version": "1"}}, signature=signature))
    assert "model.features" not in values(reading)
    assert any(words.startswith(place) and says in words for words in errors(reading))
    assert values(reading)["model.framework_version"] == "1"


def test_a_tensor_signature_has_no_named_features(read: Read) -> None:
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 4]}}
    reading = read("MLmodel", mlmodel({"sklearn": {}}, signature={"inputs": [tensor]}))
    assert "model.features" not in values(reading)
    assert "one tensor without column names" in advice(reading)[0]
    mixed = read("MLmodel", mlmodel({"sklearn": {}}, signature={"inputs": [{"name": "a"}, tensor]}))
    assert "model.features" not in values(mixed)
    empty = read("MLmodel", mlmodel({"sklearn": {}}, signature={"inputs": []}))
    assert "model.features" not in values(empty)


def test_metadata_that_is_no_mapping(read: Read) -> None:
    reading = read("MLmodel", mlmodel({"sklearn": {}}, metadata="x", model_size_bytes="many", run_id=7))
    assert errors(reading) == ['metadata: metadata has to be a mapping; found "x".']


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("C:\\runs\\m", "Windows drive"),
        ("file:///D:/runs", "Windows drive"),
        ("\\\\share\\runs", "Windows drive"),
        ("/home/dana/mlruns/0", "home folder"),
        ("s3://bucket/1", ""),
        ("model", ""),
    ],
)
def test_artifact_paths_of_one_machine(read: Read, path: str, says: str) -> None:
    found = [
        words
        for words in advice(read("MLmodel", mlmodel({"sklearn": {}}, artifact_path=path)))
        if words.startswith("artifact_path")
    ]
    assert len(found) == (1 if says else 0)
    assert all(says in words and "dana" not in words for words in found)


# --- run


def run(**data: Any) -> dict[str, Any]:
    return {"info": {"run_id": "r1"}, "data": data}


def test_run_as_the_rest_api_gives_it(read: Read) -> None:
    document = {
        "run": {
            "info": {
                "run_uuid": "r1",
                "start_time": "1795238352703",
                "user_id": "dana",
                "status": "FAILED",
                "lifecycle_stage": "deleted",
                "artifact_uri": "/home/dana/x",
            },
            "data": {
                "metrics": [
                    {"key": "auc", "value": 0.7, "timestamp": 1, "step": 0},
                    {"key": "auc", "value": 0.9, "timestamp": 3, "step": 0},
                    {"key": "auc", "value": 0.8, "timestamp": 2, "step": 9},
                    {"value": 1},
                    7,
                ],
                "params": [{"key": "C", "value": "1"}],
                "tags": [{"key": "mlflow.user", "value": "amir"}, {"key": "x"}, {"key": "x", "value": "2"}, {"no": 1}],
            },
        }
    }
    reading = read("run.json", document)
    assert reading.reader == "mlflow_run"
    found = {(each.name, str(each.value)): each.locator for each in reading.facts}
    assert found[("training.run_id", "r1")] == "run.info.run_uuid"
    assert found[("performance.candidate", "0.9")] == "run.data.metrics[1].value"
    assert found[("training.contributors", "['amir']")] == "run.data.tags.mlflow.user"
    assert found[("training.contributors", "['dana']")] == "run.info.user_id"
    assert found[("training.parameters", "{'C': '1'}")] == "run.data.params"
    assert found[("training.started_at", "2026-11-21T05:19:12.703Z")] == "run.info.start_time"
    assert len(errors(reading)) == 4
    assert [words.split(":")[0] for words in advice(reading)] == [
        "run.info.status",
        "run.info.lifecycle_stage",
        "run.info.artifact_uri",
    ]


def test_a_run_without_an_id(read: Read) -> None:
    assert values(read("run.json", {"info": {"run_id": ""}, "data": {"metrics": {"auc": 0.9}}}))["performance.candidate"] == 0.9


def test_times_that_are_none(read: Read) -> None:
    reading = read("run.json", {"info": {"run_id": "r", "start_time": "²", "end_time": 10**15}, "data": {}})
    assert values(reading) == {"training.run_id": "r"}
    assert [words.split(":")[0] for words in errors(reading)] == ["info.start_time", "info.end_time"]


@pytest.mark.parametrize(
    ("commit", "says"),
    [
        ("a9993e364706816aba3e25717850c26c9cd0d89d", ""),
        ("a9993e3", "short commit id"),
        ("deadbeef", "placeholder"),
        ("0000000000000000000000000000000000000000", "placeholder"),
        ("main", "40 hexadecimal digits; found"),
        ("", ""),
    ],
)
def test_commit_ids(read: Read, commit: str, says: str) -> None:
    reading = read("run.json", run(tags={"mlflow.source.git.commit": commit}))
    assert values(reading).get("training.code_commit", "") == commit
    assert len(advice(reading)) == (1 if says else 0)
    assert all(says in words for words in advice(reading))


def test_class_of_the_estimator_by_tag_or_parameters(read: Read) -> None:
    logistic = dict.fromkeys(
        [
            "C",
            "class_weight",
            "dual",
            "fit_intercept",
            "intercept_scaling",
            "max_iter",
            "penalty",
            "random_state",
            "solver",
            "tol",
            "verbose",
            "warm_start",
        ],
        "1",
    )
    assert values(read("run.json", run(params=logistic)))["model.architecture"] == "LogisticRegression"
    tagged = run(params=logistic, tags={"estimator_name": "Pipeline", "estimator_class": "sklearn.pipeline.Pipeline"})
    assert values(read("run.json", tagged))["model.architecture"] == "Pipeline"
    assert values(read("run.json", run(tags={"estimator_name": "SVC"})))["model.architecture"] == "SVC"
    several = {**run(params=logistic), "outputs": {"model_outputs": [{"model_id": "a"}, {"model_id": "b"}]}}
    assert "model.architecture" not in values(read("run.json", several))
    assert "model.architecture" not in values(read("run.json", run(params={"C": "1", "solver": "x"})))


def dataset(
    source: Any, *, context: str = "training", digest: str = "d1", source_type: str = "s3", columns: Any = None
) -> dict[str, Any]:
    schema = None if columns is None else {"mlflow_colspec": [{"name": name, "type": "long"} for name in columns]}
    tags = [{"key": "mlflow.data.context", "value": context}] if context else []
    return {"dataset": {"digest": digest, "source_type": source_type, "source": source, "schema": schema}, "tags": tags}


def test_data_sets_of_a_run(read: Read) -> None:
    inputs = [
        dataset({"uri": "s3://a"}, columns=["x", "y"]),
        dataset('{"path": "acme/credit"}', digest="d2", columns=["x", "z"], source_type="hugging_face"),
        dataset({"uri": "s3://test"}, context="test", digest="d3", columns=["x"]),
        dataset({"tags": {"name": "script.py"}}, context="", digest="d4", source_type="code"),
        dataset({"table_name": "lake.loans"}, context="", digest="", source_type="spark"),
    ]
    found = values(read("run.json", {**run(), "inputs": {"dataset_inputs": inputs}}))
    assert found["data.sources"] == ["s3://a", "acme/credit", "lake.loans"]
    assert found["data.columns"] == ["x", "y", "z"]
    assert found["model.feature_sources"] == {"x": ["s3://a", "acme/credit"], "y": ["s3://a"], "z": ["acme/credit"]}
    assert found["training.dataset_digest"] == "d1, d2"
    assert found["evaluation.dataset_digest"] == "d3"


def test_a_source_used_twice_counts_once_and_scripts_do_not_count(read: Read) -> None:
    twice = [dataset({"uri": "s3://a"}, columns=["x"]), dataset({"uri": "s3://a"}, columns=["x"])]
    assert values(read("run.json", {**run(), "inputs": {"dataset_inputs": twice}}))["model.feature_sources"] == {"x": ["s3://a"]}
    script = [dataset({"tags": {}}, source_type="code", columns=["x"])]
    found = values(read("run.json", {**run(), "inputs": {"dataset_inputs": script}}))
    assert found == {"training.run_id": "r1", "data.columns": ["x"], "training.dataset_digest": "d1"}


def test_broken_data_sets_lose_only_themselves(read: Read) -> None:
    inputs = [
        dataset({"uri": "s3://a"}, context=""),
        dataset("{broken", context=""),
        dataset([1], context=""),
        {"dataset": 7},
        {"dataset": {"source": {"uri": "s3://b"}, "schema": '{"mlflow_colspec": 7}'}},
    ]
    reading = read("run.json", {**run(metrics={"auc": 0.9}), "inputs": {"dataset_inputs": inputs}})
    assert values(reading)["data.sources"] == ["s3://a", "s3://b"]
    assert values(reading)["performance.candidate"] == 0.9
    assert len(errors(reading)) == 3
    assert "No data set is marked as the training set" in advice(reading)[0]
    wrong = read("run.json", {**run(metrics={"auc": 0.9}), "inputs": {"dataset_inputs": 7}})
    assert errors(wrong) == ["inputs.dataset_inputs: dataset_inputs has to be a list; found 7."]


def test_metrics_and_tags_of_a_wrong_kind(read: Read) -> None:
    reading = read("run.json", run(metrics=7, tags="x", params=3))
    assert values(reading) == {"training.run_id": "r1"}
    assert [words.split(":")[0] for words in errors(reading)] == ["data.tags", "data.metrics", "data.params"]


def test_metrics_that_cannot_stand_for_a_model(read: Read) -> None:
    reading = read("run.json", run(metrics={"score": 0.9, "training_roc_auc": 0.99}))
    assert values(reading)["performance.metrics"] == {"score": 0.9, "training_roc_auc": 0.99}
    assert "performance.metric" not in values(reading)
    assert "can stand for the model" in advice(reading)[0]


# --- logged model and model version


def test_logged_model_as_the_rest_api_gives_it(read: Read) -> None:
    document = {
        "model": {
            "info": {
                "model_id": "m-1",
                "source_run_id": "r1",
                "status": "LOGGED_MODEL_PENDING",
                "artifact_uri": "C:/x",
                "tags": [{"key": "team", "value": "risk"}],
            },
            "data": {
                "params": [{"key": "C", "value": "1"}],
                "metrics": [
                    {"key": "f1", "value": 0.5, "dataset_digest": "d1", "timestamp": 1},
                    {"key": "f1", "value": 0.6, "dataset_digest": "d2", "timestamp": 2},
                ],
            },
        }
    }
    reading = read("model.json", document)
    assert reading.reader == "mlflow_logged_model"
    assert values(reading) == {
        "training.run_id": "r1",
        "system.owner": "risk",
        "training.parameters": {"C": "1"},
        "performance.metrics": {"f1": 0.6},
        "performance.metric": "f1",
        "performance.candidate": 0.6,
        "evaluation.dataset_digest": "d2",
    }
    assert fact(reading, "performance.candidate").locator == "model.data.metrics[1].value"
    assert [words.split(":")[0] for words in advice(reading)] == [
        "model.info.status",
        "model.info.artifact_uri",
        "model.data.metrics[1].value",
    ]


def test_logged_model_without_anything_else(read: Read) -> None:
    reading = read(
        "model.json",
        {
            "model_id": "m",
            "artifact_location": "s3://m",
            "metrics": [{"key": "f1", "value": 0.5}],
            "tags": {"estimator_class": "a.SVC"},
        },
    )
    assert values(reading)["model.architecture"] == "SVC"
    assert "evaluation.dataset_digest" not in values(reading)


def test_model_version_as_the_rest_api_gives_it(read: Read) -> None:
    document = {
        "model_version": {
            "name": "credit",
            "version": "3",
            "current_stage": "None",
            "status": "PENDING_REGISTRATION",
            "user_id": "dana",
            "source": "file:///C:/m",
            "tags": [{"key": "guiderail.decision.automated", "value": "true"}],
            "metrics": [{"key": "auc", "value": 0.9}],
        }
    }
    reading = read("version.json", document)
    assert reading.reader == "mlflow_model_version"
    found = values(reading)
    assert (found["model.name"], found["training.contributors"], found["decision.automated"]) == ("credit", ["dana"], True)
    assert found["performance.candidate"] == 0.9
    assert [words.split(":")[0] for words in advice(reading)] == ["model_version.status", "model_version.source"]
    same = {"name": "c", "version": 1, "aliases": [], "user_id": "dana", "tags": {"mlflow.user": "dana"}}
    assert values(read("v.json", same)) == {"model.name": "c", "training.contributors": ["dana"]}
    assert values(read("v.json", {"name": "", "version": 1, "aliases": []})) == {}


# --- card


def card(front: str, body: str = "") -> str:
    return f"---\n{front}---\n{body}"


def test_card_front_matter(read: Read) -> None:
    front = "license: other\nlicense_name: acme-1\nlibrary_name: mystery\ndatasets: acme/credit\nbase_model: [big/model]\n"
    front += "pipeline_tag: tabular-classification\nowner: risk-ml\nguiderail:\n  decision:\n    automated: false\n"
    assert values(read("README.md", card(front))) == {
        "model.license": "acme-1",
        "model.framework": "mystery",
        "data.sources": ["acme/credit"],
        "vendor.third_party": True,
        "model.task": "tabular-classification",
        "system.owner": "risk-ml",
        "decision.automated": False,
    }


@pytest.mark.parametrize("front", ["datasets: [a, {b: 1}]\n", "datasets: 7\n", "datasets: {a: 1}\n"])
def test_card_data_sets_of_a_wrong_kind(read: Read, front: str) -> None:
    assert errors(read("README.md", card(front)))[0].startswith("datasets: datasets is a list of data-set names")


def result(metrics: str, dataset: str = "{type: acme/credit, name: Credit}", task: str = "") -> str:
    return f"  - dataset: {dataset}\n    metrics: {metrics}\n{task}"


def test_card_results_prefer_the_test_split_and_say_when_they_differ(read: Read) -> None:
    front = "model-index:\n- name: m\n  results:\n"
    front += result("[{type: auc, value: 0.95}]", "{type: a, name: A, split: train}")
    front += result("[{type: auc, value: 0.90}]", "{type: a, name: A, split: test, revision: 12345678}")
    reading = read("README.md", card(front))
    assert values(reading)["performance.candidate"] == 0.90
    assert values(reading)["evaluation.dataset_digest"] == "12345678"
    assert fact(reading, "performance.candidate").locator == "model-index[0].results[1].metrics[0].value"
    assert "given with 2 different values" in advice(reading)[0]


@pytest.mark.parametrize(
    ("index", "place"),
    [
        ("model-index: 7\n", "model-index"),
        ("model-index: [7]\n", "model-index[0].results"),
        ("model-index:\n- results:\n" + result("[]"), "model-index[0].results[0]"),
        ("model-index:\n- results:\n" + result("[{value: 1}]"), "model-index[0].results[0].metrics[0].value"),
        ("model-index:\n- results:\n" + result("[{type: accuracy, value: 91}]"), "model-index[0].results[0].metrics[0].value"),
        ("model-index:\n- results:\n" + result("[{type: accuracy, value: high}]"), "model-index[0].results[0].metrics[0].value"),
    ],
)
def test_card_results_that_cannot_be_read(read: Read, index: str, place: str) -> None:
    reading = read("README.md", card("license: mit\n" + index))
    assert errors(reading)[0].startswith(place + ": ")
    assert values(reading)["model.license"] == "mit"
    assert "performance.candidate" not in values(reading)


def test_without_a_test_split_the_first_result_counts(read: Read) -> None:
    front = "model-index:\n- name: m\n  results:\n" + result("[{type: auc, value: 0.95}]") + result("[{type: auc, value: 0.90}]")
    assert values(read("README.md", card(front)))["performance.candidate"] == 0.95


BODY = """
# Model

## **Intended Uses & Limitations** [optional]

Sets credit limits.

```
## Limitations
not a heading
```

### Out-of-Scope Use

Business loans.

## Bias, Risks, and Limitations

<!-- say something -->
- **Risks:** [More Information Needed]
Young customers are few.

## Direct Use

[More Information Needed]

## Ethical considerations

TODO

## Training

Not read.
"""


def test_card_sections(read: Read) -> None:
    reading = read("README.md", card("license: mit\n", BODY))
    intended, limits = fact(reading, "model.intended_use"), fact(reading, "model.limitations")
    assert intended.value.startswith("Sets credit limits.")
    assert intended.locator == "section **Intended Uses & Limitations** [optional]"
    assert "Young customers are few." in limits.value
    assert "More Information" not in limits.value
    assert "TODO" not in limits.value
    assert "Business loans." in limits.value
    assert limits.value.count("Business loans.") == 1
    assert limits.locator == "section **Intended Uses & Limitations** [optional]; section Bias, Risks, and Limitations"


def test_long_sections_are_cut(read: Read) -> None:
    value = fact(read("README.md", "# A\n## Uses\n" + "word\n" * 2_000), "model.intended_use").value
    assert 3_990 < len(value) <= 4_000
    assert value.endswith("…")


@pytest.mark.parametrize("name", ["card.md", "README", "x.txt"])
def test_cards_are_known_by_content(read: Read, name: str) -> None:
    assert read(name, card("license: mit\n", "# M\n")).reader == "huggingface_card"
    assert read(name, "# M\n\nText.\n").reader == "huggingface_card"


def test_yaml_with_a_comment_is_no_card(read: Read) -> None:
    assert read("x", "# written by mlflow\nflavors:\n  sklearn: {}\n").reader == "mlflow_mlmodel"
    assert read("metrics.yaml", "# metrics\nauc: 0.9\n").reader == "generic_metrics"


# --- Great Expectations


def expectation(success: Any = True, **config: Any) -> dict[str, Any]:
    return {"success": success, "expectation_config": config, "result": {"unexpected_count": 2, "unexpected_percent": 50.0}}


def test_great_expectations_0x(read: Read) -> None:
    document = {
        "success": False,
        "evaluation_parameters": {},
        "results": [
            expectation(False, expectation_type="expect_column_values_to_be_unique", kwargs={"column": "id"}),
            expectation(
                False, expectation_type="expect_column_pair_values_to_be_equal", kwargs={"column_A": "a", "column_B": "b"}
            ),
            expectation(
                True, expectation_type="expect_table_columns_to_match_ordered_list", kwargs={"column_list": ["id", "email"]}
            ),
            expectation(
                True, expectation_type="expect_table_columns_to_match_set", kwargs={"column_set": ["other"], "exact_match": False}
            ),
        ],
        "statistics": {"evaluated_expectations": 4},
        "meta": {"great_expectations_version": "0.18.0", "run_id": {"run_time": "2025-03-04T23:30:00-05:00"}},
    }
    reading = read("validation.json", document)
    assert reading.problems == ()
    assert values(reading) == {
        "data.quality.evaluated": 4,
        "data.quality.failed": [
            {"expectation": "expect_column_values_to_be_unique", "column": "id", "count": 2, "percent": 50.0},
            {"expectation": "expect_column_pair_values_to_be_equal", "column": "a, b", "count": 2, "percent": 50.0},
        ],
        "data.columns": ["id", "a", "b", "email"],
        "data.snapshot_date": "2025-03-05",
    }


def test_a_column_is_there_when_an_expectation_was_evaluated_on_it(read: Read) -> None:
    """A passed check names a column as well as a failed one; one that stopped with an error may have named what is not there."""
    stopped = expectation(False, type="expect_column_values_to_be_unique", kwargs={"column": "ssn"})
    stopped["exception_info"] = {"raised_exception": True}
    passed = expectation(type="expect_column_values_to_not_be_null", kwargs={"column": "customer_email"})
    missing = expectation(False, type="expect_table_columns_to_match_set", kwargs={"column_set": ["phone"]})
    reading = read("validation.json", {"success": False, "results": [stopped, passed, missing], "statistics": {}})
    assert values(reading)["data.columns"] == ["customer_email"]


@pytest.mark.parametrize("key", ["run_results", "_run_results"])
def test_checkpoint_results(read: Read, key: str) -> None:
    old = {
        "validation_result": {"success": True, "results": [expectation()], "meta": {"validation_time": "2026-11-20T00:00:00Z"}}
    }
    new = {
        "success": True,
        "results": [expectation(), expectation()],
        "meta": {"batch_markers": {"ge_load_time": "20261119T054210.792465Z"}},
    }
    reading = read("checkpoint.json", {"success": True, key: {"one": old, "two": new}})
    assert values(reading) == {"data.quality.evaluated": 3, "data.quality.failed": [], "data.snapshot_date": "2026-11-19"}
    assert fact(reading, "data.quality.evaluated").locator == f"{key}.one.validation_result.results, {key}.two.results"


def test_described_checkpoint_result(read: Read) -> None:
    reading = read(
        "checkpoint.json", {"success": False, "validation_results": [{"success": False, "results": [expectation(False)]}]}
    )
    assert values(reading)["data.quality.failed"][0]["expectation"] == "(not named)"


def test_great_expectations_contradictions_count_against_the_file(read: Read) -> None:
    raised = {
        **expectation(True, type="t", kwargs={"column": "x"}),
        "exception_info": {"raised_exception": True, "exception_message": "boom"},
    }
    document = {
        "success": True,
        "results": [expectation(False, type="u"), expectation("yes"), 7, raised],
        "statistics": {"evaluated_expectations": 9},
    }
    reading = read("gx.json", document)
    assert values(reading)["data.quality.evaluated"] == 4
    assert [row["expectation"] for row in values(reading)["data.quality.failed"]] == ["u", "(not named)", "(not named)", "t"]
    assert values(reading)["data.quality.failed"][3]["error"] is True
    assert [words.split(":")[0] for words in errors(reading)] == [
        "results[1]",
        "results[2]",
        "success",
        "statistics.evaluated_expectations",
    ]
    assert "stopped with an error" in advice(reading)[0]


def test_a_time_out_of_range_is_no_date(read: Read) -> None:
    reading = read(
        "gx.json", {"success": True, "results": [], "statistics": {}, "meta": {"validation_time": "0001-01-01T00:00:00+23:59"}}
    )
    assert "data.snapshot_date" not in values(reading)


def test_great_expectations_without_results(read: Read) -> None:
    reading = read("gx.json", {"success": True, "results": None, "statistics": {}, "meta": {"validation_time": "soon"}})
    assert reading.facts == ()
    assert "A validation result has a list of results" in errors(reading)[0]


# --- plain metrics


@pytest.mark.parametrize(
    ("document", "metric", "value"),
    [
        ({"auc": 0.9, "accuracy": 0.8}, "roc_auc", 0.9),
        ({"roc_auc": 0.91, "auc": 0.9}, "roc_auc", 0.91),
        ({"metrics": {"test_auc": 0.8, "auc": 0.9}}, "roc_auc", 0.8),
        ({"metrics": {"train_auc": 0.99, "log_loss": 0.3, "accuracy": 0.8}}, "log_loss", 0.3),
        ({"metrics": [{"name": "F1-Score", "value": "0.5"}]}, "f1", 0.5),
        ({"metrics": {"profit": 3, "auc": 0.5}, "primary_metric": "profit"}, "profit", 3),
        ({"rmse": 12, "r2": 0.4, "note": "x", "rows": 3, "nested": {"auc": 1}}, "r2", 0.4),
    ],
)
def test_plain_metrics(read: Read, document: Any, metric: str, value: float) -> None:
    reading = read("metrics.json", document)
    assert reading.reader == "generic_metrics"
    assert (fact(reading, "performance.metric").value, fact(reading, "performance.candidate").value) == (metric, value)


def test_plain_metrics_with_threshold_and_digest(read: Read) -> None:
    found = values(read("m.json", {"auc": 0.9, "threshold": "0.4", "dataset_digest": "d1", "guiderail.decision.automated": True}))
    assert (found["model.decision_threshold"], found["evaluation.dataset_digest"], found["decision.automated"]) == (
        0.4,
        "d1",
        True,
    )
    assert found["performance.metrics"] == {"auc": 0.9}
    assert errors(read("m.json", {"auc": 0.9, "threshold": "low"})) == [
        'threshold: threshold has to be a number; found "low". It is left out.'
    ]


def test_a_main_metric_that_is_not_there(read: Read) -> None:
    reading = read("m.json", {"metrics": {"auc": 0.9}, "metric": "f1"})
    assert "performance.metric" not in values(reading)
    assert 'The main metric "f1" is not among the metrics' in errors(reading)[0]


def test_what_plain_metrics_do_not_take(read: Read) -> None:
    documents: list[Any] = [{}, {"a": "b"}, {"metrics": []}, {"metrics": [{"metric_name": "x", "value": 1}]}, {"a": True}, [1]]
    for document in documents:
        assert read("x.json", document).reader is None
    assert read("my_metrics.json", {"profit": 3}).reader == "generic_metrics"
    assert values(read("facts.json", {"guiderail": {"decision.reversible": True}})) == {"decision.reversible": True}
