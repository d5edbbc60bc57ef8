"""What MLflow's documents have in common: tags, parameters and rows of key and value, times in milliseconds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from governance.domain.facts import Fact
from governance.prefill.convention import stated_in_tags
from governance.prefill.estimators import class_name
from governance.prefill.source import Problem, Source, child, mapping, sequence, shown, text

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
_SHORT_COMMIT = re.compile(r"[0-9a-f]{7,64}")
_DRIVE = re.compile(r"^(?:file:)?/{0,3}[A-Za-z]:[\\/]|^\\\\")
_PLACEHOLDERS = frozenset({"deadbeef", "cafebabe", "badc0ffe", "0123456", "1234567", "abcdef0", "abcdef1"})

FILLS = (
    "training.contributors",
    "training.code_commit",
    "system.owner",
    "model.architecture",
    "model.intended_use",
    "model.limitations",
    "model.task",
    "model.license",
)
_PLAIN_TAGS = {
    "team": "system.owner",
    "owner": "system.owner",
    "model_owner": "system.owner",
    "intended_use": "model.intended_use",
    "limitations": "model.limitations",
    "license": "model.license",
    "task": "model.task",
}


def key_values(block: Any, source: Source, path: str) -> tuple[dict[str, Any], list[Problem]]:
    """A mapping, also when the REST API wrote it as a list of `{key, value}`."""
    if isinstance(block, dict):
        return block, []
    found: dict[str, Any] = {}
    problems: list[Problem] = []
    if block is not None and not isinstance(block, list):
        problems.append(source.problem(path, f"Names with values were expected here; found {shown(block)}."))
    for i, row in enumerate(sequence(block)):
        key = text(mapping(row).get("key"))
        if not key:
            problems.append(source.problem(child(path, i), f"This entry has no key; found {shown(row)}."))
        elif key in found and found[key] != row.get("value"):
            problems.append(source.problem(child(path, i), f'"{key}" is given twice with different values; the first is used.'))
        else:
            found.setdefault(key, row.get("value"))
    return found, problems


def tag_facts(tags: dict[str, Any], source: Source, path: str) -> Iterator[Fact | Problem]:
    """Facts of MLflow's own tags, of a few plain ones (team, owner, intended_use …) and of the `guiderail.` ones."""
    user = text(tags.get("mlflow.user"))
    if user:
        yield source.fact("training.contributors", [user], child(path, "mlflow.user"))
    yield from commit_facts(tags.get("mlflow.source.git.commit"), source, child(path, "mlflow.source.git.commit"))
    estimator = text(tags.get("estimator_class")) or text(tags.get("estimator_name"))
    if estimator:
        key = "estimator_class" if text(tags.get("estimator_class")) else "estimator_name"
        yield source.fact("model.architecture", class_name(estimator), child(path, key))
    yield from plain_facts(tags, source, path)
    yield from stated_in_tags(tags, source, path)


def plain_facts(entries: dict[str, Any], source: Source, path: str) -> Iterator[Fact]:
    """Facts of entries people write under their plain names: owner or team, intended_use, limitations, license, task."""
    seen: set[str] = set()
    for key, name in _PLAIN_TAGS.items():
        value = text(entries.get(key))
        if value and name not in seen:
            seen.add(name)
            yield source.fact(name, value, child(path, key))


def commit_facts(value: Any, source: Source, place: str) -> Iterator[Fact | Problem]:
    """The commit the model was trained from, with advice where it cannot be a full commit id."""
    commit = text(value)
    if not commit:
        return
    yield source.fact("training.code_commit", commit, place)
    lowered = commit.lower()
    if lowered in _PLACEHOLDERS or len(set(lowered)) == 1:
        yield source.advice(
            place, f"{shown(commit)} looks like a placeholder, not a commit. Train from a clean checkout so that MLflow logs it."
        )
    elif _COMMIT.fullmatch(lowered):
        return
    elif _SHORT_COMMIT.fullmatch(lowered):
        yield source.advice(
            place, f"{shown(commit)} is a short commit id; a full one has 40 hexadecimal digits and stays unique."
        )
    else:
        yield source.advice(place, f"A commit id has 40 hexadecimal digits; found {shown(commit)}.")


def path_advice(value: Any, source: Source, place: str) -> Iterator[Problem]:
    """Advice where an artifact lies on one person's machine. The path is not repeated: it often holds a name."""
    path = text(value)
    if _DRIVE.match(path):
        yield source.advice(
            place,
            "The artifacts lie on a Windows drive of one machine. Log the model to a shared tracking server for others to find.",
        )
    elif path.startswith(("file:///home/", "file:///Users/", "/home/", "/Users/")):
        yield source.advice(
            place,
            "The artifacts lie in one person's home folder. Log the model to a shared tracking server, so that others find it.",
        )
