"""The three-week personal-data story in one sitting: a rule does not fit, somebody decides, the next one is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.domain.vocabulary import Kind, Role, Track
from governance.models import AuditEvent, ConflictRuling, RuleConflict, TrackDecision
from reviews.models import Notification
from reviews.services.intake import submit
from reviews.services.reminding import remind
from tests.governance import making
from tests.governance.services.test_tracks import QUIET

pytestmark = pytest.mark.django_db

HANDLING = "Pseudonymised tickets need no approval of their own: name the hashing job and the steward signs within a day."


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


def handed_in(who: str, system: str) -> Any:
    """A version trained on personal data that no register approves."""
    caller = making.caller(who)
    row = making.opened(making.new(system=system, answers={**QUIET, "data.contains_pii": True}), by=caller)
    submit(caller=caller, submission_id=row.pk)
    row.refresh_from_db()
    return row


def application(who: str, system: str) -> Any:
    """A build with personal data in it."""
    caller = making.caller(who)
    given = replace(making.new(system=system, answers={"data.contains_pii": True}), kind=Kind.APPLICATION)
    row = making.opened(given, by=caller)
    submit(caller=caller, submission_id=row.pk)
    row.refresh_from_db()
    return row


def words(answer: Any) -> str:
    return unescape(answer.content.decode())


def test_blocked_conflict_opened_decided_and_reused_by_the_next() -> None:
    row = handed_in("dana", "churn")
    gwen = making.person("gwen", Role.POLICY_AUTHOR)
    dana = making.browser(making.person("dana"))
    page = words(dana.get(f"/submissions/S-{row.pk}"))
    assert "TR-050" in page and f"/conflicts/new?pack=ml_model&about=TR-050&submission=S-{row.pk}" in page

    where = f"/conflicts/new?pack=ml_model&about=TR-050&submission=S-{row.pk}"
    assert dana.post(where, {"workload": "Churn from support tickets."}).status_code == 422
    answer = dana.post(where, {"workload": "Churn from support tickets.", "why": "The tickets are pseudonymised."})
    assert answer.status_code == 302
    told = Notification.objects.get(kind="conflict")
    assert (told.person_id, told.path) == (gwen.pk, answer["Location"])
    assert TrackDecision.objects.filter(submission=row).latest("id").track != Track.GREEN, "until it is decided the rule counts"

    assert dana.post(answer["Location"], {"decision": "keep", "handling": "mine"}).status_code == 403
    author = making.browser(gwen)
    assert author.post(answer["Location"], {"decision": "change", "handling": HANDLING}).status_code == 422, "no draft named"
    assert author.post(answer["Location"], {"decision": "precedent", "handling": HANDLING}).status_code == 302
    assert Notification.objects.filter(person=making.person("dana"), kind="conflict").count() == 1
    assert [e.action for e in AuditEvent.objects.filter(action__startswith="policy.conflict").order_by("seq")] == [
        "policy.conflict_opened",
        "policy.conflict_decided",
    ]

    other = handed_in("gus", "tickets")
    gus = making.browser(making.person("gus"))
    assert HANDLING in words(gus.get(f"/submissions/S-{other.pk}"))
    assert HANDLING in words(gus.get("/learn/personal-data")) and HANDLING in words(gus.get("/conflicts/new?about=TR-050"))
    bearer = making.bearer(making.token(making.person("gus")))
    verdict = gus.get(f"/api/v1/submissions/S-{other.pk}/verdict", **bearer).json()
    reason = next(reason for reason in verdict["reasons"] if reason["rule"] == "TR-050")
    assert (reason["precedent"], reason["precedent_says"]) == (answer["Location"], HANDLING)


def test_the_three_week_story_takes_one_sitting() -> None:
    """Personal data: blocked by a rule for applications, asked about, decided; the next one reads the answer at the rule."""
    blocked = application("dana", "gift-cards")
    assert blocked.track == Track.RED
    dana, author = making.browser(making.person("dana")), making.browser(making.person("gwen", Role.POLICY_AUTHOR))
    page = words(dana.get(f"/submissions/S-{blocked.pk}"))
    where = f"/conflicts/new?pack=application&about=TR-050&submission=S-{blocked.pk}"
    assert "holds personal data inside the build" in page and where in page
    told = {"workload": "A model server that needs customer rows.", "why": "It is a model, and models may with an approval."}
    opened = dana.post(where, told).url
    handling = "Hand the model in as an ML model: with the approval of the data steward it may. The build stays without."
    assert author.post(opened, {"decision": "precedent", "handling": handling}).status_code == 302
    # the same fact, handed in as what it is, asks for an approval instead of failing
    model = handed_in("dana", "gift-cards-model")
    assert {row["rule"]: row["track"] for row in reasons(model)}["TR-050"] == "yellow"
    # and the next one who meets the rule reads the decision beside it, before asking anybody
    after = application("gus", "loyalty-points")
    gus = making.browser(making.person("gus"))
    assert handling in words(gus.get(f"/submissions/S-{after.pk}")), "the precedent stands beside the reason"
    assert handling in words(gus.get(f"/conflicts/new?pack=application&about=TR-050&submission=S-{after.pk}"))
    assert RuleConflict.objects.count() == 1


def reasons(row: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = TrackDecision.objects.filter(submission=row).latest("id").assessment["reasons"]
    return found


def test_another_unit_reads_the_precedent_and_not_whose_it_was() -> None:
    row = handed_in("dana", "churn")
    conflict = RuleConflict.objects.create(
        unit=row.unit, pack="ml_model", about="TR-050", submission=row, workload="secret plan", why="w", asked_by=row.submitter
    )
    outside = making.browser(making.person("sam", Role.SUBMITTER, of=making.unit("shop")))
    assert outside.get(f"/conflicts/{conflict.pk}").status_code == 404
    ConflictRuling.objects.create(
        conflict=conflict, decision="precedent", handling=HANDLING, by=making.person("gwen", Role.POLICY_AUTHOR)
    )
    page = words(outside.get(f"/conflicts/{conflict.pk}"))
    assert HANDLING in page and "secret plan" not in page and "S-" not in page.split("<main")[1].split("</main")[0]


def test_it_ages_and_the_risk_officers_hear_of_it_once() -> None:
    making.person("gwen", Role.POLICY_AUTHOR)
    ruth = making.person("ruth", Role.RISK_OFFICER)
    dana = making.person("dana")
    assert dana.unit is not None
    long_ago = timezone.now() - timedelta(days=3)
    RuleConflict.objects.create(
        unit=dana.unit, pack="ml_model", about="TR-050", workload="w", why="w", asked_by=dana, at=long_ago
    )
    remind()
    remind()
    assert Notification.objects.filter(person=ruth, kind="overdue").count() == 1


def test_the_database_lets_nobody_decide_their_own() -> None:
    gwen = making.person("gwen", Role.POLICY_AUTHOR)
    assert gwen.unit is not None
    conflict = RuleConflict.objects.create(unit=gwen.unit, pack="ml_model", about="TR-050", workload="w", why="w", asked_by=gwen)
    with pytest.raises(IntegrityError, match="somebody else"), transaction.atomic():
        ConflictRuling.objects.create(conflict=conflict, decision="keep", handling="h", by=gwen)
    with pytest.raises(IntegrityError, match="policy author"), transaction.atomic():
        ConflictRuling.objects.create(conflict=conflict, decision="keep", handling="h", by=making.person("dana"))
    with pytest.raises(IntegrityError), transaction.atomic():
        RuleConflict.objects.update(workload="other")
