"""A Hugging Face model card: README.md with YAML front matter, model-index, and sections such as Intended use and Limitations."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.card_text import sections
from governance.prefill.convention import block_of, stated
from governance.prefill.estimators import framework_name
from governance.prefill.measures import performance_facts
from governance.prefill.mlflow_tags import plain_facts
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, sequence, shown, text

NAME = "huggingface_card"
TITLE = "Hugging Face model card"
FILLS = (
    "model.name",
    "model.license",
    "model.framework",
    "model.task",
    "model.intended_use",
    "model.assumptions",
    "model.limitations",
    "explanation.method",
    "system.owner",
    "data.sources",
    "vendor.third_party",
    "evaluation.dataset_digest",
    "performance.metric",
    "performance.candidate",
    "performance.metrics",
)

_INTENDED = frozenset(
    {
        "intended use",
        "intended uses",
        "intended use cases",
        "uses",
        "use cases",
        "direct use",
        "primary intended uses",
        "business context",
    }
)
_LIMITS = frozenset(
    {
        "limitations",
        "known limitations",
        "limitations and bias",
        "limitations and biases",
        "limitations and risks",
        "bias",
        "biases",
        "risks",
        "bias risks and limitations",
        "bias and limitations",
        "bias and fairness",
        "risks and limitations",
        "risks limitations and biases",
        "ethical considerations",
        "caveats",
        "caveats and recommendations",
        "out-of-scope use",
        "out-of-scope uses",
    }
)
_ASSUMED = frozenset({"assumptions", "assumptions and constraints", "preconditions"})
_EXPLAINED = frozenset(
    {"explanations", "explanation", "explanation method", "explainability", "interpretability", "how explanations are made"}
)
_BOTH = frozenset({"intended uses and limitations", "intended use and limitations", "uses and limitations"})


def recognises(name: str, document: Document) -> bool:
    return document.form is Form.CARD


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    front = mapping(document.data)
    if not front:
        yield source.advice(
            "front matter",
            "The card has no metadata between two --- lines at its top, so only its text is read. "
            "Add license, library_name, datasets and model-index.",
        )
    yield from _front_facts(front, source)
    yield from _index_facts(front.get("model-index"), source)
    yield from plain_facts(
        {key: front[key] for key in ("owner", "team", "intended_use", "limitations") if key in front}, source, ""
    )
    yield from stated(block_of(front), source, "guiderail")
    yield from _section_facts(document.body, source)


def _front_facts(front: dict[str, Any], source: Source) -> Iterator[Fact | Problem]:
    library = text(front.get("library_name"))
    if library:
        yield source.fact("model.framework", framework_name(library) or library, "library_name")
    if text(front.get("license")):
        named = text(front.get("license_name")) if text(front["license"]) == "other" else ""
        yield source.fact("model.license", named or text(front["license"]), "license_name" if named else "license")
    datasets = front.get("datasets")
    rows = [datasets] if isinstance(datasets, str) else sequence(datasets)
    names = [text(row) for row in rows if text(row)]
    if names:
        yield source.fact("data.sources", list(dict.fromkeys(names)), "datasets")
    if (datasets is not None and len(names) != len(rows)) or (
        datasets is not None and not rows and not isinstance(datasets, list)
    ):
        yield source.problem(
            "datasets", f"datasets is a list of data-set names; found {shown(datasets)}. What is not text is left out."
        )
    base = front.get("base_model")
    if text(base) or any(text(row) for row in sequence(base)):
        yield source.fact("vendor.third_party", True, "base_model")
    if text(front.get("pipeline_tag")):
        yield source.fact("model.task", text(front["pipeline_tag"]), "pipeline_tag")


def _index_facts(block: Any, source: Source) -> Iterator[Fact | Problem]:
    """Metrics of model-index.

    A result without task, dataset type and name, or metrics is not a result of anything and is left out.
    """
    if block is None:
        return
    if not isinstance(block, list):
        yield source.problem("model-index", f"model-index is a list of models with results; found {shown(block)}.")
        return
    rows: list[dict[str, Any]] = []
    places: list[str] = []
    for i, model in enumerate(block):
        path = child("model-index", i)
        if i == 0 and text(mapping(model).get("name")):
            yield source.fact("model.name", text(mapping(model)["name"]), child(path, "name"))
        if not isinstance(mapping(model).get("results"), list):
            yield source.problem(child(path, "results"), f"results is a list; found {shown(mapping(model).get('results'))}.")
        for j, result in enumerate(sequence(mapping(model).get("results"))):
            place = child(child(path, "results"), j)
            wrong = _result_problem(result)
            if wrong:
                yield source.problem(place, f"{wrong} This result is left out; the rest of the card is read.")
                continue
            for k, metric in enumerate(result["metrics"]):
                rows.append({**mapping(metric), "of": result})
                places.append(child(child(child(place, "metrics"), k), "value"))
    yield from _metric_facts(rows, places, source)


def _result_problem(result: Any) -> str:
    found = mapping(result)
    dataset = mapping(found.get("dataset"))
    if not (text(dataset.get("type")) and text(dataset.get("name"))):
        return "A result needs dataset with type and name, so that it is known what was measured."
    if not isinstance(found.get("metrics"), list) or not found["metrics"]:
        return "A result needs metrics, a list of type and value."
    return ""


def _metric_facts(rows: list[dict[str, Any]], places: list[str], source: Source) -> Iterator[Fact | Problem]:
    """One row per metric: a result on a test split before others, else the first; different values for one metric are said."""
    chosen: dict[str, int] = {}
    given: dict[str, set[str]] = {}
    for i, row in enumerate(rows):
        name = text(row.get("type")) or text(row.get("name"))
        given.setdefault(name, set()).add(repr(row.get("value")))
        if not name:
            yield source.problem(places[i], f"A metric has a type and a value; found {shown(row.get('type'))}.")
        elif name not in chosen or (_on_test(row) and not _on_test(rows[chosen[name]])):
            chosen[name] = i
    for name, i in chosen.items():
        if len(given[name]) > 1:
            detail = f"{name} is given with {len(given[name])} different values; this one is used (test split first)."
            yield source.advice(places[i], detail)
    values = {name: rows[i].get("value") for name, i in chosen.items()}
    by_place = {child("model-index", name): (places[i], rows[i]) for name, i in chosen.items()}
    for item in performance_facts(values or None, source, "model-index"):
        place, row = by_place.get(item.locator, (item.locator, {}))
        if isinstance(item, Problem):
            yield Problem(item.file, place, item.detail, item.severity)
            continue
        yield source.fact(item.name, item.value, place)
        if item.name == "performance.candidate":
            yield from _revision_facts(row, place, source)


def _revision_facts(row: dict[str, Any], place: str, source: Source) -> Iterator[Fact]:
    revision = mapping(mapping(row.get("of")).get("dataset")).get("revision")
    if isinstance(revision, str | int) and not isinstance(revision, bool) and str(revision).strip():
        yield source.fact(
            "evaluation.dataset_digest", str(revision).strip(), place.split(".metrics[", 1)[0] + ".dataset.revision"
        )
    task = text(mapping(mapping(row.get("of")).get("task")).get("type"))
    if task:
        yield source.fact("model.task", task, place.split(".metrics[", 1)[0] + ".task.type")


def _on_test(row: dict[str, Any]) -> bool:
    return text(mapping(mapping(row.get("of")).get("dataset")).get("split")) == "test"


def _section_facts(body: str, source: Source) -> Iterator[Fact]:
    """Intended use, limitations and assumptions from the card's text. A subsection of a section already taken is not taken
    twice."""
    intended: list[tuple[str, str]] = []
    limits: list[tuple[str, str]] = []
    assumed: list[tuple[str, str]] = []
    explained: list[tuple[str, str]] = []
    for section in sections(body):
        if not section.words:
            continue
        for titles, taken in (
            (_INTENDED | _BOTH, intended),
            (_LIMITS | _BOTH, limits),
            (_ASSUMED, assumed),
            (_EXPLAINED, explained),
        ):
            if section.title in titles and not any(section.words in words for _, words in taken):
                taken.append((section.heading, section.words))
    for name, taken in (
        ("model.intended_use", intended),
        ("model.limitations", limits),
        ("model.assumptions", assumed),
        ("explanation.method", explained),
    ):
        if taken:
            yield source.fact(
                name, "\n\n".join(words for _, words in taken), "; ".join(f"section {heading}" for heading, _ in taken)
            )
