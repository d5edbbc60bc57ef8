"""At, just below and just above every limit of every rule of every shipped pack: the edge is on the side the sign says."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.policy import Pack, load_pack
from governance.policy.bands import Band, Direction
from governance.policy.rules import Rule
from tests.governance.policy import cases

STEP = 0.0001
"""4.99, 5 and 5.01 percent; the same for every other limit."""


@cache
def shipped(name: str) -> Pack:
    folder = cases.PACKS
    form = (folder / "questionnaires" / f"{name}.yaml").read_text(encoding="utf-8")
    return load_pack((folder / f"{name}.yaml").read_text(encoding="utf-8"), form)


ROWS = [
    pytest.param(name, rule, colour, id=f"{name}-{rule.id}-{colour}")
    for name in ("ml_model", "application", "data_pipeline")
    for rule in shipped(name).rules
    if rule.bands is not None
    for colour in ("yellow", "red")
    if getattr(rule.bands, colour) is not None
]


def reached(rule: Rule, value: float) -> Track | None:
    """What the limits say in plain arithmetic, without the compiled rule."""
    assert rule.bands is not None
    size = abs(value) if rule.direction is Direction.BOTH else value
    for colour in ("red", "yellow"):
        band: Band | None = getattr(rule.bands, colour)
        if (
            band is not None
            and {
                ">=": size >= band.limit,
                ">": size > band.limit,
                "<=": size <= band.limit,
                "<": size < band.limit,
            }[band.sign]
        ):
            return Track(colour)
    return None


@pytest.mark.parametrize(("name", "rule", "colour"), ROWS)
def test_the_edge_of_every_limit(name: str, rule: Rule, colour: str) -> None:
    compiled = next(row for row in shipped(name).compiled if row.rule.id == rule.id)
    band: Band = getattr(rule.bands, colour)
    base: dict[str, Any] = next(
        example.facts for example in rule.examples if example.gives in ("yellow", "red") and rule.about in example.facts
    )
    signs = (1, -1) if rule.direction is Direction.BOTH else (1,)
    inside = STEP if band.upward else -STEP
    for sign in signs:
        for offset in (-inside, 0.0, inside):
            value = sign * round(band.limit + offset, 6)
            facts = [Fact(fact, given, Assurance.FILE, "x") for fact, given in base.items() if fact != rule.about]
            statements = FactSet.of([*facts, Fact(rule.about, value, Assurance.MEASURED, "x")]).by_name
            assert compiled.outcome_when_it_counts(statements, ())[1] is reached(rule, value), value
        beyond, short = sign * round(band.limit + inside, 6), sign * round(band.limit - inside, 6)
        assert reached(rule, beyond) is Track(colour)
        assert reached(rule, short) is not Track(colour) or band.limit == 0, "both sides of nought are as far from it"
