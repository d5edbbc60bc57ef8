"""Change envelopes end to end: two people who did not work on the system allow it, versions ship by it, the budget ends it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from governance.domain.errors import Forbidden, InvalidInput, ReauthenticationNeeded, SegregationOfDuties
from governance.domain.vocabulary import Role, State, Track
from governance.models import AuditEvent, ChangeEnvelope, EnvelopeRuling, EnvelopeUse, Submission, System, TrackDecision
from governance.policy.backtesting import Backtester
from governance.policy.envelopes import Bound
from governance.selectors.access import caller_for
from governance.selectors.replaying import replay_decisions
from governance.services.envelopes import NewEnvelope, end_envelope, parse_bounds, propose_envelope, rule_on_envelope
from reviews.selectors.past_decisions import past_batches
from tests.governance import making
from tests.governance.policy import cases
from tests.governance.services.test_tracks import decide

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _policy() -> None:
    making.policy()


def author() -> Any:
    return making.caller("gwen", Role.POLICY_AUTHOR)


def officer() -> Any:
    return making.caller("ruth", Role.RISK_OFFICER)


def terms(system: System, **more: Any) -> NewEnvelope:
    given: dict[str, Any] = {
        "system_id": system.pk,
        "environment": "production",
        "title": "daily retrains",
        "why": "A retrain on yesterday's rows changes little.",
        "track": "green",
        "rules": ["TR-020"],
        "bounds": parse_bounds("performance.relative_change from -1 % to 2 % total 5 %\nrollout.flip_rate from 0 to 0.03"),
        "until": timezone.now().date() + timedelta(days=90),
        "most_uses": 3,
        "most_looks": 5,
    }
    return NewEnvelope(**{**given, **more})


def approved(system: System, **more: Any) -> ChangeEnvelope:
    row = propose_envelope(caller=author(), new=terms(system, **more))
    rule_on_envelope(
        caller=officer(), envelope_id=row.pk, approve=True, why="Looked at twelve retrains.", proved_at=timezone.now()
    )
    return row


def judged(version: str, change: float = 0.0125) -> tuple[Submission, TrackDecision]:
    row = making.opened(making.new(version))
    facts = cases.facts({"decision.domain": "credit", "performance.relative_change": change})
    decision = decide(row, facts, final=True)
    row.refresh_from_db()
    return row, decision


def close(row: Submission, state: State = State.APPROVED) -> None:
    Submission.objects.filter(pk=row.pk).update(state=state, closed_at=timezone.now())


def test_bounds_are_read_as_people_write_them() -> None:
    assert parse_bounds("performance.relative_change from -1 % to +2% total 5 %") == (
        Bound("performance.relative_change", -0.01, 0.02, 0.05),
    )
    for wrong in ("performance up to 2 %", "drift.psi from 0.3 to 0.1", "Drift from 0 to 1"):
        with pytest.raises(InvalidInput, match="Line 1"):
            parse_bounds(wrong)


def test_a_high_risk_system_ships_inside_it_until_the_budget_ends_and_every_decision_evaluates_to_itself() -> None:
    first, before = judged("1.0.0")
    assert before.track == Track.RED and before.envelope is None
    close(first)
    envelope = approved(first.system)
    assert AuditEvent.objects.filter(action="envelope.approved").count() == 1

    second, inside = judged("1.1.0")
    assert (second.track, inside.assessment["envelope"]["inside"]) == (Track.GREEN, True)
    close(second)
    third, outside = judged("1.2.0", 0.03)
    assert third.track == Track.RED and "performance.relative_change is +3%" in outside.assessment["sentence"]
    close(third, State.WITHDRAWN)
    fourth, adding = judged("1.3.0", 0.02)
    assert fourth.track == Track.GREEN and "3.25% since people last reviewed" in adding.assessment["sentence"]
    close(fourth)
    fifth, drifted = judged("1.4.0", 0.018)
    assert fifth.track == Track.RED and "adds up to 5.05%" in drifted.assessment["sentence"], drifted.assessment["sentence"]
    close(fifth)  # people reviewed it: what adds up starts again
    sixth, again = judged("1.5.0", 0.018)
    assert sixth.track == Track.GREEN, again.assessment["sentence"]
    close(sixth)
    seventh, used_up = judged("1.6.0", 0.001)
    assert seventh.track == Track.RED and "3 uses are used up" in used_up.assessment["sentence"]
    uses = EnvelopeUse.objects.filter(envelope=envelope)
    assert (uses.filter(inside=True).count(), uses.count()) == (3, 6)
    assert [found.differs for found in replay_decisions()] == [""] * 7


def test_neither_of_the_two_may_have_worked_on_the_system_nor_ship_by_it() -> None:
    row, _ = judged("1.0.0")
    dana = making.person("dana", Role.SUBMITTER)
    System.objects.filter(pk=row.system_id).update(owner=dana)
    with pytest.raises(SegregationOfDuties):
        propose_envelope(caller=caller_for(dana), new=terms(row.system))
    with pytest.raises(Forbidden):
        propose_envelope(caller=making.caller("pia", Role.PLATFORM_ENGINEER), new=terms(row.system))
    asked = propose_envelope(caller=author(), new=terms(row.system))
    with pytest.raises(Forbidden):
        rule_on_envelope(caller=author(), envelope_id=asked.pk, approve=True, why="mine", proved_at=timezone.now())
    with pytest.raises(ReauthenticationNeeded):
        rule_on_envelope(caller=officer(), envelope_id=asked.pk, approve=True, why="fine", proved_at=None)
    both = making.person("bo", Role.RISK_OFFICER, Role.SUBMITTER)
    rule_on_envelope(caller=caller_for(both), envelope_id=asked.pk, approve=True, why="fine", proved_at=timezone.now())
    later = making.opened(making.new("1.1.0"), by=caller_for(both))
    found = decide(later, cases.facts({"decision.domain": "credit"}), final=True)
    assert found.track == Track.RED and "somebody who set its terms" in found.assessment["sentence"]


@pytest.mark.parametrize(
    ("more", "pointer"),
    [
        ({"track": "red"}, "/track"),
        ({"rules": ["TR-082"]}, "/rules"),
        ({"rules": []}, "/rules"),
        ({"bounds": (Bound("performance.relative_change", -0.01, 0.02),)}, "/bounds"),
        ({"until": timezone.now().date() + timedelta(days=400)}, "/until"),
        ({"most_uses": 0}, "/most_uses"),
        ({"most_looks": 2}, "/most_looks"),
    ],
)
def test_terms_without_an_end_a_budget_or_a_drift_limit_are_refused(more: dict[str, Any], pointer: str) -> None:
    row, _ = judged("1.0.0")
    with pytest.raises(InvalidInput) as refused:
        propose_envelope(caller=author(), new=terms(row.system, **more))
    assert pointer in [error.pointer for error in refused.value.errors]


def test_the_database_keeps_terms_budgets_and_two_people() -> None:
    row, _ = judged("1.0.0")
    asked = propose_envelope(caller=author(), new=terms(row.system, most_uses=1))
    with pytest.raises(IntegrityError, match="second person"), transaction.atomic():
        ChangeEnvelope.objects.filter(pk=asked.pk).update(state="approved")
    with pytest.raises(IntegrityError, match="proposed this envelope"), transaction.atomic():
        EnvelopeRuling.objects.create(
            envelope=asked, approve=True, why="x", by=making.person("gwen"), reauthenticated_at=timezone.now()
        )
    rule_on_envelope(caller=officer(), envelope_id=asked.pk, approve=True, why="fine", proved_at=timezone.now())
    with pytest.raises(IntegrityError, match="never change"), transaction.atomic():
        ChangeEnvelope.objects.filter(pk=asked.pk).update(most_uses=99)
    other = making.opened(making.new("1.1.0"))
    EnvelopeUse.objects.create(envelope=asked, submission=row, revision=1, inside=True)
    with pytest.raises(IntegrityError, match="used up"), transaction.atomic():
        EnvelopeUse.objects.create(envelope=asked, submission=other, revision=1, inside=True)
    end_envelope(caller=officer(), envelope_id=asked.pk, why="Too many complaints.")
    found = decide(other, cases.facts({"decision.domain": "credit"}), final=True)
    assert (found.track, found.envelope) == (Track.RED, None)


def test_the_pages_propose_approve_and_show_it() -> None:
    row, _ = judged("1.0.0")
    gwen = making.browser(making.person("gwen", Role.POLICY_AUTHOR))
    answer = gwen.post(
        f"/systems/{row.system_id}/envelope",
        {
            "title": "daily retrains",
            "environment": "production",
            "why": "Little changes.",
            "rules": ["TR-020"],
            "track": "yellow",
            "bounds": "performance.relative_change from -1 % to 2 % total 5 %",
            "until": (timezone.now().date() + timedelta(days=30)).isoformat(),
            "most_uses": "10",
            "most_looks": "20",
        },
    )
    assert answer.status_code == 302, answer.content.decode()
    assert "daily retrains" in gwen.get("/envelopes").content.decode()
    ruth = making.browser(making.person("ruth", Role.RISK_OFFICER))
    assert "reauthenticate" in ruth.post(answer["Location"], {"do": "approve", "why": "fine"})["Location"]
    assert "0 of 10 times" in ruth.get(answer["Location"]).content.decode()
    assert making.browser(making.person("gus", of=making.unit("shop"))).get(answer["Location"]).status_code == 404


def test_a_back_test_reads_the_envelope_a_decision_was_made_under() -> None:
    row, _ = judged("1.0.0")
    envelope = approved(row.system)
    inside, decision = judged("1.1.0")
    assert decision.track == Track.GREEN and decision.envelope["id"] == envelope.pk
    pack = cases.pack()
    for shift, found in ((0.0, []), (0.02, [(inside.pk, Track.RED, ("TR-020",))])):
        shifts = {"performance.relative_change": shift} if shift else {}
        tester = Backtester({decision.policy_id: pack}, pack, shifts)
        for batch in past_batches(pack.name, tester.reads, pack):
            tester.judge(batch)
        assert [(row.submission, row.after, row.rules) for row in tester.tally.listed if row.before is Track.GREEN] == found
