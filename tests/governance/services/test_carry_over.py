"""The champion's answers: offered, shown as carried over, no fact until somebody says that they still hold."""

from __future__ import annotations

import pytest
from django.db.models.functions import Now

from governance.domain.vocabulary import State
from governance.models import Submission
from governance.selectors.champions import champion_of
from governance.selectors.drafts import draft_of
from governance.selectors.facts import facts_of, offered
from governance.services.drafts import changing, discard_answer
from reviews.services.intake import submit
from tests.governance import making

pytestmark = pytest.mark.django_db

SAID = {"decision.automated": False, "impact.financial": "low", "rollout.strategy": "canary"}


@pytest.fixture
def draft() -> Submission:
    """Version 2 of a system whose version 1 was approved with three answers."""
    making.policy()
    first = making.opened(making.new("1.0.0", answers=SAID))
    submit(caller=making.caller(), submission_id=first.pk)
    Submission.objects.filter(pk=first.pk).update(state=State.APPROVED, closed_at=Now())
    return making.opened(making.new("2.0.0"))


def facts_now(row: Submission) -> object:
    return facts_of(row, champion_of(system_id=row.system_id, environment=row.environment, before=row.pk))


def state(row: Submission, question: str) -> object:
    draft = draft_of(caller=making.caller(), submission_id=row.pk)
    return next(s for s in draft.states if s.question.id == question)


def test_they_are_offered_and_say_nothing_about_the_new_version(draft: Submission) -> None:
    champion = champion_of(system_id=draft.system_id, environment=draft.environment, before=draft.pk)
    facts = facts_of(draft, champion)
    offers = offered(facts, champion)
    assert {name: offers[name].value for name in SAID} == SAID
    assert all(offer.origin == "carried over from 1.0.0" for offer in offers.values())
    assert not any(name in facts for name in SAID)
    shown = state(draft, "impact.financial")
    assert (shown.value, shown.answered) == ("low", False)


def test_an_offer_never_lowers_the_track(draft: Submission) -> None:
    before = draft_of(caller=making.caller(), submission_id=draft.pk).preview.assessment
    rule = {row.rule.id for row in before.hits}
    assert "TR-060" in rule, "the financial impact counts as unknown until somebody answers"
    making.say(draft, {"impact.financial": "low"})
    after = draft_of(caller=making.caller(), submission_id=draft.pk).preview.assessment
    assert "TR-060" not in {row.rule.id for row in after.hits}


def test_pages_show_them_as_carried_over_until_they_are_confirmed(draft: Submission) -> None:
    client = making.browser(making.person())
    page = client.get(f"/submissions/S-{draft.pk}/questions/impact").content.decode()
    assert "Carried over" in page and "from 1.0.0" in page
    check = client.get(f"/submissions/S-{draft.pk}/check").content.decode()
    assert "Says nothing about this version until you confirm" in check
    assert "Confirmed" not in check
    client.post(f"/submissions/S-{draft.pk}/confirm")
    said = {a.question: (a.value, a.provenance, a.reason) for a in draft.answers.all()}
    assert {name: said[name] for name in SAID} == {
        name: (value, "carried_over", "Still holds, carried over from 1.0.0.") for name, value in SAID.items()
    }
    assert {name: facts_now(draft).value(name) for name in SAID} == SAID
    check = client.get(f"/submissions/S-{draft.pk}/check").content.decode()
    assert "Says nothing about this version" not in check
    assert "Carried over" in check and "by Dana" in check


def test_saving_their_page_confirms_them_and_changing_one_is_an_answer_of_ones_own(draft: Submission) -> None:
    client = making.browser(making.person())
    client.post(
        f"/submissions/S-{draft.pk}/questions/impact", {"impact.financial": "medium", "impact.people_per_month__unknown": "1"}
    )
    said = draft.answers.get(question="impact.financial")
    assert (said.value, said.provenance, said.reason) == ("medium", "typed", "")
    client.post(f"/submissions/S-{draft.pk}/questions/impact", {"impact.financial": "low"})
    assert draft.answers.get(question="impact.financial").provenance == "carried_over"


def test_a_confirmed_one_shown_again_is_not_recorded_again(draft: Submission) -> None:
    client, where = making.browser(making.person()), f"/submissions/S-{draft.pk}/questions/impact"
    client.post(where, {"impact.financial": "low"})
    at = draft.answers.get(question="impact.financial").at
    client.post(where, {"impact.financial": "low"})
    assert draft.answers.get(question="impact.financial").at == at


def test_taken_back_it_is_an_offer_again(draft: Submission) -> None:
    making.say(draft, {"impact.financial": "low"})
    with changing(making.caller(), draft.pk) as (work, row):
        discard_answer(work, row, "impact.financial")
    assert "impact.financial" not in facts_now(draft)
    assert state(draft, "impact.financial").value == "low"


def test_what_is_said_to_be_unknown_stays_unknown(draft: Submission) -> None:
    making.say(draft, {"impact.financial": None})
    shown = state(draft, "impact.financial")
    assert (shown.value, shown.answered) == (None, True)


def test_submitted_unconfirmed_they_are_not_in_the_record(draft: Submission) -> None:
    submit(caller=making.caller(), submission_id=draft.pk)
    names = {fact["name"] for fact in draft.revisions.get().facts}
    assert not names & set(SAID)
    assert not any("carried over" in fact["origin"] for fact in draft.revisions.get().facts)


def test_the_first_version_has_nothing_to_carry_over() -> None:
    making.policy()
    row = making.opened()
    assert draft_of(caller=making.caller(), submission_id=row.pk).preview.offers == {}
