"""Reviewers learn before they sign: a pass is kept for good, counts for its wording only, and a pack can ask for it."""

from __future__ import annotations

import copy
import csv
import io
import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection
from django.utils import timezone

from governance.domain.errors import Conflict, Forbidden, InvalidInput
from governance.domain.vocabulary import Role, Track
from governance.models import AuditEvent, Person, RoleGrant, Submission
from governance.policy import lessons as lesson_files
from governance.policy.lessons import Lesson, lesson_named, lessons
from reviews.models import LessonPass, SignOff
from reviews.selectors.decision_view import decision_view
from reviews.selectors.learning_records import own_lessons, people_lines
from reviews.services.deciding import decide
from reviews.services.learning import take_quiz
from tests.governance.making import browser
from tests.reviews import making
from tests.reviews.test_fences import refused

pytestmark = pytest.mark.django_db(transaction=True)

FAIRNESS = "fairness"


def fairness() -> Lesson:
    found = lesson_named(FAIRNESS)
    assert found is not None
    return found


def right_answers(lesson: Lesson) -> dict[str, str]:
    return {question.id: next(a.id for a in question.answers if a.right) for question in lesson.quiz}


def wrong_answers(lesson: Lesson) -> dict[str, str]:
    return {question.id: next(a.id for a in question.answers if not a.right) for question in lesson.quiz}


def learn(who: Person, name: str = FAIRNESS) -> LessonPass:
    lesson = lesson_named(name)
    assert lesson is not None
    taken = take_quiz(caller=making.call(who), name=name, digest=lesson.digest, chosen=right_answers(lesson))
    assert taken.recorded is not None
    return taken.recorded


def asking_case(monkeypatch: pytest.MonkeyPatch, **need: Any) -> Submission:
    """A red case whose analyst has to pass the lesson about fairness."""
    document = copy.deepcopy(making.PACK)
    steps: list[dict[str, Any]] = document["tracks"]["red"]["steps"]  # type: ignore[index]
    steps[0]["requires_learning"] = {"lessons": [FAIRNESS], **need}
    monkeypatch.setattr(making, "PACK", document)
    return making.in_review(Track.RED)


def sign(row: Submission, who: Person) -> None:
    decide(caller=making.call(who), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=making.approve())


def changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The lesson gets another wording, as after an update."""
    other = Lesson.model_validate({**fairness().model_dump(), "why": "Another reason."})
    rest = tuple(each for each in lessons() if each.lesson != FAIRNESS)
    monkeypatch.setattr(lesson_files, "lessons", lambda: (*rest, other))


def test_a_pass_is_recorded_once_with_its_score_and_wording_and_never_changes() -> None:
    amir, lesson = making.everybody()["amir"], fairness()
    chosen = {**right_answers(lesson), lesson.quiz[0].id: wrong_answers(lesson)[lesson.quiz[0].id]}
    taken = take_quiz(caller=making.call(amir), name=FAIRNESS, digest=lesson.digest, chosen=chosen)
    assert taken.passed and taken.right == len(lesson.quiz) - 1 == lesson.pass_at
    row = LessonPass.objects.get()
    assert (row.person, row.lesson, row.version, row.digest, row.right, row.asked) == (
        amir, FAIRNESS, lesson.version, lesson.digest, taken.right, len(lesson.quiz),
    )  # fmt: skip
    event = AuditEvent.objects.get(action="lesson.passed")
    assert event.actor == amir.reference and json.loads(event.payload)["data"]["digest"] == lesson.digest
    learn(amir)
    assert LessonPass.objects.count() == 1, "a second press is no second pass"
    for change in ("UPDATE reviews_lessonpass SET asked = 9", "DELETE FROM reviews_lessonpass"):
        with pytest.raises(IntegrityError), connection.cursor() as cursor:
            cursor.execute(change)


def test_a_try_that_does_not_pass_leaves_nothing_and_an_open_question_is_named() -> None:
    amir, lesson = making.everybody()["amir"], fairness()
    caller = making.call(amir)
    short = {**right_answers(lesson), **dict(list(wrong_answers(lesson).items())[:2])}
    assert not take_quiz(caller=caller, name=FAIRNESS, digest=lesson.digest, chosen=short).passed
    with pytest.raises(InvalidInput) as caught:
        take_quiz(caller=caller, name=FAIRNESS, digest=lesson.digest, chosen={**short, lesson.quiz[1].id: "z"})
    assert [error.pointer for error in caught.value.errors] == [f"/{lesson.quiz[1].id}"]
    with pytest.raises(Conflict):
        take_quiz(caller=caller, name=FAIRNESS, digest="sha256:old", chosen=right_answers(lesson))
    assert not LessonPass.objects.exists() and not AuditEvent.objects.filter(action="lesson.passed").exists()


def test_who_has_not_passed_cannot_sign_and_is_told_where_to_learn(monkeypatch: pytest.MonkeyPatch) -> None:
    people, row = making.everybody(), asking_case(monkeypatch)
    amir = people["amir"]
    with pytest.raises(Forbidden) as caught:
        sign(row, amir)
    assert caught.value.code == "learning_needed" and fairness().title in caught.value.detail
    refused("23G03", row, amir)
    view = decision_view(row.pk, making.call(amir))
    assert [(each.lesson, each.state, each.stage) for each in view.learning] == [(FAIRNESS, "open", "block")]
    assert all(fairness().title in a.why_not for a in view.actions if a.action in ("approve", "reject", "claim"))
    client = browser(amir)
    for page in (f"/submissions/{row.number}/decide/approve", f"/submissions/{row.number}"):
        assert f"/learn/lessons/{FAIRNESS}" in client.get(page).content.decode(), page
    assert decision_view(row.pk, making.call(people["ruth"])).learning == (), "asked of the analyst, not of the risk officer"

    learn(amir)
    with monkeypatch.context() as patched:
        changed(patched)
        with pytest.raises(Forbidden):
            sign(row, amir)
        assert decision_view(row.pk, making.call(amir)).learning[0].state == "changed"
    sign(row, amir)
    assert SignOff.objects.get().by == amir


def test_a_lesson_is_asked_again_after_its_days(monkeypatch: pytest.MonkeyPatch) -> None:
    amir, row = making.everybody()["amir"], asking_case(monkeypatch, valid_days=30)
    lesson = fairness()
    old = {"person": amir, "lesson": FAIRNESS, "version": lesson.version, "digest": lesson.digest, "right": 5, "asked": 5}
    LessonPass.objects.create(**old, at=timezone.now() - timedelta(days=30, minutes=1))
    refused("23G03", row, amir)
    assert decision_view(row.pk, making.call(amir)).learning[0].state == "lapsed"
    with pytest.raises(Forbidden):
        sign(row, amir)
    LessonPass.objects.create(**old, at=timezone.now() - timedelta(days=29))
    sign(row, amir)


@pytest.mark.parametrize(
    ("stages", "shown"), [({"begins": "warn", "block_from": "2999-01-01"}, 1), ({"begins": "warn"}, 1), ({"begins": "shadow"}, 0)]
)
def test_a_demand_that_does_not_count_yet_stops_nobody_and_is_on_record(
    monkeypatch: pytest.MonkeyPatch, stages: dict[str, str], shown: int
) -> None:
    amir, row = making.everybody()["amir"], asking_case(monkeypatch, stages=stages)
    assert len(decision_view(row.pk, making.call(amir)).learning) == shown
    page = browser(amir).get(f"/submissions/{row.number}/decide/approve")
    assert page.status_code == 200 and (f"/learn/lessons/{FAIRNESS}" in page.content.decode()) is bool(shown)
    sign(row, amir)
    event = AuditEvent.objects.get(action="sign_off.recorded")
    assert json.loads(event.payload)["data"]["lessons_not_passed"] == [FAIRNESS]


def test_a_demand_counts_from_its_day_in_the_database_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    amir = making.everybody()["amir"]
    row = asking_case(monkeypatch, stages={"begins": "warn", "block_from": timezone.now().date().isoformat()})
    refused("23G03", row, amir)
    with pytest.raises(Forbidden):
        sign(row, amir)


def test_the_quiz_page_gives_nothing_away_before_it_is_answered_and_keeps_what_was_chosen() -> None:
    client, lesson = browser(making.everybody()["amir"]), fairness()
    before = (
        client.get(f"/learn/lessons/{FAIRNESS}").content.decode() + client.get(f"/learn/lessons/{FAIRNESS}/quiz").content.decode()
    )
    plain = before.replace("&#x27;", "'").replace("&quot;", '"')
    for question in lesson.quiz:
        assert question.ask in plain
        for answer in question.answers:
            assert answer.because not in plain, answer.because
    first = lesson.quiz[0]
    part = client.post(f"/learn/lessons/{FAIRNESS}/quiz", {"digest": lesson.digest, first.id: "a"})
    assert (
        part.status_code == 422
        and f'href="#f-{lesson.quiz[1].id}"' in part.content.decode()
        and " checked" in part.content.decode()
    )
    chosen = {**right_answers(lesson), first.id: wrong_answers(lesson)[first.id]}
    after = client.post(f"/learn/lessons/{FAIRNESS}/quiz", {"digest": lesson.digest, **chosen})
    text = after.content.decode()
    assert after.status_code == 200 and "Passed" in text and "Not right:" in text
    right = next(answer for answer in first.answers if answer.right)
    assert right.because not in text, "a wrong answer does not give the right one away"


def test_records_are_ones_own_and_those_of_the_people_a_lead_answers_for(monkeypatch: pytest.MonkeyPatch) -> None:
    people, elsewhere = making.everybody(), making.unit("insurance")
    asking_case(monkeypatch)
    learn(people["amir"])
    here = making.person("lea", Role.ANALYST)
    away = making.person("ivo", Role.ANALYST, at=elsewhere)
    learn(away, "drift")
    mine = {row.lesson.lesson: row for row in own_lessons(making.call(people["amir"]))}
    assert (mine[FAIRNESS].state, mine[FAIRNESS].asked_as) == ("passed", (Role.ANALYST,)) and mine["drift"].state == "open"
    assert next(iter(own_lessons(making.call(here)))).lesson.lesson == FAIRNESS, "what is asked comes first"
    everybody = {line.name: line for line in people_lines(making.call(people["ada"]))[0]}
    assert everybody[here.name].missing == (fairness().title,) and everybody[people["amir"].name].missing == ()
    local = making.person("rita", Role.RISK_OFFICER)
    seen = {line.name for line in people_lines(making.call(local))[0]}
    assert here.name in seen and away.name not in seen
    with pytest.raises(Forbidden):
        people_lines(making.call(here))
    RoleGrant.objects.filter(person=local).update(valid_until=timezone.now() - timedelta(hours=1))
    assert browser(local).get("/learn/records/people").status_code == 403

    def exported(who: Person, address: str) -> list[dict[str, str]]:
        body = b"".join(browser(who).get(address).streaming_content).decode()  # type: ignore[attr-defined]
        return list(csv.DictReader(io.StringIO(body)))

    assert [(row["lesson"], row["counts"]) for row in exported(people["amir"], "/learn/records/mine.csv")] == [(FAIRNESS, "yes")]
    assert {row["lesson"] for row in exported(people["ada"], "/learn/records/people.csv")} == {FAIRNESS, "drift"}


def test_the_number_of_queries_does_not_grow_with_people(
    monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    people = making.everybody()
    asking_case(monkeypatch)
    for number in range(6):
        learn(making.person(f"rev{number}", Role.ANALYST))
    caller = making.call(people["ada"])
    people_lines(caller)
    with django_assert_max_num_queries(8):
        assert len(people_lines(caller)[0]) >= 6
