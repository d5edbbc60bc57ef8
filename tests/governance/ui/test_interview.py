"""The interview: one question at a time, only what is open, back and forth, saved as one goes, to the check page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client

from governance.models import Submission
from governance.selectors.drafts import draft_of
from tests.governance import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def dana() -> Client:
    making.policy()
    return making.browser(making.person())


def opened() -> Submission:
    return making.opened(making.new(sources=[making.source(p) for p in (making.MLMODEL, making.RUN, making.CARD)]))


def page_of(dana: Client, address: str) -> str:
    shown = dana.get(address)
    assert shown.status_code == 200, (address, shown.status_code)
    return str(shown.content.decode())


def saying(row: Submission, name: str) -> dict[str, Any]:
    """An answer a person could give to this question."""
    draft = draft_of(caller=making.caller(), submission_id=row.pk)
    question = next(state.question for state in draft.states if state.question.id == name)
    value = {"bool": "false", "choice": question.choices[0].value if question.choices else ""}.get(question.type)
    return {name: value} if value is not None else {f"{name}__unknown": "1"}


def test_every_open_question_once_and_nothing_that_a_file_says(dana: Client) -> None:
    row = opened()
    draft = draft_of(caller=making.caller(), submission_id=row.pk)
    read = {state.question.id for state in draft.states if state.shown is not None}
    here = dana.get(f"/submissions/S-{row.pk}/interview")["Location"]
    asked: list[str] = []
    while "/interview/" in here:
        name = here.rsplit("/", 1)[1]
        assert name not in asked, "no question twice"
        page = page_of(dana, here)
        assert re.search(rf"Question {len(asked) + 1} of \d+", page), "the place in the interview"
        assert page.count('class="field') >= 1 and len(re.findall(r'<div class="field(?: field-wrong)?">', page)) == 1
        asked.append(name)
        here = dana.post(here, saying(row, name))["Location"]
    assert asked and not set(asked) & read
    done = draft_of(caller=making.caller(), submission_id=row.pk)
    assert not [state.question.id for state in done.states if not state.answered], "nothing is left open"
    assert "Check your answers" in page_of(dana, f"/submissions/S-{row.pk}/check")
    assert dana.get(f"/submissions/S-{row.pk}/interview")["Location"] == here, "nothing more to ask"


def test_back_shows_what_was_said_and_a_follow_up_comes_only_when_it_matters(dana: Client) -> None:
    row = making.opened(making.new())
    at = f"/submissions/S-{row.pk}/interview"
    dana.post(f"{at}/decision.domain", {"decision.domain": "marketing"})
    assert dana.get(f"{at}/decision.human_review").status_code == 302, "not asked yet, so it leads to what is"
    after = dana.post(f"{at}/decision.automated", {"decision.automated": "false"})["Location"]
    shown = page_of(dana, f"{at}/decision.human_review")
    assert "Question" in shown and after.startswith(at)
    back = re.search(r'<a class="btn" href="([^"]+)">Back</a>', shown)
    assert back
    assert " checked" in page_of(dana, f"{at}/decision.automated"), "what was said is there to change"


def test_nothing_said_to_a_required_question_is_explained_and_saves_nothing(dana: Client) -> None:
    row = making.opened(making.new())
    answer = dana.post(f"/submissions/S-{row.pk}/interview/decision.domain", {})
    page = answer.content.decode()
    assert answer.status_code == 422 and "I do not know" in page
    assert 'href="#f-decision-domain' in page and not row.answers.exists()
    assert dana.get(f"/submissions/S-{row.pk}/interview/no.such.question").status_code == 404


def test_personal_data_is_confirmed_where_the_advice_stands(dana: Client) -> None:
    row = making.opened(making.new())
    dana.post(f"/submissions/S-{row.pk}/interview/data.contains_pii", {"data.contains_pii": "true"})
    check = page_of(dana, f"/submissions/S-{row.pk}/check")
    assert "Training data includes PII. Confirm data governance approval." in check
    form = re.search(r'<form method="post" action="([^"]+/advice)".*?</form>', check, re.S)
    assert form and 'name="value"' in form[0]
    words = "DPIA 2026-114, approved 2026-08-03 for credit scoring, on the contract"
    there = dana.post(form[1], {"question": "data.pii_approval", "value": words})
    assert there["Location"] == f"/submissions/S-{row.pk}/check"
    assert row.answers.get(question="data.pii_approval").value == words
    empty = dana.post(form[1], {"question": "data.pii_approval", "value": " "}, follow=True)
    assert "Nothing was saved" in empty.content.decode()
    assert dana.post(form[1], {"question": "decision.domain", "value": "other"}).status_code == 404
