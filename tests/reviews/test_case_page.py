"""The case page: what it is for comes first, and each revision keeps the words it was handed in with."""

from __future__ import annotations

from html import unescape

import pytest
from django.test import Client

from governance.domain.vocabulary import DecisionKind
from governance.models import Revision, Submission
from governance.services.drafts import NewAnswer, answer, changing
from reviews.services.deciding import decide
from reviews.services.decision_input import NewChange, NewDecision
from reviews.services.intake import revise
from tests.reviews import making
from tests.reviews.making import Gate

pytestmark = pytest.mark.django_db(transaction=True)


def page_of(row: Submission, name: str) -> str:
    client = Client()
    client.force_login(making.everybody()[name], backend="django.contrib.auth.backends.ModelBackend")
    answer = client.get(f"/submissions/{row.number}")
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_the_purpose_stands_before_track_gates_and_history() -> None:
    words = "This is a pricing optimization model, A/B testing with 5% traffic."
    row = making.in_review(
        gates=(Gate("GF101", "warn"), Gate("GP101")), facts=making.facts_for(making.Track.RED, business__context=words)
    )
    page = page_of(row, "amir")
    main = page[page.index("<main") :]
    assert words in main
    at = main.index(words)
    for later in ("gate-GF101", "gate-GP101", 'id="findings"', 'id="history"', "Every fact and where it comes from"):
        assert at < main.index(later), later


def test_one_page_has_performance_bias_context_changes_and_findings() -> None:
    row = making.in_review(gates=(Gate("GP101"), Gate("GF101"), Gate("GX101")))
    page = page_of(row, "amir")
    for part in ("What it is for", "gate-GP101", "gate-GF101", "gate-GX101", "Findings", "History", "Review steps"):
        assert part in page, part


def test_each_revision_keeps_the_purpose_it_was_handed_in_with() -> None:
    people = making.everybody()
    row = making.in_review()
    first = Revision.objects.get(submission=row)
    item = NewChange("Say whom it affects.", "A sentence with the group.", "", "business.context")
    decide(
        caller=making.call(people["amir"]),
        submission_id=row.pk,
        dossier_digest=row.dossier_digest,
        decision=NewDecision(DecisionKind.REQUEST_CHANGES, change_items=(item,)),
    )
    with changing(making.call(row.submitter), row.pk) as (work, working):
        answer(work, working, {"business.context": NewAnswer("Pre-screens applications of new customers.")}, reason_needed=False)
    revise(caller=making.call(row.submitter), submission_id=row.pk, note="Says whom it affects.")
    second = Revision.objects.get(submission=row, number=2)

    def context(revision: Revision) -> set[str]:
        return {str(fact["value"]) for fact in revision.facts if fact["name"] == "business.context"}

    assert context(first) == {"Pre-screens applications."}
    assert "Pre-screens applications of new customers." in context(second)


def test_the_risk_sign_off_leads_with_what_is_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [
        {**making.QUESTIONNAIRE["questions"][1], "id": name, "ask": name, "example": "1200", "material": True}  # type: ignore[index]
        for name in ("impact.people_per_month", "impact.financial")
    ]
    monkeypatch.setitem(making.QUESTIONNAIRE, "questions", [*asked, *making.QUESTIONNAIRE["questions"]])
    people = making.everybody()
    row = making.in_review(facts=making.facts_for(making.Track.RED, impact__people_per_month="1200", impact__financial="high"))
    decide(
        caller=making.call(people["amir"]),
        submission_id=row.pk,
        dossier_digest=row.dossier_digest,
        decision=making.approve(comment="Challenged on the smallest groups."),
    )
    ruth = Client()
    people["ruth"].set_password("a-long-password-1")
    people["ruth"].save()
    page = ruth.post("/account/login/", {"login": "ruth", "password": "a-long-password-1"})
    assert page.status_code == 302
    text = unescape(ruth.get(f"/submissions/{row.number}/decide/approve").content.decode())
    main = text[text.index("<main") :]
    begins, form = main.index("What you accept"), main.index("<form")
    assert begins < form
    lead = main[begins:form]
    assert "1200 people a month" in lead and "high" in lead
    assert "Challenged on the smallest groups." in lead
    assert 'name="residual_risk"' in main[form:]
