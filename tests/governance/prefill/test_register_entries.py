"""What follows from the registers of architectures, vendors and regions, and from quality rule and class of a source."""

from __future__ import annotations

from typing import Any

import pytest

from governance.domain.facts import FactSet
from governance.domain.vocabulary import Assurance, Track
from governance.policy import evaluate
from governance.prefill.fact_types import check_value
from governance.prefill.from_entries import entry_facts
from governance.prefill.register_entries import RegisterEntries, SourceRow
from tests.governance.policy import cases
from tests.governance.prefill.test_derive import facts_of, said

ENTRIES = RegisterEntries(
    sources={
        "s3://lake/": SourceRow("daily counts", "eu-west", "internal"),
        "s3://lake/people/": SourceRow("", "us-east", "restricted", True),
        "s3://lake/odd": SourceRow("schema", "", "public"),
    },
    architectures={
        "XGBClassifier": {"approved": True},
        "sklearn.tree.DecisionTree": {"approved": True, "purposes": ["marketing"]},
        "TabNet": {"approved": False},
        "Old": {"approved": True, "valid_until": "2026-11-20"},
    },
    vendors={
        "Halden Scoring": {"outcome": "passed", "valid_until": "2026-11-21"},
        "Orel Data": {"outcome": "failed", "valid_until": "2027-01-01"},
        "Past": {"outcome": "passed", "valid_until": "2026-11-20"},
        "New": {"contract": "C-1"},
    },
    regions={"eu-west": {"approved": True}, "us-east": {"approved": True, "regimes": ["US-REG-B"]}, "moon": {"approved": False}},
    today="2026-11-21",
)
ABOVE = "s3://lake/people/b (restricted)"


def looked_up(facts: FactSet | dict[str, Any], entries: RegisterEntries = ENTRIES) -> FactSet:
    given = facts if isinstance(facts, FactSet) else facts_of(facts)
    found = entry_facts(given, entries)
    for fact in found:
        assert check_value(fact.name, fact.value) == (fact.value, ""), fact
        assert fact.origin == "register" and fact.locator
    return FactSet.of(found)


def test_the_entry_that_names_a_source_most_exactly_speaks() -> None:
    found = looked_up({"data.sources": ["s3://lake/a", "s3://lake/people/b", "s3://elsewhere"]})
    assert found.value("data.sources_without_quality_rule") == ["s3://lake/people/b"]
    assert found.value("data.sources_with_personal_data") == ["s3://lake/people/b"]
    assert found.value("data.highest_class") == "restricted"
    assert "data.sources_above_class" not in found, "restricted, and nobody said up to which class: unknown"
    assert list(looked_up({"data.sources": ["s3://elsewhere"]}, RegisterEntries(sources=ENTRIES.sources))) == []


@pytest.mark.parametrize(
    ("sources", "stated", "above"),
    [
        (["s3://lake/a"], [], []),
        (["s3://lake/people/b"], ["restricted"], []),
        (["s3://lake/people/b", "s3://lake/a"], ["confidential"], [ABOVE]),
        (
            ["s3://lake/people/b", "s3://lake/a"],
            ["restricted", "public"],
            [ABOVE, "s3://lake/a (internal)"],
        ),
    ],
)
def test_the_lowest_class_anybody_states_counts(sources: list[str], stated: list[str], above: list[str]) -> None:
    facts = facts_of({"data.sources": sources})
    for number, value in enumerate(stated):
        facts = facts.with_facts(facts_of({"data.access_class": value}, origin=f"file {number}"))
    assert looked_up(facts).value("data.sources_above_class") == above


@pytest.mark.parametrize(
    ("sources", "regimes", "outside"),
    [
        (["s3://lake/a"], None, []),
        (["s3://lake/people/b"], ["US-REG-B"], []),
        (["s3://lake/people/b"], ["US-REG-B", "EU-GDPR"], ["s3://lake/people/b (us-east)"]),
        (["s3://lake/people/b"], None, None),
        (["s3://lake/odd"], [], None),
        (["s3://elsewhere"], [], None),
        (["s3://lake/people/b", "s3://lake/odd"], ["EU-GDPR"], ["s3://lake/people/b (us-east)"]),
    ],
)
def test_a_region_is_allowed_for_every_regime_or_nothing_is_said(
    sources: list[str], regimes: list[str] | None, outside: list[str] | None
) -> None:
    given: dict[str, Any] = {"data.sources": sources, **({"regulation.regimes": regimes} if regimes is not None else {})}
    found = looked_up(given)
    assert found.value("data.regions_ruled") is True
    assert said(found, "data.sources_outside_regions") == ([outside] if outside is not None else [])
    assert "data.regions_ruled" not in looked_up(given, RegisterEntries(sources=ENTRIES.sources))


