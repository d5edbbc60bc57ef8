"""Which framework an environment's packages say a model was made with.

Only where exactly one library that makes models is there: with two, the environment does not say which one made this model.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from governance.domain.facts import Fact
from governance.prefill.source import Problem, Source

FILLS = ("model.framework", "model.framework_version")
_MAKES_MODELS: Mapping[str, str] = {
    "scikit-learn": "scikit-learn",
    "xgboost": "xgboost",
    "xgboost-cpu": "xgboost",
    "lightgbm": "lightgbm",
    "catboost": "catboost",
    "torch": "pytorch",
    "tensorflow": "tensorflow",
    "tensorflow-cpu": "tensorflow",
    "tensorflow-intel": "tensorflow",
    "keras": "keras",
    "transformers": "transformers",
    "sentence-transformers": "sentence-transformers",
    "statsmodels": "statsmodels",
    "prophet": "prophet",
    "pmdarima": "pmdarima",
    "pyspark": "spark",
    "h2o": "h2o",
    "spacy": "spacy",
    "fastai": "fastai",
    "paddlepaddle": "paddle",
}


@dataclass(frozen=True, slots=True)
class Pinned:
    """One package of an environment. `version` "" where it is not fixed; `place` where the file says so."""

    name: str
    version: str
    place: str


def framework_facts(packages: Sequence[Pinned], source: Source, *, pin: str) -> Iterator[Fact | Problem]:
    """Framework and version where the packages leave no doubt, else advice. `pin`: how a version is fixed in such a file."""
    found: dict[str, list[Pinned]] = {}
    for each in packages:
        if each.name in _MAKES_MODELS:
            found.setdefault(_MAKES_MODELS[each.name], []).append(each)
    if not found:
        detail = "None of these packages is a library that makes models, so no framework is read."
        yield source.advice("", f"{detail} Bring the MLmodel or the card.")
    if len(found) > 1:
        names = ", ".join(f"{each.name} {each.version}".strip() for rows in found.values() for each in rows[:1])
        yield source.advice(
            next(iter(found.values()))[0].place,
            f"Several libraries here make models ({names}), so which one made this model is not said. Bring its MLmodel or card.",
        )
        return
    for framework, rows in found.items():
        yield source.fact("model.framework", framework, rows[0].place)
        versions = {row.version for row in rows}
        if versions == {""}:
            yield source.advice(
                rows[0].place, f"{rows[0].name} is not fixed to one version, so the model cannot be made again. {pin}"
            )
        elif len(versions) > 1:
            words = ", ".join(sorted(version or "any" for version in versions))
            yield source.advice(
                rows[0].place, f"{rows[0].name} is there in several versions ({words}). Say in the form which one made it."
            )
        else:
            yield source.fact("model.framework_version", rows[0].version, rows[0].place)
