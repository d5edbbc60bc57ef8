"""Rules in stages, limits changed by a form, versions compared in words, past decisions judged again: all pure."""

from __future__ import annotations

import json
from typing import Any

import pytest

from governance.domain.facts import Fact
from governance.domain.vocabulary import Assurance, Track
from governance.policy import PackError, advice, evaluate, load_pack
from governance.policy.backtesting import Backtester, Past, plan_for
from governance.policy.differing import differences
from governance.policy.editing import line_of, with_bands, with_example, with_outcome, with_version
from governance.policy.evaluating import Pack
from governance.policy.trying import read_document, try_all, untried
from tests.governance.policy import cases

STAGES = '    stages: {begins: shadow, warn_from: "2026-12-01", block_from: "2027-01-01"}\n'


def changed(old: str, new: str) -> Pack:
    assert old in cases.PACK_TEXT
    return load_pack(cases.PACK_TEXT.replace(old, new, 1), cases.QUESTIONNAIRE_TEXT)


def staged() -> Pack:
    return changed("    title: high-risk decisions\n", "    title: high-risk decisions\n" + STAGES)


def on(day: str | None, pack: Pack) -> Any:
    facts = cases.facts({"decision.domain": "credit"})
    if day:
        facts = facts.with_facts([Fact("policy.day", day, Assurance.REGISTRY, "clock")])
    return evaluate(pack, facts), facts


@pytest.mark.parametrize(
    ("day", "track", "stage", "warned"),
    [
        ("2026-11-30", Track.GREEN, "shadow", False),
        ("2026-12-01", Track.GREEN, "warn", True),
        ("2026-12-31", Track.GREEN, "warn", True),
        ("2027-01-01", Track.RED, "", False),
        (None, Track.RED, "", False),
    ],
)
def test_a_new_rule_is_watched_then_warns_then_counts_and_counts_where_the_day_is_unknown(
    day: str | None, track: Track, stage: str, warned: bool
) -> None:
    pack = staged()
    found, facts = on(day, pack)
    row = next(row for row in found.to_json()["checked"] if row["rule"] == "TR-020")
    assert (found.track, row.get("stage", "")) == (track, stage)
    if stage:
        assert row["would"] == "red" and row["track"] is None and row["says"] == "makes credit decisions"
    said = [item for item in advice(pack, facts, found) if item.code == "TR-020"]
    assert [item.says for item in said] == (["From 2027-01-01 this makes it red track: makes credit decisions"] if warned else [])


def test_days_that_disagree_or_do_not_exist_never_soften_a_rule() -> None:
    facts = on("2026-11-30", staged())[1].with_facts([Fact("policy.day", "2027-05-05", Assurance.FILE, "mine")])
    assert evaluate(staged(), facts).track is Track.RED
    for wrong in ('warn_from: "2026-02-30"', "warn_from: 2026-12-01", 'warn_from: "2027-02-01"'):
        with pytest.raises(PackError):
            changed(
                "    title: high-risk decisions\n",
                "    title: high-risk decisions\n" + STAGES.replace('warn_from: "2026-12-01"', wrong),
            )


def test_a_limit_is_changed_in_its_place_and_everything_else_stays() -> None:
    text = with_bands(cases.PACK_TEXT, "TR-071", ">= 0.04", None)
    before, after = cases.PACK_TEXT.splitlines(), text.splitlines()
    assert [(a, b) for a, b in zip(before, after, strict=True) if a != b] == [
        ('    bands: {yellow: ">= 0.05", red: ">= 0.15"}', '    bands: {yellow: ">= 0.04", red: ">= 0.15"}')
    ]
    failing = [row for row in try_all(read_document(text)) if not row.passes]
    assert [(row.rule, row.name, row.wanted, row.came) for row in failing] == [("TR-071", "4.99 %", "held", "yellow")]
    with pytest.raises(PackError, match=r"4\.99 %"):
        load_pack(text, cases.QUESTIONNAIRE_TEXT)
    text = with_outcome(text, "TR-071", failing[0].number, "yellow")
    text = with_version(with_example(text, "TR-071", "3.99 %", {"performance.relative_change": 0.0399}, "held"), "2099.1.1")
    pack = load_pack(text, cases.QUESTIONNAIRE_TEXT)
    found = differences(cases.pack(), pack)
    assert [(row.about, row.says, row.effect) for row in found] == [
        ("TR-071", "yellow now starts at 4%, was 5%; red unchanged", "stricter")
    ]
    (back,) = differences(pack, cases.pack())
    assert (back.says, back.effect) == ("yellow now starts at 5%, was 4%; red unchanged", "looser")
    for bad in (">= four", "0.04"):
        with pytest.raises(PackError):
            with_bands(cases.PACK_TEXT, "TR-071", bad, None)
    with pytest.raises(PackError, match="no “bands”"):
        with_bands(cases.PACK_TEXT, "TR-020", ">= 0.04", None)


