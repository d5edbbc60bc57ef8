"""An Amazon SageMaker model card as JSON: its content, or the answer of DescribeModelCard or DescribeModelPackage around it.

The answers hold the content as a text of JSON. Exported cards have lists where the schema says text; both are read. The risk
rating of a card is not taken over: the track follows from the answers.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.card_values import Said, named_values
from governance.prefill.convention import stated_in_tags
from governance.prefill.estimators import NOT_STATED, framework_name
from governance.prefill.metric_names import HIGHER_IS_BETTER, canonical_metric
from governance.prefill.metric_rows import MetricRow, row_facts
from governance.prefill.mlflow_schema import inner_json
from governance.prefill.mlflow_tags import plain_facts
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, sequence, shown, text

NAME = "sagemaker_card"
TITLE = "SageMaker model card"
FILLS = (
    "model.name",
    "business.context",
    "model.intended_use",
    "model.limitations",
    "model.architecture",
    "model.task",
    "model.license",
    "model.framework",
    "model.framework_version",
    "system.owner",
    "training.contributors",
    "training.run_id",
    "training.parameters",
    "data.sources",
    "performance.metric",
    "performance.candidate",
    "performance.metrics",
)
ORDER = 40

_PARTS = frozenset(
    {
        "model_overview",
        "intended_uses",
        "business_details",
        "training_details",
        "evaluation_details",
        "additional_information",
        "model_package_details",
    }
)
_RATINGS = ("High", "Medium", "Low", "Unknown")
_IMAGE_VERSION = re.compile(r"\d+(?:\.\d+)+")
_EXPORT = "Export it with: aws sagemaker describe-model-card --query Content --output text."


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    return document.form is Form.JSON and (_is_card(data) or bool(_wrapped(data)))


def _is_card(data: dict[str, Any]) -> bool:
    parts = _PARTS & set(data)
    return len(parts) >= 2 or (parts == {"model_overview"} and isinstance(data["model_overview"], dict))


def _wrapped(data: dict[str, Any]) -> str:
    """Where an answer of the API holds the card; "" when it is none."""
    if "Content" in data and {"ModelCardName", "ModelCardArn"} & set(data):
        return "Content"
    return "ModelCard.ModelCardContent" if "ModelCardContent" in mapping(data.get("ModelCard")) else ""


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    answer = mapping(document.data)
    root = "" if _is_card(answer) else _wrapped(answer)
    card: Any = answer
    if root:
        inner = answer["Content"] if root == "Content" else answer["ModelCard"]["ModelCardContent"]
        card, problems = inner_json(inner, source, root)
        yield from problems
    if not isinstance(card, dict):
        yield source.problem(root, f"The card's content has to be a JSON object; found {shown(card)}. {_EXPORT}")
        card = {}
    yield from _texts(card, answer if root else {}, source, root)
    yield from _rating(mapping(card.get("intended_uses")), source, child(root, "intended_uses"))
    yield from _training(mapping(card.get("training_details")), source, child(root, "training_details"))
    yield from row_facts(_rows(card, root), source, child(root, "evaluation_details"))
    custom = child(child(root, "additional_information"), "custom_details")
    details, problems = named_values(mapping(card.get("additional_information")).get("custom_details"), source, custom)
    yield from problems
    yield from plain_facts(details, source, custom)
    yield from stated_in_tags(details, source, custom)


def _texts(card: dict[str, Any], answer: dict[str, Any], source: Source, root: str) -> Iterator[Fact | Problem]:
    said = Said(source)
    for part, key, name in (
        ("model_overview", "model_name", "model.name"),
        ("model_overview", "model_description", "business.context"),
        ("business_details", "business_problem", "business.context"),
        ("model_overview", "problem_type", "model.task"),
        ("model_overview", "model_owner", "system.owner"),
        ("model_overview", "model_creator", "training.contributors"),
        ("intended_uses", "purpose_of_model", "model.intended_use"),
        ("intended_uses", "intended_uses", "model.intended_use"),
        ("intended_uses", "factors_affecting_model_efficiency", "model.limitations"),
        ("additional_information", "ethical_considerations", "model.limitations"),
        ("additional_information", "caveats_and_recommendations", "model.limitations"),
    ):
        said.take(name, mapping(card.get(part)).get(key), child(child(root, part), key))
    # An algorithm is a kind of model: marked, so that an equal kind never proves an equal architecture.
    algorithm = mapping(card.get("model_overview")).get("algorithm_type")
    said.take("model.architecture", algorithm, child(root, "model_overview.algorithm_type"), after=f" {NOT_STATED}")
    if not text(mapping(card.get("model_overview")).get("model_name")):
        package = mapping(card.get("model_package_details"))
        places = (
            (package.get("model_package_group_name"), child(root, "model_package_details.model_package_group_name")),
            (package.get("model_package_name"), child(root, "model_package_details.model_package_name")),
            (answer.get("ModelCardName"), "ModelCardName"),
        )
        value, place = next(((value, place) for value, place in places if text(value)), (None, ""))
        said.take("model.name", value, place)
    made_by = mapping(answer.get("CreatedBy")).get("UserProfileName")
    said.take("training.contributors", made_by, "CreatedBy.UserProfileName")
    yield from said.facts()
    if answer.get("ModelCardStatus") == "Archived":
        yield source.advice("ModelCardStatus", "This card is archived. Send the card of the version you submit.")


def _rating(uses: dict[str, Any], source: Source, path: str) -> Iterator[Problem]:
    rating, place = uses.get("risk_rating"), child(path, "risk_rating")
    rating = rating[0] if isinstance(rating, list) and len(rating) == 1 else rating
    if rating is None:
        return
    if rating not in _RATINGS:
        yield source.problem(place, f"A risk rating is one of {', '.join(_RATINGS)}; found {shown(rating)}. It is left out.")
    else:
        yield source.advice(
            place,
            f"The card rates the risk {rating}. That is not taken over: the track follows from the answers. Compare the two.",
        )


def _training(details: dict[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    job, place = mapping(details.get("training_job_details")), child(path, "training_job_details")
    said = Said(source)
    said.take("training.run_id", job.get("training_arn"), child(place, "training_arn"))
    said.take("data.sources", job.get("training_datasets"), child(place, "training_datasets"))
    yield from said.facts()
    parameters: dict[str, Any] = {}
    places = []
    for key in ("hyper_parameters", "user_provided_hyper_parameters"):
        found, problems = named_values(job.get(key), source, child(place, key))
        yield from problems
        if found:
            parameters = {**parameters, **found}
            places.append(child(place, key))
    if parameters:
        yield source.fact("training.parameters", parameters, "; ".join(places))
    images = mapping(job.get("training_environment")).get("container_image")
    where = child(child(place, "training_environment"), "container_image")
    yield from _framework([images] if isinstance(images, str) else sequence(images), source, where)


def _framework(images: list[Any], source: Source, path: str) -> Iterator[Fact]:
    """Framework and version as the image's name and tag say: `…/sagemaker-xgboost:1.7-1`. Two images say nothing."""
    named = [text(image) for image in images if text(image)]
    if len(named) != 1:
        return
    repository, _, tag = named[0].rsplit("/", 1)[-1].partition(":")
    plain = repository.lower().removeprefix("sagemaker-").removesuffix("-training").removesuffix("-inference")
    framework = framework_name(plain)
    if framework:
        yield source.fact("model.framework", framework, path)
        version = _IMAGE_VERSION.match(tag)
        if version:
            yield source.fact("model.framework_version", version[0], path)


def _rows(card: dict[str, Any], root: str) -> Iterator[MetricRow]:
    """Single figures of every evaluation; charts and matrices are pictures of figures and are left alone."""
    path = child(root, "evaluation_details")
    for i, evaluation in enumerate(sequence(card.get("evaluation_details"))):
        place = child(child(path, i), "metric_groups")
        for j, group in enumerate(sequence(mapping(evaluation).get("metric_groups"))):
            rows = sequence(mapping(group).get("metric_data"))
            for k, metric in enumerate(map(mapping, rows)):
                name, value = text(metric.get("name")), metric.get("value")
                known = canonical_metric(name) in HIGHER_IS_BETTER
                if not name or isinstance(value, list | dict) or (metric.get("type") in ("string", "boolean") and not known):
                    continue
                where = child(child(child(child(place, j), "metric_data"), k), "value")
                of = [text(mapping(each).get("name")) for each in (evaluation, group)]
                yield MetricRow(name, value, where, of[0] if known else " / ".join(filter(None, of)))
