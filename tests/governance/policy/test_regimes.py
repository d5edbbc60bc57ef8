"""Mappings of regimes: they name what exists, their dates have sources, and what is not covered says so."""

from __future__ import annotations

from datetime import date

import pytest

from gates import registry
from governance.policy import load_pack
from governance.policy.errors import PackError
from governance.policy.regimes import load_regime, regimes, regimes_named
from governance.services.packs import PACKS

KNOWN = """
regime: r
version: 2026.1.1
owner: policy_author
title: R
about: a
source: s
url: https://example.org/
as_of: 2026-11-21
dates: []
controls:
"""


def shipped() -> tuple[set[str], set[str]]:
    """Ids of rules and questions of the packs that are shipped."""
    rules: set[str] = set()
    questions: set[str] = set()
    for path in sorted(PACKS.glob("*.yaml")):
        asked = path.parent / "questionnaires" / path.name
        pack = load_pack(path.read_text(encoding="utf-8"), asked.read_text(encoding="utf-8") if asked.exists() else None)
        rules |= {rule.id for rule in pack.rules}
        questions |= set(pack.form.by_id)
    return rules, questions


def test_every_name_in_a_mapping_exists() -> None:
    rules, questions = shipped()
    gates = set(registry.gates())
    for regime in regimes():
        for control in regime.controls:
            assert set(control.rules) <= rules, (regime.regime, control.id)
            assert set(control.gates) <= gates, (regime.regime, control.id)
            assert set(control.questions) <= questions, (regime.regime, control.id)


def test_what_the_criteria_ask_for_is_there() -> None:
    assert {"iso_42001", "nist_ai_rmf", "eu_ai_act", "gdpr", "ccpa"} <= {regime.regime for regime in regimes()}
    assert any(control.gap for regime in regimes() for control in regime.controls), "nobody covers everything"


def test_the_dates_of_the_ai_act_are_those_after_the_omnibus() -> None:
    (act,) = regimes_named(["EU-AI-ACT", "NOBODY-KNOWS"])
    moved = {day.day: day.moved_from for day in act.dates if day.moved_from is not None}
    assert moved == {date(2027, 12, 2): date(2026, 8, 2), date(2028, 8, 2): date(2027, 8, 2)}
    assert all("2026/1744" in day.source for day in act.dates if day.moved_from is not None)
    assert act.as_of >= date(2026, 7, 27), "checked after the Omnibus came into force"


@pytest.mark.parametrize(
    ("controls", "says"),
    [
        ("  - {id: a, title: t, asks: x}", "nothing that shows it"),
        ("  - {id: a, title: t, asks: x, records: [prayers]}", "controls[0].records"),
        ("  - {id: a, title: t, asks: x, gap: g}\n  - {id: a, title: t, asks: x, gap: g}", "stands here twice"),
        ("  []", "empty"),
        ("  - {id: a, title: t, asks: x, gap: g, text: copied}", "not a word of the pack"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_with_the_place(controls: str, says: str) -> None:
    with pytest.raises(PackError, match=".*" + says.replace("[", r"\[").replace("]", r"\]")):
        load_regime(KNOWN + controls)


def test_a_control_with_a_gap_alone_is_a_mapping() -> None:
    regime = load_regime(KNOWN + "  - {id: a, title: t, asks: x, gap: not covered}")
    assert regime.controls[0].shown_by == ()
    assert regimes_named("EU-AI-ACT") == (), "a word is no list of codes"
