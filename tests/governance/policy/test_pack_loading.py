"""Packs that must not load, and what they are told."""

from __future__ import annotations

import pytest

from gates import registry
from governance.domain.facts import FactSet
from governance.domain.vocabulary import Kind
from governance.policy import Pack, PackError, evaluate, load_pack, load_questionnaire
from tests.governance.policy.cases import PACK_TEXT, QUESTIONNAIRE_TEXT, pack

SMALL = """
pack: small
kind: ml_model
version: 2026.1.1
title: Small
why: For tests.
rules:
  - id: TR-001
    title: size
    why: w
    learn: l
    fact: a.size
    bands: {yellow: ">= 1", red: ">= 2"}
    says: "size {a.size:.1f}"
    unknown_says: "size not known"
    on_unknown: red
    editable_by: submitter
    change: "size below {limit}"
    examples:
      - {name: big, facts: {a.size: 2}, gives: red}
      - {name: small, facts: {a.size: 0.5}, gives: held}
tracks:
  green: {why: w, steps: []}
  yellow: {why: w, due: 3h, steps: [{role: platform_engineer, attests: ok}]}
  red: {why: w, due: 3d, steps: [{role: analyst, attests: ok}, {role: risk_officer, attests: ok}]}
gates:
  - {gate: GP101, why: w, tracks: [red], blocking: true, limits: {x: 1}, note: convention}
"""


def test_the_shipped_pack_has_words_for_everything() -> None:
    shipped = pack()
    assert (shipped.name, shipped.kind, shipped.version, shipped.title) == ("ml_model", Kind.ML_MODEL, "2026.11.1", "ML models")
    assert len(shipped.rules) >= 30
    made_for_models = {code for code, gate in registry.gates().items() if Kind.ML_MODEL in gate.kinds}
    made_for_models -= {"GR107", "GR108"}  # rules of an organisation's own, in Rego and CEL: only its own packs can use them
    assert {use.gate for use in shipped.gates} == made_for_models, "a gate nobody uses, or one that does not exist"
    for rule in shipped.rules:
        assert rule.why and rule.change.text and rule.learn
        for text in (rule.says, rule.unknown_says):
            assert text is None or set(text.names) <= set(rule.reads) | {
                "performance.metric", "champion.version", "model.architecture", "decision.human_review", "cost.per_month",
                "cost.budget_per_month", "vendor.name",
            }  # fmt: skip
    assert shipped.settings["performance.metric"] == "roc_auc" and shipped.settings["explanation_rows"] == 1000


def test_the_digest_covers_pack_and_questionnaire_and_not_comments() -> None:
    assert load_pack(SMALL).digest == load_pack("# a comment\n" + SMALL).digest
    assert load_pack(SMALL).digest != load_pack(SMALL.replace(">= 2", ">= 3").replace("a.size: 2", "a.size: 4")).digest
    assert load_pack(SMALL).digest != load_pack(SMALL, QUESTIONNAIRE_TEXT).digest
    changed = QUESTIONNAIRE_TEXT.replace("What is this model for", "What is it for")
    assert load_pack(SMALL, QUESTIONNAIRE_TEXT).digest != load_pack(SMALL, changed).digest


def broken(old: str, new: str) -> tuple[str, str]:
    assert old in SMALL
    return SMALL.replace(old, new, 1), new


