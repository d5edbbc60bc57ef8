"""Model cards in JSON: SageMaker, Model Card Toolkit, CycloneDX, and the figures they list."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from governance.prefill.metric_rows import MetricRow, row_facts
from governance.prefill.reading import Reading
from governance.prefill.source import Problem, Source
from tests.governance.prefill.looking import advice, errors, fact, values

Read = Callable[..., Reading]
Sample = Callable[[str], Reading]

SAGEMAKER: dict[str, Any] = {
    "business.context": "Scores card applications by the risk of default within a year.\n\nLosses from early defaults.",
    "model.architecture": "Gradient boosted trees (class not stated)",
    "model.task": "Binary classification",
    "system.owner": "credit-risk-models",
    "training.contributors": ["dana"],
    "model.intended_use": "Rank applications for a credit card.\n\nSupport the loan desk.\n\nDaily scoring of new applications.",
    "model.limitations": (
        "Thin credit files.\n\nAge is a protected attribute.\n\nNot for applicants under 21.\n\nNot for business credit."
    ),
    "training.run_id": "arn:aws:sagemaker:eu-west-1:111122223333:training-job/credit-risk-2026-11-19",
    "data.sources": ["s3://acme-lake/credit/applications-2026/"],
    "training.parameters": {"max_depth": "5", "eta": "0.1", "seed": "7"},
    "model.framework": "xgboost",
    "model.framework_version": "1.7",
    "performance.metrics": {"test_roc_auc": 0.871, "shadow week / roc_auc": 0.853, "accuracy": 0.842},
    "performance.metric": "roc_auc",
    "performance.candidate": 0.871,
}


def test_a_sagemaker_card(sample: Sample) -> None:
    reading = sample("sagemaker-0.1.0.model_card.json")
    assert reading.reader == "sagemaker_card"
    assert values(reading) == SAGEMAKER
    place = "evaluation_details[0].metric_groups[0].metric_data[0].value"
    assert fact(reading, "performance.candidate").locator == place
    assert fact(reading, "model.intended_use").locator.startswith("intended_uses.purpose_of_model[0]; intended_uses.purpose_of_m")
    assert errors(reading) == []
    assert len(advice(reading)) == 1 and "intended_uses.risk_rating: The card rates the risk Low" in advice(reading)[0]


def test_what_describe_model_card_answers(sample: Sample) -> None:
    reading = sample("sagemaker-0.1.0.describe_model_card.json")
    both = {"model.name": "credit-risk", "training.contributors": ["dana", "amir"]}
    assert values(reading) == {**SAGEMAKER, **both}
    assert fact(reading, "system.owner").locator == "Content.model_overview.model_owner"


def described(content: Any, **more: Any) -> dict[str, Any]:
    return {"ModelCardName": "n", "ModelCardArn": "arn", "Content": content, **more}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("{not json", "Content: line 1, column 2: This is not valid JSON"),
        ("[1]", "Content: The card's content has to be a JSON object; found [1]. Export it with: aws sagemaker"),
        (7, "Content: The card's content has to be a JSON object; found 7."),
        ("[" * 5_000, "Content: This JSON nests deeper than 64 levels"),
    ],
)
def test_content_that_is_no_card_is_named(read: Read, content: Any, says: str) -> None:
    reading = read("card.json", described(content))
    assert values(reading) == {"model.name": "n"}
    assert errors(reading)[0].startswith(says)


def test_a_model_package_and_a_card_already_opened(read: Read) -> None:
    card = {"model_overview": {"model_owner": "risk"}, "model_package_details": {"model_package_group_name": "credit"}}
    package = read("package.json", {"ModelPackageName": "p", "ModelCard": {"ModelCardContent": json.dumps(card)}})
    assert values(package) == {"system.owner": "risk", "model.name": "credit"}
    assert fact(package, "system.owner").locator == "ModelCard.ModelCardContent.model_overview.model_owner"
    opened = read("card.json", described(card, ModelCardStatus="Archived"))
    assert values(opened) == {"system.owner": "risk", "model.name": "credit"}
    assert "archived" in advice(opened)[0]


def test_a_rating_never_becomes_a_fact_and_details_answer_questions(read: Read) -> None:
    card = {
        "intended_uses": {"risk_rating": "None at all"},
        "model_overview": {"model_owner": {"name": "x"}, "model_description": 5},
        "additional_information": {
            "custom_details": {"guiderail.decision.domain": "credit", "guiderail.track": "green", "license": "mit"},
        },
    }  # fmt: skip
    reading = read("card.json", card)
    assert values(reading) == {"decision.domain": "credit", "model.license": "mit"}
    assert [words.split(": ")[0] for words in errors(reading)] == [
        "model_overview.model_description",
        "model_overview.model_owner",
        "intended_uses.risk_rating",
        "additional_information.custom_details.guiderail.track",
    ]


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        ("1.dkr.ecr.eu-west-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3", ("scikit-learn", "1.2")),
        (["763.dkr.ecr.eu-west-1.amazonaws.com/pytorch-training:2.1.0-gpu-py310"], ("pytorch", "2.1.0")),
        ("registry.acme.example/own-image:3", (None, None)),
        (["a/xgboost:1.7-1", "b/sagemaker-xgboost:1.5-1"], (None, None)),
        ("a/xgboost:latest", ("xgboost", None)),
    ],
)
def test_framework_of_the_training_image(read: Read, image: Any, expected: tuple[Any, Any]) -> None:
    job = {"training_job_details": {"training_environment": {"container_image": image}}}
    found = values(read("card.json", {"model_overview": {}, "training_details": job}))
    assert (found.get("model.framework"), found.get("model.framework_version")) == expected


def test_a_card_of_the_toolkit(sample: Sample) -> None:
    reading = sample("mct-0.0.2.model_card.json")
    assert reading.reader == "model_card_toolkit"
    assert reading.problems == ()
    assert values(reading) == {
        "model.name": "Toxic comment ranking",
        "business.context": (
            "Ranks comments for moderators by how likely they break the rules.\n\n"
            "Reads the text of a comment. A moderator decides."
        ),
        "system.owner": "trust-and-safety",
        "model.license": "Apache-2.0",
        "model.architecture": "MobileBERT",
        "model.intended_use": "Order the queue of reported comments.\n\nUsers: Moderators of the forum.",
        "model.limitations": (
            "Weak on irony.\n\nTrade-off: More false alarms for short comments.\n\n"
            "Risk: Dialects are flagged more often: Thresholds by language, checked monthly."
        ),
        "data.sources": ["s3://acme-lake/comments/2026/"],
        "data.contains_pii": True,
        "data.protected_attributes": ["age"],
        "performance.metrics": {"auc": 0.94, "auc [language=de]": 0.89, "binary_accuracy": 0.9},
        "performance.metric": "roc_auc",
        "performance.candidate": 0.94,
    }
    assert fact(reading, "performance.candidate").locator == "quantitative_analysis.performance_metrics[0].value"


def test_a_card_of_the_toolkits_first_schema(read: Read) -> None:
    card = {
        "schema_version": "0.0.1",
        "model_details": {"name": "m", "license": "MIT", "owners": [{"name": "a"}, {"name": "b", "contact": "x"}, {}]},
        "model_parameters": {
            "data": {
                "train": {"name": "Training set", "sensitive": "No personal data."},
                "eval": {"link": "s3://eval", "sensitive": "Names"},
            }
        },
        "considerations": {"limitations": ["Only dogs."], "users": "Vets"},
        "quantitative_analysis": {"performance_metrics": [{"type": "accuracy", "value": 91}, {"value": 1}]},
        "guiderail": {"decision.reversible": True},
    }
    reading = read("card.json", card)
    assert values(reading) == {
        "model.name": "m", "model.license": "MIT", "system.owner": "a, b", "model.intended_use": "Users: Vets",
        "model.limitations": "Only dogs.", "decision.reversible": True,
    }  # fmt: skip
    assert ["between 0 and 1" in words for words in errors(reading)] == [False, True]
    assert any("names no source" in words for words in advice(reading))
    assert any("cannot give that assurance" in words for words in advice(reading))


def test_a_bill_with_a_model(sample: Sample) -> None:
    reading = sample("cyclonedx-1.6.model.cdx.json")
    assert reading.reader == "cyclonedx_model"
    assert reading.problems == ()
    found = values(reading)
    assert "Group at risk: Customers under 25: Fewer offers: A minimum share of calls" in found.pop("model.limitations")
    assert found == {
        "model.name": "churn",
        "business.context": "Finds customers who may leave, so that the shop can offer help.",
        "model.license": "Apache-2.0",
        "model.digest": "sha256:9f2c3b0d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7f809",
        "vendor.third_party": True,
        "model.task": "classification",
        "model.architecture": "LGBMClassifier",
        "model.intended_use": "Choose whom to call\n\nUsers: Customer care",
        "system.owner": "customer-care-ml",
        "data.sources": ["s3://acme-lake/orders/", "acme/support-tickets"],
        "data.contains_pii": True,
        "performance.metrics": {"roc_auc": 0.81, "roc_auc [age under 25]": 0.74, "test_recall": 0.66},
        "performance.metric": "roc_auc",
        "performance.candidate": 0.81,
    }
    assert fact(reading, "data.sources").locator.startswith("components[0].data[0].contents.url; ")


def bill(*components: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"bomFormat": "CycloneDX", "specVersion": "1.6", "components": list(components), **more}


MODEL: dict[str, Any] = {"type": "machine-learning-model"}


def test_which_model_of_a_bill(read: Read) -> None:
    two = [{**MODEL, "name": name, "modelCard": {"modelParameters": {"task": name}}} for name in ("a", "b")]
    reading = read("bom.json", bill(*two))
    assert reading.facts == ()
    assert "describes 2 models (a, b), and which one is submitted is not said" in errors(reading)[0]
    about = read("bom.json", bill(*two, metadata={"component": {**MODEL, "name": "c"}}))
    assert values(about) == {"model.name": "c"} and "has no modelCard" in advice(about)[0]
    nested = read("bom.json", bill({"type": "application", "components": [{**two[0]}]}, {**MODEL, "name": "base"}))
    assert fact(nested, "model.name").locator == "components[0].components[0].name"
    assert read("bom.json", bill({"type": "library", "name": "numpy"})).reader is None


def test_what_a_bill_leaves_open(read: Read) -> None:
    card = {"modelParameters": {"architectureFamily": "transformer", "datasets": [{"ref": "gone"}]}, "properties": [{"value": 1}]}
    model = {**MODEL, "hashes": [{"alg": "MD5", "content": "1"}, {"alg": "SHA-256", "content": "9f"}], "modelCard": card}
    reading = read("bom.json", bill({**model, "licenses": [{"expression": "MIT OR Apache-2.0"}]}))
    found = {"model.architecture": "transformer (class not stated)", "model.license": "MIT OR Apache-2.0"}
    assert values(reading) == found
    assert [words.split(": ")[0].rsplit(".", 1)[-1] for words in errors(reading)] == ["content", "ref", "properties[0]"]


# --- figures in rows


def figures(*rows: tuple[Any, ...]) -> tuple[dict[str, Any], list[str]]:
    found = list(row_facts([MetricRow(*row) for row in rows], Source("x", ""), "m"))
    facts = {item.name: item.value for item in found if not isinstance(item, Problem)}
    return facts, [f"{item.locator}: {item.detail}" for item in found if isinstance(item, Problem)]


@pytest.mark.parametrize(
    ("rows", "metric", "value"),
    [
        ([("auc", 0.9, "p")], "roc_auc", 0.9),
        ([("auc", 0.9, "p", "A"), ("auc", "0.9", "q", "B")], "roc_auc", 0.9),
        ([("auc", 0.9, "p", "Train set"), ("auc", 0.8, "q", "B")], "roc_auc", 0.8),
        ([("auc", 0.9, "p", "", "women"), ("f1", 0.5, "q")], "f1", 0.5),
        ([("auc", 0.9, "p", "", "train"), ("auc", 0.7, "q", "", "Overall")], "roc_auc", 0.7),
        ([("auc", 0.9, "p", "spring"), ("auc", 0.8, "q", "Test"), ("auc", 0.7, "r", "autumn")], "roc_auc", 0.8),
    ],
)
def test_the_figure_that_stands_for_the_model(rows: list[tuple[Any, ...]], metric: str, value: float) -> None:
    facts, problems = figures(*rows)
    assert (facts["performance.metric"], facts["performance.candidate"], problems) == (metric, value, [])


def test_where_rows_leave_a_doubt_no_figure_stands_for_the_model() -> None:
    facts, problems = figures(("auc", 0.9, "p", "A"), ("auc", 0.8, "q", "B"), ("accuracy", 0.7, "r", "A"))
    assert facts == {"performance.metrics": {"A / auc": 0.9, "B / auc": 0.8, "accuracy": 0.7}}
    assert len(problems) == 1 and "roc_auc: given with different values" in problems[0]
    facts, problems = figures(("auc", 0.9, "p", "test"), ("auc", 0.8, "q", "test"), ("rows", 1, "r"))
    assert facts == {"performance.metrics": {"rows": 1}}
    assert [words.split(" ")[0] for words in problems] == ["p:", "m:"]


def test_only_slices_and_training_figures_stand_for_nothing() -> None:
    facts, problems = figures(("auc", 0.9, "p", "", "women"), ("f1", 0.9, "q", "training"))
    assert facts == {"performance.metrics": {"auc [women]": 0.9, "train_f1": 0.9}}
    assert "None of these metrics" in problems[0]
