"""The case page: what it is for comes first, and each revision keeps the words it was handed in with."""

from __future__ import annotations

import re
from html import unescape

import pytest
from django.test import Client

from governance.domain.vocabulary import DecisionKind
from governance.models import Revision, Submission
from governance.services.drafts import NewAnswer, answer, changing
from reviews.selectors.decision_view import decision_view
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


def test_the_reasons_stand_on_the_page_once() -> None:
    row = making.in_review()
    main = page_of(row, "amir")
    why = main[main.index('id="why"') : main.index('id="answers"')]
    reason = decision_view(row.pk, making.call(making.everybody()["amir"])).reasons[0].says
    assert "This deployment requires ML Governance Analyst review because:" in why
    visible = re.sub(r'<span class="visually-hidden">.*?</span>', "", why).lower()
    assert visible.count(reason.lower()) == 1


def test_any_number_of_changes_can_be_asked_for_without_a_script() -> None:
    """ "Add another" is a button of the form: the page comes back with one more row, and what was typed is still there."""
    people, row = making.everybody(), making.in_review()
    client = Client()
    client.force_login(people["amir"], backend="django.contrib.auth.backends.ModelBackend")
    where = f"/submissions/{row.number}/decide/changes"
    page = unescape(client.get(where).content.decode())
    assert 'name="rows" value="3"' in page and 'name="change-3-asks"' not in page
    sent = {"dossier_digest": row.dossier_digest, "comment": "Five things."}
    for number in range(5):
        sent |= {
            f"change-{number}-about": "question:business.context",
            f"change-{number}-asks": f"Thing {number} has to be said in words.",
            f"change-{number}-enough": f"One sentence about thing {number}.",
        }
        if number >= 2:
            answer = client.post(where, {**sent, "rows": str(number + 1), "add": "1"})
            assert answer.status_code == 200
            page = unescape(answer.content.decode())
            assert f'name="rows" value="{number + 2}"' in page and f'name="change-{number + 1}-asks"' in page
            assert f"Thing {number} has to be said in words." in page and "Five things." in page
            assert f'id="f-change-items-{number + 1}-about"' in page
    assert not row.change_items.exists(), "adding rows records nothing"
    assert client.post(where, {**sent, "rows": "5"}).status_code == 302
    asked = sorted(row.change_items.values_list("asks", flat=True))
    assert asked == [f"Thing {number} has to be said in words." for number in range(5)]


@pytest.mark.parametrize(("rows", "shown"), [("", 3), ("2", 3), ("7", 7), ("900", 50), ("9000", 3), ("x", 3), ("-1", 3)])
def test_the_number_of_rows_is_bounded(rows: str, shown: int) -> None:
    people, row = making.everybody(), making.in_review()
    client = Client()
    client.force_login(people["amir"], backend="django.contrib.auth.backends.ModelBackend")
    page = client.post(f"/submissions/{row.number}/decide/changes", {"rows": rows, "dossier_digest": row.dossier_digest})
    assert page.status_code == 422
    assert page.content.decode().count('class="visually-hidden">Item ') == shown
