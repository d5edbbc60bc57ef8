"""Steps as the pack lays them out: side by side and one after another, several signatures of a role, checklists, who is told."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.domain.errors import InvalidInput, SegregationOfDuties
from governance.domain.vocabulary import DecisionKind, Role, State, StepState, Track
from governance.models import Person, Submission
from governance.policy import PackError, load_pack
from reviews.models import Condition, Notification, ReviewStep, SignOff
from reviews.selectors.decision_view import decision_view
from reviews.selectors.queue import mine_of
from reviews.services.claiming import claim
from reviews.services.deciding import decide
from reviews.services.decision_input import NewCheck, NewDecision
from tests.governance.making import browser
from tests.reviews import making
from tests.reviews.making import approve

pytestmark = pytest.mark.django_db(transaction=True)

CHECKS = [
    {"id": "worst_group", "element": "Fairness", "asks": "Did you look at the worst group by itself?"},
    {"id": "understood", "element": "Explanations", "asks": "Would the declined person understand it?", "human_only": True},
]
YES = {"worst_group": NewCheck("yes"), "understood": NewCheck("yes")}


def red(monkeypatch: pytest.MonkeyPatch, *steps: dict[str, Any]) -> None:
    """A pack whose red track asks for these steps and then for the risk officer."""
    last = {"role": "risk_officer", "attests": "The residual risk is acceptable."}
    plan = {**making.PACK["tracks"]["red"], "steps": [*steps, last]}  # type: ignore[index]
    monkeypatch.setitem(making.PACK, "tracks", {**making.PACK["tracks"], "red": plan})  # type: ignore[dict-item]


def load(document: dict[str, Any]) -> None:
    load_pack(json.dumps(document), json.dumps(making.QUESTIONNAIRE))


def analyst(**more: Any) -> dict[str, Any]:
    return {"role": "analyst", "attests": "Challenged.", **more}


def say(row: Submission, who: Person, new: NewDecision | None = None) -> None:
    row = making.fresh(row)
    decide(caller=making.call(who), submission_id=row.pk, dossier_digest=row.dossier_digest, decision=new or approve())


def open_roles(row: Submission) -> list[str]:
    return list(row.steps.filter(state=StepState.OPEN).order_by("order").values_list("role", flat=True))


def errors(row: Submission, who: Person, new: NewDecision) -> set[str]:
    with pytest.raises(InvalidInput) as caught:
        say(row, who, new)
    return {error.pointer for error in caught.value.errors}


class TestSideBySide:
    @pytest.mark.parametrize("first", ["amir", "esi"])
    def test_parallel_steps_open_together_and_the_next_stage_waits_for_all(
        self, monkeypatch: pytest.MonkeyPatch, first: str
    ) -> None:
        red(monkeypatch, analyst(), {"role": "ethics", "attests": "Fair use.", "parallel": True})
        people = {**making.everybody(), "esi": making.person("esi", Role.ETHICS)}
        row = making.in_review()
        second = {"amir": "esi", "esi": "amir"}[first]
        assert open_roles(row) == ["analyst", "ethics"]
        assert decision_view(row.pk, making.call(people["ada"])).turn == ("analyst", "ethics")
        told = set(Notification.objects.filter(kind="your_turn").values_list("person__username", flat=True))
        assert told == {"amir", "esi"}
        assert all(mine_of(making.call(people[who])).exists() for who in (first, second))
        claim(caller=making.call(people[second]), submission_id=row.pk)
        say(row, people[first])
        assert open_roles(row) == ["ethics" if first == "amir" else "analyst"]
        assert making.fresh(row).claimed_by_id == people[second].pk, "whoever is on it stays on it"
        assert not mine_of(making.call(people[first])).exists() and mine_of(making.call(people[second])).exists()
        say(row, people[second])
        assert open_roles(row) == ["risk_officer"]
        say(row, people["ruth"])
        assert making.fresh(row).state == State.APPROVED

    def test_the_database_opens_no_step_before_its_stage(self, monkeypatch: pytest.MonkeyPatch) -> None:
        row = making.in_review()
        with pytest.raises(IntegrityError, match="is open"), transaction.atomic():
            ReviewStep.objects.filter(submission=row, role="risk_officer").update(state=StepState.OPEN)
        ReviewStep.objects.filter(submission=row).update(state=StepState.WAITING)
        with pytest.raises(IntegrityError, match="before it are done"), transaction.atomic():
            ReviewStep.objects.filter(submission=row, role="risk_officer").update(state=StepState.OPEN)

    def test_a_rejection_of_one_ends_the_others(self, monkeypatch: pytest.MonkeyPatch) -> None:
        red(monkeypatch, analyst(), {"role": "ethics", "attests": "Fair use.", "parallel": True})
        row = making.in_review()
        why = "It declines a group that it was not measured on, and nobody can say why."
        say(row, making.person("esi", Role.ETHICS), NewDecision(DecisionKind.REJECT, comment=why, accepted_instead=why))
        assert making.fresh(row).state == State.REJECTED
        assert not row.steps.filter(state__in=[StepState.OPEN, StepState.WAITING]).exists()

    def test_risk_signs_alone_at_the_end(self) -> None:
        wrong = {**making.PACK["tracks"]["red"], "steps": [analyst(), {"role": "risk_officer", "attests": "x", "parallel": True}]}  # type: ignore[index]
        with pytest.raises(PackError, match="after everybody else"):
            load({**making.PACK, "tracks": {**making.PACK["tracks"], "red": wrong}})  # type: ignore[dict-item]


class TestQuorum:
    def test_two_analysts_have_to_sign_and_nobody_signs_for_two(self, monkeypatch: pytest.MonkeyPatch) -> None:
        red(monkeypatch, analyst(quorum=2))
        people, row = making.everybody(), making.in_review()
        assert open_roles(row) == ["analyst", "analyst"]
        say(row, people["amir"])
        assert open_roles(row) == ["analyst"]
        actions = {a.action: a for a in decision_view(row.pk, making.call(people["amir"])).actions}
        assert (
            actions["approve"].why_not == "You already signed as ML Governance Analyst; the second signature is somebody else's."
        )
        with pytest.raises(SegregationOfDuties, match="second signature"):
            say(row, people["amir"])
        assert not mine_of(making.call(people["amir"])).exists()
        say(row, making.person("noor", Role.ANALYST))
        assert open_roles(row) == ["risk_officer"]
        say(row, people["ruth"])
        assert making.fresh(row).state == State.APPROVED
        assert SignOff.objects.filter(submission=row, role="analyst").values("by").distinct().count() == 2

    def test_the_database_holds_the_same(self, monkeypatch: pytest.MonkeyPatch) -> None:
        red(monkeypatch, analyst(quorum=2))
        people, row = making.everybody(), making.in_review()
        say(row, people["amir"])
        values = SignOff.objects.values().get()
        left = row.steps.get(state=StepState.OPEN)
        with pytest.raises(IntegrityError, match="second signature"), transaction.atomic():
            SignOff.objects.create(**{**values, "id": None, "step_id": left.pk})


class TestRaci:
    def test_each_step_says_who_answers_and_informed_people_get_one_message(self, monkeypatch: pytest.MonkeyPatch) -> None:
        red(monkeypatch, analyst(accountable="risk_officer", consulted=["legal"], informed=["product", "auditor"]))
        people, row = making.everybody(), making.in_review()
        mona = making.person("mona", Role.PRODUCT, Role.AUDITOR)
        (step, _) = decision_view(row.pk, making.call(people["ada"])).steps
        assert (step.accountable, step.consulted, step.informed) == ("risk_officer", ("legal",), ("product", "auditor"))
        say(row, people["amir"])
        told = Notification.objects.filter(kind="informed")
        assert sorted(told.values_list("person__username", flat=True)) == ["ada", "mona"]
        assert told.get(person=mona).title.endswith("ML Governance Analyst decided")
        say(row, people["ruth"])
        assert told.count() == 2, "the risk officer's step informs nobody"


class TestChecklist:
    def test_an_approval_answers_every_item_and_the_record_keeps_question_and_answer(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        red(monkeypatch, analyst(checklist=CHECKS))
        people, row = making.everybody(), making.in_review()
        assert errors(row, people["amir"], approve()) == {"/checks/worst_group", "/checks/understood"}
        no = approve(checks={**YES, "understood": NewCheck("no")})
        assert errors(row, people["amir"], no) == {"/checks/understood"}
        unsaid = approve(checks={**YES, "understood": NewCheck("not_applicable", " ")})
        assert errors(row, people["amir"], unsaid) == {"/checks/understood"}
        note = "Nobody is declined by it: it only orders a list."
        say(
            row,
            people["amir"],
            approve(checks={**YES, "understood": NewCheck("not_applicable", note), "made_up": NewCheck("yes")}),
        )
        worst, understood = SignOff.objects.get().checks
        assert worst == {**CHECKS[0], "human_only": False, "answer": "yes", "note": ""}
        assert (understood["answer"], understood["note"], understood["asks"]) == ("not_applicable", note, CHECKS[1]["asks"])

    def test_the_page_asks_each_question_and_leads_to_what_is_missing(self, monkeypatch: pytest.MonkeyPatch) -> None:
        red(monkeypatch, analyst(checklist=CHECKS))
        people, row = making.everybody(), making.in_review()
        client, where = browser(people["amir"]), f"/submissions/{row.number}/decide/approve"
        page = client.get(where).content.decode()
        assert all(item["asks"] in page for item in CHECKS) and "No measurement answers this" in page
        words = "Read with the evidence, group by group."
        form = {"dossier_digest": row.dossier_digest, "comment": words, "rationale": words, "alternatives": words}
        form |= {"check-worst_group": "yes", "check-worst_group-note": "Women over 60."}
        sent = client.post(where, form)
        text = sent.content.decode()
        assert sent.status_code == 422 and 'href="#f-checks-understood"' in text and 'id="f-checks-understood"' in text
        assert "Women over 60." in text, "what was typed is kept"
        assert client.post(where, {**form, "check-understood": "yes"}).status_code == 302
        assert [row["answer"] for row in SignOff.objects.get().checks] == ["yes", "yes"]

    def test_whoever_asks_for_changes_answers_no_list(self, monkeypatch: pytest.MonkeyPatch) -> None:
        red(monkeypatch, analyst(checklist=CHECKS))
        people, row = making.everybody(), making.in_review()
        why = "It declines a group that it was not measured on, and nobody can say why."
        say(row, people["amir"], NewDecision(DecisionKind.REJECT, comment=why, accepted_instead=why))

    def test_the_matrix_names_function_and_element_and_approval_waits_for_every_cell(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        ethics = {"role": "ethics", "attests": "Fair use.", "checklist": CHECKS[:1]}
        red(monkeypatch, analyst(checklist=CHECKS), ethics)
        people = {**making.everybody(), "esi": making.person("esi", Role.ETHICS)}
        row = making.in_review()

        def matrix() -> dict[str, list[str]]:
            view = decision_view(row.pk, making.call(people["ada"]))
            return {element: [cell.state for cell in cells] for element, cells in view.sign_off_matrix}

        waits = {"Fairness": ["waits", "waits", "not asked"], "Explanations": ["waits", "not asked", "not asked"]}
        assert matrix() == waits
        say(row, people["amir"], approve(checks=YES))
        assert matrix() == {"Fairness": ["signed", "waits", "not asked"], "Explanations": ["signed", "not asked", "not asked"]}
        assert making.fresh(row).state == State.IN_REVIEW
        say(row, people["esi"], approve(checks=YES))
        assert matrix()["Fairness"] == ["signed", "signed", "not asked"]


class TestThreeParts:
    def test_an_approval_of_red_says_what_was_read_why_and_what_else_was_considered(self) -> None:
        people, row = making.everybody(), making.in_review()
        empty = replace(approve(), comment="", rationale="no", alternatives="...")
        assert errors(row, people["amir"], empty) == {"/comment", "/rationale", "/alternatives"}
        say(row, people["amir"])
        kept = SignOff.objects.get()
        assert kept.alternatives.startswith("Keeping the champion") and kept.rationale
        view = decision_view(row.pk, making.call(people["ada"])).sign_offs[0]
        assert (view.rationale, view.alternatives) == (kept.rationale, kept.alternatives)

    def test_yellow_and_consulted_functions_are_spared(self) -> None:
        people = making.everybody()
        bare = replace(approve(), comment="", rationale="", alternatives="")
        say(making.in_review(Track.YELLOW), people["pia"], bare)
        row = making.in_review(facts=making.facts_for(Track.RED, data__contains_pii=True))
        say(row, people["amir"])
        say(row, people["priya"], bare)
        assert making.fresh(row).turn == Role.RISK_OFFICER

    def test_residual_risk_has_a_size_a_plan_and_a_day_that_becomes_a_task(self) -> None:
        people, row = making.everybody(), making.in_review()
        say(row, people["amir"])
        today = timezone.now().date()
        wrong = replace(approve(), residual_level="huge", residual_plan="watch", residual_review_on=today)
        fields = {"/residual_level", "/residual_plan", "/residual_review_on"}
        assert errors(row, people["ruth"], wrong) == fields
        late = replace(approve(), residual_review_on=today + timedelta(days=366))
        assert errors(row, people["ruth"], late) == {"/residual_review_on"}
        say(row, people["ruth"], replace(approve(), residual_review_on=today + timedelta(days=365)))
        signed = SignOff.objects.get(role=Role.RISK_OFFICER)
        assert (signed.residual_level, signed.residual_review_on) == ("medium", today + timedelta(days=365))
        task = Condition.objects.get()
        assert (task.due_on, task.owner) == (signed.residual_review_on, row.submitter)
        assert task.text.startswith("Look again at the residual risk (medium)")


def test_a_checklist_names_no_item_twice() -> None:
    wrong = {
        **making.PACK["tracks"]["red"],
        "steps": [analyst(checklist=[CHECKS[0], CHECKS[0]]), {"role": "risk_officer", "attests": "x"}],
    }  # type: ignore[index]
    with pytest.raises(PackError, match="twice"):
        load({**making.PACK, "tracks": {**making.PACK["tracks"], "red": wrong}})  # type: ignore[dict-item]
