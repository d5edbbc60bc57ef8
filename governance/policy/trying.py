"""Every example of every rule tried, the failing ones included: what the tests panel of a draft shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from governance.policy.assessment import RuleStatus
from governance.policy.errors import PackError, from_validation, refuse_pack
from governance.policy.evaluating import CompiledRule, compile_rule
from governance.policy.loading import facts_of_example
from governance.policy.pack import PackDocument
from governance.policy.yaml_text import read_yaml


@dataclass(frozen=True)
class Tried:
    """One example: what it should give and what it gives. `number`: its place among the rule's examples, from 0."""

    rule: str
    title: str
    number: int
    name: str
    facts: dict[str, Any]
    wanted: str
    came: str

    @property
    def passes(self) -> bool:
        return self.wanted == self.came


def read_document(text: str) -> PackDocument:
    """The pack as written, its examples not tried. Raises `PackError`."""
    raw = read_yaml(text, "The policy pack")
    if not isinstance(raw, dict):
        raise refuse_pack("", "The policy pack is not a mapping.", "Start with “pack: …”, “kind: …”, “version: …”.")
    try:
        return PackDocument.model_validate(raw)
    except ValidationError as exc:
        raise from_validation("The policy pack", exc) from None


def try_all(document: PackDocument) -> tuple[Tried, ...]:
    """Every example, in the order of the pack."""
    return tuple(
        Tried(rule.id, rule.title, number, example.name, dict(example.facts), example.gives, gives(compiled, number))
        for rule in document.rules
        for compiled in (compile_rule(rule),)
        for number, example in enumerate(rule.examples)
    )


def gives(compiled: CompiledRule, number: int) -> str:
    """What an example gives, in the words of `gives`. What is unknown and counts as a track may be written either way."""
    example = compiled.rule.examples[number]
    statements = facts_of_example(example).by_name
    status, track = compiled.outcome_when_it_counts(statements, frozenset(example.pending))
    if status is RuleStatus.UNKNOWN and track is not None and track.value == example.gives:
        return example.gives
    return track.value if track is not None and status is RuleStatus.FIRED else status.value


def untried(document: PackDocument) -> tuple[str, ...]:
    """Rules without an example that fires, or without one that is held, each with what is missing."""
    found = []
    for rule in document.rules:
        given = {example.gives for example in rule.examples}
        missing = [
            *(["one that fires"] if not given & {"red", "yellow"} else []),
            *(["one that is held"] if "held" not in given else []),
        ]
        if missing:
            found.append(f"{rule.id} needs {' and '.join(missing)}")
    return tuple(found)


__all__ = ["PackError", "Tried", "gives", "read_document", "try_all", "untried"]