@pytest.mark.parametrize(
    ("old", "new", "path", "words"),
    [
        ('red: ">= 2"', 'red: "=> 2"', "rules[0].bands.red", "Expected a sign and a number"),
        ('red: ">= 2"', 'red: ">= __import__(1)"', "rules[0].bands.red", "Expected a sign and a number"),
        ('red: ">= 2"', "red: 2", "rules[0].bands.red", "Expected a sign and a number"),
        ('red: ">= 2"', 'red: "<= 2"', "rules[0].bands", "different directions"),
        ('red: ">= 2"', 'red: ">= 0.5"', "rules[0].bands", "beyond the yellow one"),
        ('bands: {yellow: ">= 1", red: ">= 2"}', "bands: {}", "rules[0].bands", "at least one"),
        ("{a.size:.1f}", "{a.size.__class__}", "rules[0].says", "is not understood"),
        ("{a.size:.1f}", "{a.size!r}", "rules[0].says", "is not understood"),
        ("{a.size:.1f}", "{a.size[0]}", "rules[0].says", "is not understood"),
        ("{a.size:.1f}", "{a.size:>99999999}", "rules[0].says", "is not understood"),
        ("{a.size:.1f}", "{a.size", "rules[0].says", "left open"),
        ('says: "size {a.size:.1f}"', 'says: " "', "rules[0].says", "Expected a sentence"),
        ("TR-001", "tr1", "rules[0].id", "pattern"),
        ("fact: a.size", "fact: A-size", "rules[0].fact", "dotted fact name"),
        ("fact: a.size", "fact: a.size\n    track: red", "rules[0]", "either “when” with “track”"),
        ('bands: {yellow: ">= 1", red: ">= 2"}', "when: {fact: a.size, ge: 1}\n    track: green", "rules[0]", "yellow or red"),
        ('bands: {yellow: ">= 1", red: ">= 2"}', "when: {fact: a.size, ge: 1}\n    track: blue", "rules[0].track", "one of green"),  # noqa: E501
        ('    unknown_says: "size not known"\n', "", "rules[0]", "“unknown_says” is missing"),
        ("on_unknown: red", "on_unknown: green", "rules[0].on_unknown", "Input should be"),
        ("editable_by: submitter", "editable_by: submitter\n    adds_steps: [auditor]", "rules[0]", "roles that review"),
        ("editable_by: submitter", "editable_by: submitter\n    adds_steps: [privacy]", "", "does not describe"),
        ("editable_by: submitter", "editable_by: submitter\n    expression: 'x > 1'", "rules[0].expression", "not a word of the pack"),  # noqa: E501
        ("gives: red}", "gives: held}", "rules[0].examples", "at least one example that fires"),
        ("gives: held}", "gives: red}", "rules[0].examples", "one that is held"),
        ("{name: small, facts: {a.size: 0.5}, gives: held}", "{name: small, facts: {a.size: 1.5}, gives: held}", "rules[0].examples[1]", "but it gives yellow"),  # noqa: E501
        ("{a.size: 0.5}", "{a.size: {value: 0.5, assurance: divine}}", "rules[0].examples[1].facts", "takes value, low, high"),
        ("kind: ml_model", "kind: Rocket!", "kind", "cannot be the name of a kind"),
        ("kind: ml_model", "kind: rocket", "", "Say “judged_like: ml_model”"),
        ("version: 2026.1.1", "version: 1.0", "version", "valid string"),
        ("title: Small\n", "", "title", "is missing"),
        ("due: 3h", "due: 3 weeks", "tracks.yellow.due", "hours or days"),
        ("steps: []}", "steps: [{role: analyst, attests: ok}]}", "", "Green is approved by the policy"),
        ("steps: [{role: platform_engineer, attests: ok}]", "steps: []", "", "at least one step"),
        ("yellow: {why: w, due: 3h,", "yellow: {why: w, deploy: automatic,", "", "only green may say"),
        ("{role: analyst, attests: ok}, {role: risk_officer, attests: ok}", "{role: risk_officer, attests: ok}, {role: analyst, attests: ok}", "", "Red ends with the risk officer"),  # noqa: E501
        ("role: platform_engineer", "role: submitter", "tracks.yellow.steps[0]", "does not review"),
        ("role: platform_engineer", "role: king", "tracks.yellow.steps[0].role", "Expected one of"),
        ("  green: {why: w, steps: []}\n", "", "", "what green, yellow and red ask for"),
        ("blocking: true", "blocking: [green]", "gates[0]", "does not run"),
        ("tracks: [red]", "tracks: []", "gates[0]", "“tracks” is empty"),
        (", note: convention", "", "gates[0]", "where the limits come from"),
        ("{x: 1}", "{x: .inf}", "gates[0].limits", "A limit is a number"),
        ("{x: 1}", "{x: 2026-01-01}", "gates[0].limits", "A limit is a number"),
        ("{x: 1}", "{x: {1: 2}}", "gates[0].limits", "are words"),
        ("{x: 1}", "{x: [null]}", "gates[0].limits", "A limit is a number"),
        ("why: For tests.", "why: For tests.\ncollectors: {a: {value: 1}}", "collectors.a.note", "is missing"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_path_and_way_out(old: str, new: str, path: str, words: str) -> None:
    text, _ = broken(old, new)
    with pytest.raises(PackError) as refused:
        load_pack(text)
    assert refused.value.path == path
    assert words in refused.value.detail


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("yes", "Expected a condition"),
        ("{fact: a.b}", "exactly one of"),
        ("{fact: a.b, in: [x], ne: y}", "exactly one of"),
        ("{fact: a.b, matches: '.*'}", "exactly one of"),
        ("{fact: 'a b', eq: 1}", "dotted name"),
        ("{fact: a.b, in: []}", "at least one entry"),
        ("{fact: a.b, in: [[1]]}", "at least one entry"),
        ("{fact: a.b, ge: high}", "takes a number"),
        ("{fact: a.b, ge: .nan}", "takes a number"),
        ("{fact: a.b, eq: [1]}", "takes a word"),
        ("{fact: a.b, is_true: false}", "For the opposite use “not”"),
        ("{fact: a.b, is_true: true, at_least: hearsay}", "file, registry or measured"),
        ("{all: []}", "at least one condition"),
        ("{any: {fact: a.b, eq: 1}}", "at least one condition"),
        ("{not: {not: {not: {not: {not: {not: {not: {not: {not: {fact: a.b, eq: 1}}}}}}}}}}", "more than 8 deep"),
    ],
)
def test_conditions_are_closed(when: str, words: str) -> None:
    text = SMALL.replace('fact: a.size\n    bands: {yellow: ">= 1", red: ">= 2"}', f"when: {when}\n    track: red")
    with pytest.raises(PackError) as refused:
        load_pack(text)
    assert refused.value.path == "rules[0].when" and words in refused.value.detail


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a mapping|holds 0"),
        ("- 1", "not a mapping"),
        ("a: [", "not YAML"),
        ("a: 1\na: 2", "twice"),
        ("? [1]\n: 2", "plain word"),
        ("<<: {a: 1}", "plain word"),
        ("a: &x 1\nb: *x", "anchor or alias"),
        ("a: !!python/object/apply:os.system [ls]", "not YAML as it is read here"),
        ("a: 1\n---\nb: 1", "2 YAML documents"),
        ("[" * 30 + "]" * 30, "nested more than"),
        ("a: " + "x" * 400_001, "at most 400,000"),
        ("a: \x00", "not YAML"),
        ("a: 2026-13-45", "not YAML"),
    ],
    ids=lambda value: value[:20],
)
def test_hostile_text_is_refused_in_words(text: str, words: str) -> None:
    for read in (load_pack, load_questionnaire):
        with pytest.raises(PackError) as refused:
            read(text)
        assert any(word in refused.value.detail for word in words.split("|"))


