"""A CycloneDX bill of materials that describes a machine-learning model (1.5 and later): its raw `modelCard`.

Libraries for CycloneDX drop the card, so the JSON itself is read. Parts, licences and vulnerabilities of the bill are evidence
(`bom`) and are judged by gates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.card_values import Said, named_values
from governance.prefill.convention import stated_in_tags
from governance.prefill.estimators import NOT_STATED
from governance.prefill.metric_rows import MetricRow, row_facts
from governance.prefill.mlflow_tags import plain_facts
from governance.prefill.sensitive_words import sensitive_facts
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, sequence, shown, text

NAME = "cyclonedx_model"
TITLE = "CycloneDX ML-BOM"
FILLS = (
    "model.name",
    "business.context",
    "model.license",
    "model.digest",
    "model.task",
    "model.architecture",
    "model.intended_use",
    "model.limitations",
    "vendor.third_party",
    "system.owner",
    "data.sources",
    "data.contains_pii",
    "data.protected_attributes",
    "performance.metric",
    "performance.candidate",
    "performance.metrics",
)
ORDER = 40

_MODEL = "machine-learning-model"
_MOST_DEPTH = 40
_SHA256 = re.compile(r"[0-9a-f]{64}")


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    return document.form is Form.JSON and data.get("bomFormat") == "CycloneDX" and bool(_models(data))


def _models(data: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """Every component that is a model, with its place: what the bill is about first."""
    about = mapping(mapping(data.get("metadata")).get("component"))
    found = [(about, "metadata.component")] if about.get("type") == _MODEL else []
    return found + [(row, place) for row, place in _components(data, "", 0) if row.get("type") == _MODEL]


def _components(node: dict[str, Any], path: str, depth: int) -> Iterator[tuple[dict[str, Any], str]]:
    if depth > _MOST_DEPTH:
        return
    for i, row in enumerate(sequence(node.get("components"))):
        place = child(child(path, "components"), i)
        yield mapping(row), place
        yield from _components(mapping(row), place, depth + 1)


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    data = mapping(document.data)
    models = _models(data)
    with_card = [each for each in models if isinstance(each[0].get("modelCard"), dict)]
    found = models[:1] if models[0][1] == "metadata.component" else with_card or models
    if len(found) > 1:
        names = ", ".join(text(row.get("name")) or place for row, place in found[:5])
        detail = f"This bill describes {len(found)} models ({names}), and which one is submitted is not said."
        yield source.problem(
            "components", f"{detail} Send a bill whose metadata.component is the model, or one with that model only."
        )
        return
    component, path = found[0]
    card = component.get("modelCard")
    if not isinstance(card, dict):
        yield source.advice(path, "This model has no modelCard. Let your tool write one, or bring the model card as a file.")
    yield from _component_facts(component, source, path)
    yield from _card_facts(mapping(card), source, child(path, "modelCard"))
    yield from _data_facts(mapping(card), data, source, child(path, "modelCard"))
    for holder, place in ((mapping(card), child(path, "modelCard")), (component, path)):
        properties, problems = named_values(holder.get("properties"), source, child(place, "properties"))
        yield from problems
        yield from plain_facts(properties, source, child(place, "properties"))
        yield from stated_in_tags(properties, source, child(place, "properties"))


def _component_facts(component: dict[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    said = Said(source)
    said.take("model.name", component.get("name"), child(path, "name"))
    said.take("business.context", component.get("description"), child(path, "description"))
    for i, row in enumerate(sequence(component.get("licenses"))):
        place, entry = child(child(path, "licenses"), i), mapping(row)
        licence = mapping(entry.get("license"))
        key = next((key for key in ("id", "name") if text(licence.get(key))), "")
        said.take(
            "model.license",
            licence[key] if key else entry.get("expression"),
            child(place, f"license.{key}" if key else "expression"),
        )
    yield from said.facts()
    yield from _digest(component, source, child(path, "hashes"))
    if sequence(mapping(component.get("pedigree")).get("ancestors")):
        yield source.fact("vendor.third_party", True, child(path, "pedigree.ancestors"))


def _digest(component: dict[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    for i, row in enumerate(map(mapping, sequence(component.get("hashes")))):
        if row.get("alg") != "SHA-256":
            continue
        place, found = child(child(path, i), "content"), text(row.get("content")).lower()
        if _SHA256.fullmatch(found):
            yield source.fact("model.digest", f"sha256:{found}", place)
        else:
            yield source.problem(
                place, f"A SHA-256 has 64 hexadecimal digits; found {shown(row.get('content'))}. It is left out."
            )
        return


def _card_facts(card: dict[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    parameters, uses = mapping(card.get("modelParameters")), mapping(card.get("considerations"))
    place, where = child(path, "modelParameters"), child(path, "considerations")
    said = Said(source)
    said.take("model.task", parameters.get("task"), child(place, "task"))
    said.take("model.architecture", parameters.get("modelArchitecture"), child(place, "modelArchitecture"))
    if not parameters.get("modelArchitecture"):
        # A family holds quite different models: marked, so that an equal family never proves an equal architecture.
        family = parameters.get("architectureFamily")
        said.take("model.architecture", family, child(place, "architectureFamily"), after=f" {NOT_STATED}")
    said.take("model.intended_use", uses.get("useCases"), child(where, "useCases"))
    said.take("model.intended_use", uses.get("users"), child(where, "users"), before="Users: ")
    said.take("model.limitations", uses.get("technicalLimitations"), child(where, "technicalLimitations"))
    said.take("model.limitations", uses.get("performanceTradeoffs"), child(where, "performanceTradeoffs"), before="Trade-off: ")
    said.take(
        "model.limitations",
        uses.get("ethicalConsiderations"),
        child(where, "ethicalConsiderations"),
        "name",
        "mitigationStrategy",
        before="Risk: ",
    )
    said.take(
        "model.limitations",
        uses.get("fairnessAssessments"),
        child(where, "fairnessAssessments"),
        "groupAtRisk",
        "harms",
        "mitigationStrategy",
        before="Group at risk: ",
    )
    yield from said.facts()
    analysis = child(path, "quantitativeAnalysis.performanceMetrics")
    block = mapping(card.get("quantitativeAnalysis")).get("performanceMetrics")
    rows = []
    for i, each in enumerate(sequence(block)):
        row, at = mapping(each), child(analysis, i)
        if text(row.get("type")):
            rows.append(MetricRow(text(row["type"]), row.get("value"), child(at, "value"), part=text(row.get("slice"))))
        else:
            yield source.problem(at, f"A metric has a type and a value; found {shown(each)}. It is left out.")
    yield from row_facts(rows, source, analysis)


def _data_facts(card: dict[str, Any], bill: dict[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    """Data sets given inline, or by reference to a data component of the bill."""
    place = child(path, "modelParameters.datasets")
    said = Said(source)
    sensitive: list[tuple[str, str]] = []
    for i, row in enumerate(sequence(mapping(card.get("modelParameters")).get("datasets"))):
        entry, at = mapping(row), child(place, i)
        for data, where in _resolved(entry, at, bill) if text(entry.get("ref")) else [(entry, at)]:
            address = mapping(data.get("contents")).get("url")
            key = "contents.url" if text(address) else "name"
            said.take("data.sources", address if text(address) else data.get("name"), child(where, key))
            sensitive += [
                (text(each), child(where, "sensitiveData")) for each in sequence(data.get("sensitiveData")) if text(each)
            ]
        if text(entry.get("ref")) and not any(_resolved(entry, at, bill)):
            yield source.problem(
                child(at, "ref"),
                f"The data set {shown(text(entry['ref']))} is not in this bill. Add it as a component of type data.",
            )
    yield from said.facts()
    yield from sensitive_facts(sensitive, source)


def _resolved(entry: dict[str, Any], place: str, bill: dict[str, Any]) -> list[tuple[dict[str, Any], str]]:
    """The data a reference stands for: the `data` rows of that component, or the component itself where it has none."""
    for row, where in _components(bill, "", 0):
        if row.get("bom-ref") == entry["ref"]:
            rows = [(mapping(each), child(child(where, "data"), i)) for i, each in enumerate(sequence(row.get("data")))]
            return rows or [(row, where)]
    return []