def test_rules_and_gates_that_come_go_or_turn_are_named_in_words() -> None:
    unknown = changed(
        '    on_unknown: red\n    editable_by: submitter\n    change: "performance change below {limit}"',
        '    on_unknown: yellow\n    editable_by: submitter\n    change: "performance change below {limit}"',
    )
    assert [row.says for row in differences(cases.pack(), unknown)][:1] == ["what nobody knows counts as yellow now, was red"]
    limit = changed("limits: {min_ratio: 0.8}", "limits: {min_ratio: 0.9}")
    assert [(row.about, row.says) for row in differences(cases.pack(), limit)] == [("GF101", "min ratio is 0.9 now, was 0.8")]
    assert "its stage is now: watched only" in differences(cases.pack(), staged())[0].says
    assert differences(cases.pack(), cases.pack()) == ()


def test_the_line_of_a_fault_is_found_with_dotted_names_too() -> None:
    number = next(i for i, row in enumerate(read_document(cases.PACK_TEXT).rules) if row.id == "TR-071")
    lines = cases.PACK_TEXT.splitlines()
    at = line_of(cases.PACK_TEXT, f"rules[{number}].bands.yellow")
    assert at is not None and lines[at - 1].strip().startswith("bands: {yellow")
    at = line_of(cases.PACK_TEXT, f"rules[{number}].examples[1].facts.performance.relative_change")
    assert at is not None and "name: 5 %" in lines[at - 1]
    assert line_of("a: [", "a") is None


def test_a_rule_without_an_example_that_fires_and_one_that_is_held_is_named() -> None:
    text = cases.PACK_TEXT.replace("      - {name: marketing, facts: {decision.domain: marketing}, gives: held}\n", "")
    assert untried(read_document(text)) == ("TR-020 needs one that is held",)


def past(number: int, hits: dict[str, str], **columns: list[list[Any]]) -> Past:
    rows = {name.replace("__", "."): json.dumps(value) for name, value in columns.items()}
    tracks = {rule: Track(track) for rule, track in hits.items()}
    track = max(tracks.values(), key=lambda each: each.rank, default=Track.GREEN)
    return Past(number, number, 1, track, tracks, frozenset(), rows, "2026-W47", "rolled back" if number == 9 else "")


def test_only_rules_that_can_come_out_otherwise_are_judged_again_and_the_tally_says_who_why_and_how_it_went() -> None:
    after = load_pack(
        with_outcome(with_bands(cases.PACK_TEXT, "TR-071", ">= 0.03", ">= 0.10"), "TR-071", 0, "yellow")
        .replace(
            "      - {name: 5 %, facts",
            "      - {name: 1 %, facts: {performance.relative_change: 0.01}, gives: held}\n      - {name: 5 %, facts",
        )
        .replace(
            "{name: 14.99 % down, facts: {performance.relative_change: -0.1499}, gives: yellow}",
            "{name: 9 % down, facts: {performance.relative_change: -0.09}, gives: yellow}",
        ),
        cases.QUESTIONNAIRE_TEXT,
    )
    plan = plan_for(cases.pack(), after, {})
    assert plan.dropped == {"TR-071"} and "performance.relative_change" in plan.reads
    tester = Backtester({1: cases.pack()}, after)
    first = [[False, 4, None, None]]
    tester.judge(
        [
            past(1, {}, performance__relative_change=[[0.02, 4, None, None]], system__first_deployment=first),
            past(2, {}, performance__relative_change=[[0.035, 4, None, None]], system__first_deployment=first),
            past(3, {}, performance__relative_change=[[0.02, 4, 0.01, 0.031]], system__first_deployment=first),
            past(4, {"TR-020": "red"}, performance__relative_change=[[0.2, 4, None, None]], system__first_deployment=first),
            past(9, {"TR-071": "yellow"}, performance__relative_change=[[-0.12, 4, None, None]], system__first_deployment=first),
        ]
    )
    found = tester.tally.to_json()
    assert [(row["submission"], row["before"], row["after"], row["rules"]) for row in found["submissions"]] == [
        ("S-2", "green", "yellow", ["TR-071"]),
        ("S-3", "green", "yellow", ["TR-071"]),
        ("S-9", "yellow", "red", ["TR-071"]),
    ]
    assert (found["judged"], found["changed"], found["caught"], found["harmless"], found["let_go"]) == (5, 3, 1, 2, 0)
    load = {row["role"]: (row["before"], row["after"]) for row in found["load"]}
    assert load == {"platform_engineer": (1, 2), "analyst": (1, 2), "risk_officer": (1, 2)}


def test_moved_figures_move_intervals_too_and_nothing_that_is_no_number() -> None:
    tester = Backtester({1: cases.pack()}, cases.pack(), {"performance.rel*": 0.04})
    first = [[False, 4, None, None]]
    tester.judge(
        [
            past(1, {}, performance__relative_change=[[0.0, 4, -0.005, 0.011]], system__first_deployment=first),
            past(
                2, {}, performance__relative_change=[["n/a", 2, None, None], [0.0, 4, None, None]], system__first_deployment=first
            ),
            past(3, {}, performance__relative_change=[[0.0, 4, None, None]], system__first_deployment=first),
        ]
    )
    assert [row.submission for row in tester.tally.listed if row.after is Track.YELLOW] == [1]
    assert {row.submission for row in tester.tally.listed} == {1, 2}, "a word counts as unknown, which is red"