def test_no_text_at_all_is_refused() -> None:
    with pytest.raises(PackError, match="not text"):
        load_pack(b"pack: x")  # type: ignore[arg-type]


def test_twice_and_nothing_are_refused() -> None:
    rule = SMALL[SMALL.index("  - id: TR-001") : SMALL.index("tracks:")]
    with pytest.raises(PackError, match="The rule TR-001 stands here twice"):
        load_pack(SMALL.replace(rule, rule + rule))
    with pytest.raises(PackError, match="everything would be green"):
        load_pack(SMALL.replace("rules:\n" + rule, "rules: []\n"))
    with pytest.raises(PackError, match="and 4 more"):
        load_pack("a: 1")


def test_a_value_that_json_cannot_carry_is_refused() -> None:
    with pytest.raises(PackError, match="JSON cannot carry"):
        load_pack(SMALL.replace("facts: {a.size: 0.5}", "facts: {a.size: 0.5, b.x: 12345678901234567890123}"))


def test_a_yellow_only_band_and_red_from_not_knowing() -> None:
    text = SMALL.replace('{yellow: ">= 1", red: ">= 2"}', '{yellow: ">= 1"}').replace(
        "{a.size: 2}, gives: red", "{a.size: 2}, gives: yellow"
    )
    loaded: Pack = load_pack(text)
    result = evaluate(loaded, FactSet.of([]))
    assert result.sentence == "This deployment requires ML Governance Analyst review because: size not known."
    assert load_pack(PACK_TEXT).questionnaire is None
