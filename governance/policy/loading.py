"""From text to a pack that can be trusted: read strictly, its schema checked, compiled, and every example tried."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from pydantic import ValidationError

from governance.domain import canonical
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance
from governance.policy.assessment import RuleStatus
from governance.policy.errors import PackError, from_validation, refuse_pack, yaml_path
from governance.policy.evaluating import CompiledRule, Pack, load_and_check
from governance.policy.pack import PackDocument
from governance.policy.questionnaire import Questionnaire
from governance.policy.rules import Example, Rule
from governance.policy.yaml_text import read_yaml


@lru_cache(maxsize=16)
def load_pack(text: str, questionnaire_text: str | None = None) -> Pack:
    """Return the pack a YAML text describes, with its questionnaire.

    The same text gives the same pack, which never changes. Raises `PackError`: each of its `errors` names the YAML path, what
    was expected and how to mend it.
    """
    raw = read_yaml(text, "The policy pack")
    if not isinstance(raw, dict):
        raise refuse_pack("", "The policy pack is not a mapping.", "Start with “pack: …”, “kind: …”, “version: …”.")
    try:
        document = PackDocument.model_validate(raw)
    except ValidationError as exc:
        raise from_validation("The policy pack", exc) from None
    questionnaire = load_questionnaire(questionnaire_text) if questionnaire_text is not None else None
    asked_raw = read_yaml(questionnaire_text, "The questionnaire") if questionnaire_text is not None else None
    pack = Pack(document, questionnaire, _digest({"pack": raw, "questionnaire": asked_raw}))
    load_and_check(pack)
    for position, compiled in enumerate(pack.compiled):
        _try_examples(compiled, position)
    return pack


def load_questionnaire(text: str) -> Questionnaire:
    """Return the questionnaire a YAML text describes. Raises `PackError`."""
    raw = read_yaml(text, "The questionnaire")
    if not isinstance(raw, dict):
        raise refuse_pack("", "The questionnaire is not a mapping.", "Start with “questionnaire: …”, “version: …”.")
    try:
        return Questionnaire.model_validate(raw)
    except ValidationError as exc:
        raise from_validation("The questionnaire", exc) from None


def _digest(whole: Any) -> str:
    try:
        return canonical.digest(whole)
    except ValueError as exc:
        raise refuse_pack(
            "", f"The pack holds a value that JSON cannot carry ({exc}).", "Write it as text or as a finite number."
        ) from None


def _try_examples(compiled: CompiledRule, position: int) -> None:
    """A rule whose examples do not come out as written, or that has none that fires and none that holds, is refused."""
    rule = compiled.rule
    given = {example.gives for example in rule.examples}
    if not given & {"red", "yellow"} or "held" not in given:
        raise _refuse_rule(
            rule, ("rules", position, "examples"), "at least one example that fires (red or yellow) and one that is held."
        )
    for number, example in enumerate(rule.examples):
        status, track = compiled.outcome(facts_of_example(example).by_name, frozenset(example.pending))
        wanted = example.gives
        came = track.value if track is not None and status is RuleStatus.FIRED else status.value
        fits = came == wanted or (status is RuleStatus.UNKNOWN and track is not None and track.value == wanted)
        if not fits:
            place = ("rules", position, "examples", number)
            raise _refuse_rule(rule, place, f"that the example “{example.name}” gives {wanted}, but it gives {came}.")


def _refuse_rule(rule: Rule, place: tuple[str | int, ...], expected: str) -> PackError:
    return refuse_pack(yaml_path(place), f"{rule.id}: expected {expected}", "Correct the example or the rule.")


def facts_of_example(example: Example) -> FactSet:
    """The facts of an example: a bare value counts as measured, so that the example speaks of the value alone."""
    rows = []
    for name, raw in example.facts.items():
        given = raw if isinstance(raw, dict) and "value" in raw else {"value": raw}
        # an explicit "unknown" in an example is what a person said; a measured one is written out
        usual = Assurance.MEASURED if given["value"] is not None else Assurance.DECLARED
        level = Assurance[given["assurance"].upper()] if "assurance" in given else usual
        rows.append(Fact(name, given["value"], level, "example", low=given.get("low"), high=given.get("high")))
    return FactSet.of(rows)
