"""`dvc.yaml`: what a pipeline reads and writes, the model it makes, and where its metrics and parameters lie.

The values are in other files: the metrics in those it names, the digests and the resolved paths in `dvc.lock`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.source import Document, Form, Problem, Source, child, mapping, text

NAME = "dvc_pipeline"
TITLE = "DVC pipeline (dvc.yaml)"
FILLS = ("data.sources", "data.outputs", "model.name")
ORDER = 41

_PARTS = frozenset({"stages", "metrics", "params", "plots", "artifacts", "vars", "datasets"})
_RUN = frozenset({"cmd", "do", "foreach", "matrix"})
_CODE = (".py", ".sh", ".ipynb", ".r", ".sql", ".yaml", ".yml", ".toml")


def recognises(name: str, document: Document) -> bool:
    data = mapping(document.data)
    stages = data.get("stages")
    if document.form is not Form.YAML:
        return False
    if isinstance(stages, dict) and stages:
        return all(_RUN & set(mapping(stage)) for stage in stages.values())
    return name.rsplit("/", 1)[-1].lower() == "dvc.yaml" and bool(data) and set(data) <= _PARTS


def read(document: Document, source: Source) -> Iterator[Fact | Problem]:
    data = mapping(document.data)
    stages = {name: mapping(mapping(stage).get("do")) or mapping(stage) for name, stage in mapping(data.get("stages")).items()}
    written = [path for stage in stages.values() for key in ("outs", "metrics", "plots") for path in _paths(stage.get(key))]
    made = [path for stage in stages.values() for path in _paths(stage.get("outs"))]
    needed = [path for stage in stages.values() for path in _paths(stage.get("deps"))]
    inputs = [path for path in needed if path not in written and not path.lower().endswith(_CODE)]
    for name, paths, place in (("data.sources", inputs, "stages[].deps"), ("data.outputs", made, "stages[].outs")):
        plain = list(dict.fromkeys(path for path in paths if "${" not in path))
        if plain:
            yield source.fact(name, plain, place)
    if any("${" in path for path in (*inputs, *made)):
        yield source.advice("stages", "Some paths are filled in by DVC (${…}) and are not known here. Bring dvc.lock as well.")
    yield from _model(data, source)
    metrics = [*_paths(data.get("metrics")), *(path for stage in stages.values() for path in _paths(stage.get("metrics")))]
    if metrics:
        names = ", ".join(dict.fromkeys(metrics[:5]))
        yield source.advice("metrics", f"The figures are in {names}. Bring what `dvc metrics show --json` prints, or that file.")


def _paths(block: Any) -> list[str]:
    """Paths of a list whose entries are a path or a mapping of one path to its settings."""
    found = [text(row) or next(iter(mapping(row)), "") for row in (block if isinstance(block, list) else [block])]
    return [path for path in found if path]


def _model(data: dict[str, Any], source: Source) -> Iterator[Fact | Problem]:
    """The name of the one artefact of type model."""
    artifacts = mapping(data.get("artifacts"))
    models = [name for name, row in artifacts.items() if text(mapping(row).get("type")) == "model"]
    if len(models) == 1:
        yield source.fact("model.name", models[0], child("artifacts", models[0]))
    elif models:
        names = ", ".join(models[:5])
        yield source.advice(
            "artifacts", f"This pipeline makes {len(models)} models ({names}). Answer in the form which one is submitted."
        )
