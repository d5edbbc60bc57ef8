"""A change envelope: inside it the covered rules ask for less, and it says so; outside it names the bound that broke."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance, Track, strictest
from governance.policy import evaluate, load_pack, replay, same_decision, what_would_change
from governance.policy.backtesting import Backtester, Past
from governance.policy.envelopes import Bound, Envelope
from tests.governance.policy import cases

TERMS = Envelope(
    id=3,
    title="daily retrains",
    track=Track.GREEN,
    rules=("TR-020",),
    bounds=(Bound("performance.relative_change", -0.01, 0.02, 0.05), Bound("rollout.flip_rate", 0.0, 0.03)),
    until="2026-12-31",
    day="2026-11-21",
    most_uses=30,
    uses=4,
    most_looks=40,
    looks=10,
    spent={"performance.relative_change": 0.03},
)
CREDIT = {"decision.domain": "credit"}


def judged(terms: Envelope = TERMS, changes: dict[str, object] | None = None, *more: Fact, pending: frozenset[str] = frozenset()):  # type: ignore[no-untyped-def]
    return evaluate(cases.pack(), cases.facts({**CREDIT, **(changes or {})}, *more), pending=pending, envelope=terms)


def test_inside_a_high_risk_version_is_green_and_the_reason_names_the_envelope_and_each_bound() -> None:
    assert evaluate(cases.pack(), cases.facts(CREDIT)).track is Track.RED
    found = judged()
    assert found.track is Track.GREEN and found.steps == ()
    assert "Inside the change envelope E-3 “daily retrains”" in found.sentence
    assert "performance.relative_change is +1.25%, allowed -1% to +2%; 4.25% since people last reviewed" in found.sentence
    assert "rollout.flip_rate is +2%, allowed +0% to +3%" in found.sentence
    row = next(row for row in found.to_json()["checked"] if row["rule"] == "TR-020")
    assert (row["track"], row["would"], row["envelope"]) == (None, "red", "E-3")


def test_a_yellow_envelope_asks_for_an_engineer() -> None:
    found = judged(replace(TERMS, track=Track.YELLOW))
    assert found.track is Track.YELLOW and [step.role.value for step in found.steps] == ["platform_engineer"]


@pytest.mark.parametrize(
    ("terms", "changes", "says"),
    [
        ({}, {"performance.relative_change": 0.0201}, "performance.relative_change is +2.01%, allowed -1% to +2%"),
        ({}, {"performance.relative_change": -0.0101}, "is -1.01%"),
        ({}, {"rollout.flip_rate": 0.031}, "rollout.flip_rate is +3.1%"),
        ({}, {"rollout.flip_rate": cases.DROP}, "rollout.flip_rate is not known"),
        ({}, {"rollout.flip_rate": None}, "rollout.flip_rate is not known"),
        ({}, {"rollout.flip_rate": "little"}, "rollout.flip_rate is not known"),
        (
            {"spent": {"performance.relative_change": 0.04}},
            {},
            "adds up to 5.25% since people last reviewed a version, at most 5%",
        ),
        ({"day": "2027-01-01"}, {}, "it ended on 2026-12-31"),
        ({"uses": 30}, {}, "its 30 uses are used up"),
        ({"looks": 40}, {}, "the test set was looked at 40 times"),
        ({"barred": "somebody who set its terms worked on this version"}, {}, "somebody who set its terms"),
    ],
)
def test_outside_it_is_red_and_says_which_bound_broke(terms: dict[str, object], changes: dict[str, object], says: str) -> None:
    found = judged(replace(TERMS, **terms), changes)  # type: ignore[arg-type]
    assert found.track is Track.RED
    assert "Outside the change envelope E-3" in found.sentence and says in found.sentence, found.sentence


def test_the_edges_are_inside_and_the_last_use_counts() -> None:
    for changes in ({"performance.relative_change": 0.02}, {"performance.relative_change": -0.01}, {"rollout.flip_rate": 0.03}):
        assert judged(replace(TERMS, uses=29, looks=39, spent={}), changes).track is Track.GREEN, changes
    assert judged(replace(TERMS, day="2026-12-31")).track is Track.GREEN


def test_an_interval_a_second_source_and_a_typed_number_count_on_the_stricter_side() -> None:
    wide = cases.statement("performance.relative_change", 0.01, Assurance.MEASURED, low=-0.002, high=0.022)
    assert judged(TERMS, {}, wide).track is Track.RED
    other = cases.statement("rollout.flip_rate", 0.2, Assurance.DECLARED)
    assert judged(TERMS, {}, other).track is Track.RED
    typed = cases.statement("rollout.flip_rate", 0.01, Assurance.DECLARED)
    found = judged(TERMS, {"rollout.flip_rate": cases.DROP}, typed)
    assert found.track is Track.RED and "only typed by a person" in found.sentence


def test_what_is_to_be_measured_does_not_break_it_yet_and_unknown_at_the_end_does() -> None:
    changes = {"rollout.flip_rate": cases.DROP, "performance.relative_change": cases.DROP}
    waiting = judged(TERMS, changes, pending=frozenset({"rollback", "performance"}))
    assert waiting.track is Track.GREEN and "still to be measured" in waiting.sentence
    assert judged(TERMS, changes).track is Track.RED


@pytest.mark.parametrize(
    "changes", [{"model.new_features": ["age"]}, {"data.new_sources": ["s3://x"]}, {"model.architecture_changed": True}]
)
def test_it_covers_only_the_rules_it_names(changes: dict[str, object]) -> None:
    found = judged(TERMS, {**changes, "model.unapproved_features": ["age"]})
    assert found.track is Track.RED and "TR-020" not in {hit.rule.id for hit in found.hits}


def test_stored_terms_evaluate_to_the_same_bytes() -> None:
    facts = cases.facts(CREDIT)
    stored = evaluate(cases.pack(), facts, envelope=TERMS).to_json()
    assert same_decision(stored, replay(cases.pack(), facts.to_json(), (), TERMS.to_json()))
    assert not same_decision(stored, replay(cases.pack(), facts.to_json()))


def test_the_way_back_inside_is_named_and_really_leads_there() -> None:
    found = judged(TERMS, {"performance.relative_change": 0.04, "rollout.flip_rate": 0.04})
    ways = what_would_change(cases.pack(), cases.facts({**CREDIT, "performance.relative_change": 0.04}), found)
    assert [(way.to, way.possible) for way in ways] == [(Track.YELLOW, True), (Track.GREEN, True)]
    (changes,) = ways[1].sets
    assert {change.rule for change in changes} == {"E-3"} and len(changes) == 2
    values = {name: value for change in changes for name, value in change.values}
    assert judged(TERMS, values).track is Track.GREEN
    for name in values:
        rest = {other: value for other, value in values.items() if other != name}
        before = {"performance.relative_change": 0.04, "rollout.flip_rate": 0.04}
        assert judged(TERMS, {**before, **rest}).track is Track.RED, "no smaller set does"


def _past(number: int, terms: Envelope, hits: dict[str, str], changes: dict[str, object] | None = None) -> Past:
    rows = cases.facts({**CREDIT, **(changes or {})}).by_name
    columns = {name: json.dumps([[f.value, int(f.assurance), f.low, f.high] for f in facts]) for name, facts in rows.items()}
    tracks = {rule: Track(track) for rule, track in hits.items()}
    track = strictest(*tracks.values())
    return Past(number, number, 1, track, tracks, frozenset(), columns, "2026-W47", envelope=terms)


def test_a_back_test_judges_under_the_envelope_of_each_decision() -> None:
    stricter = cases.PACK_TEXT.replace(
        "in: [credit, fraud, hiring, insurance, health]}", "in: [credit, fraud, hiring, health, insurance, pricing]}"
    )
    after = load_pack(stricter, cases.QUESTIONNAIRE_TEXT)
    yellow = replace(TERMS, id=4, track=Track.YELLOW)
    rows = [
        _past(1, TERMS, {}),
        _past(2, yellow, {"TR-020": "yellow"}),
        _past(3, TERMS, {"TR-020": "red"}, {"rollout.flip_rate": 0.031}),
    ]
    changed = Backtester({1: cases.pack()}, after)
    changed.judge(rows)
    assert changed.tally.judged == 3 and changed.tally.listed == [], "a covered rule that reads otherwise changes nobody's track"
    moved = Backtester({1: cases.pack()}, cases.pack(), {"rollout.flip_rate": 0.005})
    moved.judge(rows)
    assert moved.tally.listed == []
    broken = Backtester({1: cases.pack()}, cases.pack(), {"rollout.flip_rate": 0.011})
    broken.judge(rows)
    assert [(row.submission, row.before, row.after, row.rules) for row in broken.tally.listed] == [
        (1, Track.GREEN, Track.RED, ("TR-020",)),
        (2, Track.YELLOW, Track.RED, ("TR-020",)),
    ], "the bound breaks, so the use counts again"
    inside = Backtester({1: cases.pack()}, cases.pack(), {"rollout.flip_rate": -0.01})
    inside.judge(rows)
    assert [(row.submission, row.after) for row in inside.tally.listed] == [(3, Track.GREEN)]
