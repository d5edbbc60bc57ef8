"""Lessons are files that hold together: one right answer each, every blocking gate and regime taught, schema committed."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml

from gates.registry import gates
from governance.policy import PackError, load_pack
from governance.policy.differing import differences
from governance.policy.lessons import FOLDER, lesson_named, lesson_schema, lessons, load_lesson
from governance.policy.regimes import regimes
from governance.selectors.plugins import pack_problems
from governance.services.packs import PACKS
from tests.stack import ROOT

FAIRNESS = (FOLDER / "fairness.yaml").read_text(encoding="utf-8")


def test_every_blocking_gate_of_the_shipped_packs_and_every_regime_has_a_lesson() -> None:
    taught = {code for lesson in lessons() for code in lesson.gates}
    assert taught <= set(gates()), "a lesson names a gate that is not there"
    blocking = {
        use.gate
        for path in PACKS.glob("*.yaml")
        for use in load_pack(path.read_text(encoding="utf-8")).gates
        if use.blocking and not use.gate.startswith("GR107")
    }
    assert blocking - taught == set()
    assert {name for lesson in lessons() for name in lesson.regimes} == {regime.regime for regime in regimes()}


def test_the_right_answer_is_not_given_away_by_its_place_or_its_length() -> None:
    places, longest, questions = [], 0, 0
    for lesson in lessons():
        for question in lesson.quiz:
            shown = question.shown(lesson.digest)
            right = next(answer for answer in shown if answer.right)
            places.append(shown.index(right))
            longest += max(shown, key=lambda answer: len(answer.says)) is right
            questions += 1
    assert min(places.count(place) for place in range(3)) >= questions // 8
    assert longest < questions * 0.5


def test_the_digest_names_the_text_and_the_committed_schema_is_the_one_of_the_code() -> None:
    lesson = load_lesson(FAIRNESS, "The lesson")
    assert lesson.digest == load_lesson(FAIRNESS, "The lesson").digest
    assert load_lesson(FAIRNESS.replace("looked at the worst-off", "saw the worst-off"), "x").digest != lesson.digest
    assert json.loads((ROOT / "docs" / "lesson.schema.json").read_text(encoding="utf-8")) == lesson_schema()


def second_right(raw: dict[str, Any]) -> None:
    for answer in raw["quiz"][0]["answers"]:
        answer["right"] = True


def no_right(raw: dict[str, Any]) -> None:
    for answer in raw["quiz"][0]["answers"]:
        answer.pop("right", None)


BROKEN: dict[str, tuple[Callable[[dict[str, Any]], Any], str]] = {
    "two right answers": (second_right, "exactly one answer"),
    "no right answer": (no_right, "exactly one answer"),
    "two questions of one id": (lambda raw: raw["quiz"][1].update(id=raw["quiz"][0]["id"]), "same id"),
    "passed by guessing": (lambda raw: raw.update(pass_at=2), "more than half"),
    "more right answers than questions": (lambda raw: (raw.update(pass_at=5), raw["quiz"].pop()), "more than half"),
    "two questions only": (lambda raw: raw.update(quiz=raw["quiz"][:2]), "quiz"),
    "about nothing": (lambda raw: raw.update(gates=[], regimes=[]), "what the lesson is about"),
    "an unknown word": (lambda raw: raw.update(hint="x"), "hint"),
    "an answer without a reason": (lambda raw: raw["quiz"][0]["answers"][0].pop("because"), "because"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_a_lesson_that_does_not_hold_together_is_refused(how: str) -> None:
    raw = yaml.safe_load(FAIRNESS)
    change, expected = BROKEN[how]
    change(raw)
    with pytest.raises(PackError, match=expected):
        load_lesson(yaml.safe_dump(raw, allow_unicode=True), "The lesson")


def test_a_pack_that_asks_for_a_lesson_that_is_not_there_does_not_come_into_force() -> None:
    source = (PACKS / "ml_model.yaml").read_text(encoding="utf-8")
    assert pack_problems(load_pack(source)) == []
    document = yaml.safe_load(source)
    document.pop("questionnaire", None)
    document["tracks"]["red"]["steps"][0]["requires_learning"] = {"lessons": ["fairness", "astrology"]}
    found = pack_problems(load_pack(yaml.safe_dump(document, allow_unicode=True)))
    assert len(found) == 1 and "astrology" in found[0] and "performance" in found[0]
    assert lesson_named("astrology") is None


WARNS = {"begins": "warn"}


@pytest.mark.parametrize(
    ("was", "now", "effect"),
    [
        (None, {"lessons": ["fairness"]}, "stricter"),
        ({"lessons": ["fairness"]}, None, "looser"),
        ({"lessons": ["fairness"]}, {"lessons": ["fairness"], "stages": WARNS}, "looser"),
        (
            {"lessons": ["fairness"], "stages": WARNS},
            {"lessons": ["fairness"], "stages": {**WARNS, "block_from": "2027-01-01"}},
            "stricter",
        ),
        ({"lessons": ["fairness"]}, {"lessons": ["fairness", "drift"], "valid_days": 365}, "stricter"),
        ({"lessons": ["fairness"], "valid_days": 90}, {"lessons": ["fairness"], "valid_days": 365}, "looser"),
        ({"lessons": ["fairness"]}, {"lessons": ["drift"]}, "other"),
    ],
)
def test_a_change_of_what_people_have_to_learn_is_a_difference_of_its_own(was: Any, now: Any, effect: str) -> None:
    document = yaml.safe_load((PACKS / "data_pipeline.yaml").read_text(encoding="utf-8"))
    document.pop("questionnaire", None)

    def pack(need: Any) -> Any:
        step = {key: value for key, value in document["tracks"]["yellow"]["steps"][0].items() if key != "requires_learning"}
        document["tracks"]["yellow"]["steps"][0] = {**step, **({"requires_learning": need} if need else {})}
        return load_pack(yaml.safe_dump(document, allow_unicode=True))

    (found,) = differences(pack(was), pack(now))
    assert (found.about, found.effect) == ("yellow: ML platform engineer", effect)