@pytest.mark.parametrize(
    ("names", "approval"),
    [
        (["xgboost.sklearn.XGBClassifier"], "approved"),
        (["xgbclassifier"], "approved"),
        (["sklearn.tree.DecisionTree"], "another_use"),
        (["Old"], "ended"),
        (["MyNet"], "not_registered"),
        (["TabNet"], "withdrawn"),
        (["XGBClassifier", "MyNet", "Old"], "not_registered"),
    ],
)
def test_the_worst_word_about_an_architecture_counts(names: list[str], approval: str) -> None:
    facts = facts_of({"decision.domain": "credit"})
    for name in names:
        facts = facts.with_facts(facts_of({"model.architecture": name}, origin=name))
    assert looked_up(facts).value("model.architecture_approval") == approval
    assert "model.architecture_approval" not in looked_up(facts, RegisterEntries())


@pytest.mark.parametrize(
    ("name", "assessment"),
    [
        ("halden scoring", "passed"),
        ("Orel Data", "failed"),
        ("Past", "ended"),
        ("New", "not_assessed"),
        ("Nobody", "not_assessed"),
    ],
)
def test_an_assessment_holds_until_its_last_day(name: str, assessment: str) -> None:
    found = looked_up({"vendor.third_party": True, "vendor.name": name})
    assert found.value("vendor.assessment") == assessment
    assert "vendor.assessment" not in looked_up({"vendor.third_party": False, "vendor.name": name})


def test_what_is_looked_up_by_a_typed_name_is_worth_what_is_typed() -> None:
    typed = facts_of({"vendor.third_party": True}).with_facts(facts_of({"vendor.name": "Past"}, Assurance.DECLARED, "dana"))
    fact = looked_up(typed).best("vendor.assessment")
    assert fact is not None and (fact.origin, fact.assurance) == ("register", Assurance.DECLARED)
    assert fact.locator.startswith("register of vendors: Past: ended")


SOURCES = RegisterEntries(sources=ENTRIES.sources)
FAR = RegisterEntries({"s3://far": SourceRow("daily", "moon")}, regions=ENTRIES.regions)
PEOPLE = {"data.sources": ["s3://lake/people/b"]}


@pytest.mark.parametrize(
    ("given", "entries", "track", "rule"),
    [
        ({"data.sources": ["s3://lake/odd"]}, SOURCES, Track.GREEN, ""),
        (
            {"data.sources": ["s3://lake/people/b"], "data.access_class": "restricted"},
            RegisterEntries(sources=ENTRIES.sources),
            Track.YELLOW,
            "TR-052",
        ),
        (PEOPLE, SOURCES, Track.YELLOW, "TR-089"),
        (PEOPLE, SOURCES, Track.YELLOW, "TR-087"),
        ({"data.sources": ["s3://lake/odd"]}, ENTRIES, Track.YELLOW, "TR-088"),
        ({"data.sources": ["s3://far"]}, FAR, Track.RED, "TR-088"),
        ({"model.architecture": "MyNet"}, ENTRIES, Track.YELLOW, "TR-086"),
        ({"model.architecture": "MyNet"}, RegisterEntries(), Track.GREEN, ""),
        ({"model.architecture": "XGBClassifier"}, ENTRIES, Track.GREEN, ""),
        ({"vendor.third_party": True, "vendor.name": "Orel Data"}, ENTRIES, Track.RED, "TR-103"),
        ({"vendor.third_party": True, "vendor.name": "Past"}, ENTRIES, Track.YELLOW, "TR-102"),
        ({"vendor.third_party": True}, ENTRIES, Track.YELLOW, "TR-102"),
    ],
)
def test_the_rules_read_the_registers(given: dict[str, Any], entries: RegisterEntries, track: Track, rule: str) -> None:
    stated = cases.facts(given)
    assessment = evaluate(cases.pack(), stated.with_facts(looked_up(stated, entries)))
    assert assessment.track is track
    assert not rule or rule in {row.rule.id for row in assessment.hits}
