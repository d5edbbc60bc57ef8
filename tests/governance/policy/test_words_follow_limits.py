"""Whatever a rule says about its limit is made from the limit: change one, and every sentence follows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.policy.assessment import Checked, RuleStatus
from governance.policy.bands import in_unit, parse_band
from governance.policy.rules import Rule
from tests.governance.policy import cases

WORDS = ("title", "why", "says", "says_when_positive", "unknown_says", "held", "change", "not_applicable_says")
PACKS = ("ml_model", "application", "data_pipeline")
RAW = {name: yaml.safe_load((cases.PACKS / f"{name}.yaml").read_text(encoding="utf-8"))["rules"] for name in PACKS}
RULES = [(f"{name}-{raw['id']}", raw) for name, rules in RAW.items() for raw in rules]
EVERY = [pytest.param(raw, id=name) for name, raw in RULES]
BANDED = [pytest.param(raw, colour, id=f"{name}-{colour}") for name, raw in RULES for colour in raw.get("bands", {})]


def words_of(rule: Rule) -> str:
    texts = [str(getattr(value, "text", value)) for name in WORDS if (value := getattr(rule, name))]
    return " \n ".join(texts)


def numbers_in(text: str) -> set[float]:
    """Numbers people would read; not those in fact names and formats."""
    bare = re.sub(r"\{[^}]*\}", "", text)
    return {float(found.replace(" ", "")) for found in re.findall(r"(?<![\w.])\d+(?:\.\d+)?", bare)}


def limits_in(raw: Any) -> Iterator[float]:
    if isinstance(raw, dict):
        for key, value in raw.items():
            if key in ("lt", "le", "gt", "ge"):
                yield float(value)
            else:
                yield from limits_in(value)
    elif isinstance(raw, list):
        for item in raw:
            yield from limits_in(item)


@pytest.mark.parametrize("raw", EVERY)
def test_no_sentence_holds_a_limit_as_plain_text(raw: dict[str, Any]) -> None:
    """Templates as written: a number that is a limit of this rule would stay when the limit changes."""
    written = " \n ".join(str(raw[name]) for name in WORDS if raw.get(name))
    limits = [parse_band(text).limit for text in raw.get("bands", {}).values()]
    shown = {value for limit in (*limits, *limits_in(raw.get("when"))) for value in (limit, round(limit * 100, 6))} - {0.0}
    assert not numbers_in(written) & shown


@pytest.mark.parametrize(("raw", "colour"), BANDED)
def test_each_limit_changed_is_the_limit_said(raw: dict[str, Any], colour: str) -> None:
    band = parse_band(raw["bands"][colour])
    moved = band.limit * (1.07 if band.upward is (colour == "red") else 0.93) or 0.013
    rule = Rule.model_validate({**raw, "bands": {**raw["bands"], colour: f"{band.sign} {moved:.6f}"}})
    now = in_unit(float(f"{moved:.6f}"), rule.unit)
    value = moved * (1.001 if band.upward else 0.999)
    fact = Fact(rule.about, value, Assurance.MEASURED, "measured:here")
    row = Checked(rule, RuleStatus.FIRED, Track(colour), fact, FactSet.of([fact]))
    assert now in row.limit and row.limit in row.says
    before = Rule.model_validate(raw)
    if f"{{{colour}}}" in raw["why"]:
        assert now in rule.why and rule.why != before.why


def test_a_why_shows_nothing_but_the_limits_the_rule_has() -> None:
    raw = next(raw for raw in RAW["ml_model"] if raw["id"] == "TR-100")
    assert "Above 5 % (convention)" in Rule.model_validate(raw).why
    for why in ("Above {red} it is a release.", "Above {limit} it is.", "Above {rollout.strategy} it is."):
        with pytest.raises(ValidationError, match="where the rule has such a limit"):
            Rule.model_validate({**raw, "why": why})


def test_five_to_four_percent_reads_four_percent_everywhere() -> None:
    raw = next(raw for raw in RAW["ml_model"] if raw["id"] == "TR-071")
    rule = Rule.model_validate({**raw, "bands": {"yellow": ">= 0.04", "red": ">= 0.12"}})
    assert rule.why.startswith("Under 4% is everyday work, from there to 12% deserves") and not {5.0, 15.0} & numbers_in(
        words_of(rule)
    )
