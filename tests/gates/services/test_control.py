"""Cancelling a run and running one again: who may, when, how often, and what stays."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from gates.models import GateRun, Measurement
from gates.selectors.control import LATELY, MOST_AGAIN
from gates.selectors.measured import measured_of
from gates.selectors.runs import progress
from gates.services.claiming import claim_light
from gates.services.control import cancel_run, repeat_run
from gates.services.finishing import Result, finish
from governance.domain.errors import Conflict, DomainError, Forbidden, NotFound
from governance.domain.vocabulary import Role, RunStatus, Scope, State
from governance.models import AuditEvent, Evidence, EvidenceFile, Submission
from governance.selectors.access import SYSTEM, Caller, caller_for
from governance.services import work as work_module
from governance.services.messages import Message
from governance.services.tokens import issue_token
from tests.gates import making
from tests.gates.services.test_finishing import found

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plugin")]


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    sent: list[Message] = []
    monkeypatch.setattr(work_module.BOX, "post", lambda message: bool(sent.append(message)) or True)
    return sent


def submitter(of: Submission) -> Caller:
    return caller_for(of.submitter)


def refusal(caller: Caller, of: Submission, collector: str, what: Any = repeat_run) -> str:
    with pytest.raises(DomainError) as refused:
        what(caller=caller, submission_id=of.pk, collector=collector)
    return refused.value.code


def in_state(of: Submission, state: State) -> None:
    Submission.objects.filter(pk=of.pk).update(state=state)


def test_the_submitter_cancels_and_the_last_one_settles_the_case(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "performance", status=RunStatus.DONE)
    run = making.run(of, "fairness")
    (claim,) = claim_light(of.pk, worker="w")
    cancelled = cancel_run(caller=submitter(of), submission_id=of.pk, collector="fairness")
    assert (cancelled.status, cancelled.error) == (RunStatus.CANCELLED, "Cancelled by the submitter. It can be run again.")
    assert posted == [Message("reviews.settle", (of.pk,))]
    # what the worker still brings is discarded, and the gates that need it are told why there is nothing
    assert finish([Result(claim, found())]) == []
    assert measured_of(of.pk, 1).not_measured["fairness"].startswith("Cancelled by the submitter")
    event = AuditEvent.objects.get(action="gate_run.cancelled")
    assert json.loads(event.payload)["data"] == {
        "run": run.pk, "collector": "fairness", "revision": 1, "attempt": 1, "status": "running",
    }  # fmt: skip
    assert refusal(submitter(of), of, "fairness", cancel_run) == "run_ended"


def test_running_again_is_a_new_row_and_the_old_one_keeps_what_it_measured(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "tally_one", priority=3)
    (claim,) = claim_light(of.pk, worker="w")
    finish([Result(claim, found())])
    before = list(Measurement.objects.values())
    posted.clear()
    again = repeat_run(caller=submitter(of), submission_id=of.pk, collector="tally_one")
    old = GateRun.objects.get(pk=claim.id)
    assert (old.current, old.status, again.again_of_id, again.status, again.attempt) == (False, "done", old.pk, "queued", 0)
    assert (again.inputs, again.priority, again.revision) == (old.inputs, 3, 1)
    assert posted == [Message("gates.run_light", (of.pk,), 3)]
    assert list(Measurement.objects.values()) == before
    assert measured_of(of.pk, 1).rows == ()
    assert [run.id for run in progress(of).runs] == [again.pk]
    assert refusal(submitter(of), of, "tally_one") == "run_unfinished"
    (second,) = claim_light(of.pk, worker="w")
    finish([Result(second, found())])
    assert len(measured_of(of.pk, 1).rows) == len(before)
    assert AuditEvent.objects.filter(action="gate_run.queued_again", object=f"submission:{of.pk}").count() == 1


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.ANALYST, True),
        (Role.PLATFORM_ENGINEER, True),
        (Role.SUBMITTER, False),
        (Role.RISK_OFFICER, False),
        (Role.AUDITOR, False),
    ],
)
def test_who_may(posted: list[Message], role: Role, allowed: bool) -> None:
    of = making.submission()
    making.run(of, "a", status=RunStatus.ERROR, error="It crashed.")
    making.run(of, "b")
    caller = making.caller(of.unit, role)
    can = {run.collector: run.can for run in progress(of, caller).runs}
    assert can == ({"a": ("again",), "b": ("cancel",)} if allowed else {"a": (), "b": ()})
    for what, name in ((cancel_run, "b"), (repeat_run, "a")):
        if allowed:
            what(caller=caller, submission_id=of.pk, collector=name)
        else:
            with pytest.raises(Forbidden, match="analyst or a platform engineer"):
                what(caller=caller, submission_id=of.pk, collector=name)
    stranger = making.caller(making.unit("shop"), Role.ANALYST)
    with pytest.raises(NotFound):
        cancel_run(caller=stranger, submission_id=of.pk, collector="b")
    with pytest.raises(NotFound):
        repeat_run(caller=caller, submission_id=of.pk, collector="none")


def test_a_token_needs_the_scope_to_submit(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "a")
    _, secret = issue_token(caller=SYSTEM, person=of.submitter, unit=of.unit, name="reader", scopes=[Scope.READ])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    assert client.post(f"/api/v1/submissions/S-{of.pk}/runs/a/cancel").json()["code"] == "scope_needed"


def test_over_rest_a_pipeline_follows_cancels_and_repeats(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "a")
    _, secret = issue_token(caller=SYSTEM, person=of.submitter, unit=of.unit, name="ci", scopes=[Scope.READ, Scope.SUBMIT])
    client = Client(headers={"Authorization": f"Bearer {secret}"})
    address = f"/api/v1/submissions/S-{of.pk}/runs"
    (run,) = client.get(address).json()["runs"]
    assert (run["status"], run["actions"], run["ahead"]) == ("queued", ["cancel"], 0)
    cancelled = client.post(f"{address}/a/cancel")
    assert (cancelled.status_code, cancelled.json()["runs"][0]["actions"]) == (200, ["again"])
    again = client.post(f"{address}/a/again")
    assert (again.status_code, again.json()["runs"][0]["status"]) == (202, "queued")
    refused = client.post(f"{address}/a/again")
    assert (refused.status_code, refused.json()["code"]) == (409, "run_unfinished")


@pytest.mark.parametrize("state", [State.APPROVED, State.REJECTED, State.WITHDRAWN, State.IN_REVIEW, State.CHANGES_REQUESTED])
def test_nothing_runs_again_once_people_decide(posted: list[Message], state: State) -> None:
    of = making.submission()
    making.run(of, "a", status=RunStatus.ERROR, error="It crashed.")
    in_state(of, state)
    assert refusal(submitter(of), of, "a") == "wrong_state"
    assert refusal(submitter(of), of, "a", cancel_run) == "wrong_state"
    assert GateRun.objects.count() == 1


def test_after_failed_checks_it_goes_back_into_checks(posted: list[Message]) -> None:
    of = making.submission(state=State.CHECKS_FAILED)
    making.run(of, "a", status=RunStatus.ERROR, error="It crashed.")
    assert refusal(submitter(of), of, "a", cancel_run) == "wrong_state"
    repeat_run(caller=submitter(of), submission_id=of.pk, collector="a")
    of.refresh_from_db()
    assert (of.state, of.turn) == (State.IN_CHECKS, "machine")
    assert AuditEvent.objects.filter(action="submission.recheck").count() == 1


def test_old_files_are_not_measured_again_once_the_evidence_changed(posted: list[Message]) -> None:
    of = making.submission(state=State.CHECKS_FAILED, evidence=[making.evidence("candidate_predictions")])
    making.run(of, "a", status=RunStatus.ERROR, error="It crashed.")
    file = EvidenceFile.objects.create(
        unit=of.unit, sha256="c" * 64, size=1, name="new.csv", media_type="text/csv", uploaded_by=of.submitter
    )
    Evidence.objects.create(submission=of, role="candidate_predictions", file=file, columns={}, added_by=of.submitter)
    assert refusal(submitter(of), of, "a") == "evidence_changed"
    with pytest.raises(Conflict, match="Submit the revision"):
        repeat_run(caller=submitter(of), submission_id=of.pk, collector="a")
    assert progress(of, submitter(of)).runs[0].can == ()


def test_a_missing_file_is_not_found_by_running_again(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "a", status=RunStatus.DONE, not_measured="No file was handed in as “candidate_model”.")
    assert refusal(submitter(of), of, "a") == "evidence_missing"


def test_three_times_in_ten_minutes_and_no_more(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "a", status=RunStatus.ERROR, error="It crashed.")
    for _ in range(MOST_AGAIN):
        row = repeat_run(caller=submitter(of), submission_id=of.pk, collector="a")
        GateRun.objects.filter(pk=row.pk).update(status=RunStatus.ERROR, error="It crashed.")
    assert refusal(submitter(of), of, "a") == "too_often"
    assert progress(of, submitter(of)).runs[0].can == ()
    GateRun.objects.update(queued_at=Now() - LATELY - timedelta(seconds=1))
    repeat_run(caller=submitter(of), submission_id=of.pk, collector="a")


def test_the_buttons_are_forms_that_work_without_scripts(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "fairness")
    client = Client()
    client.force_login(of.submitter)
    address = f"/submissions/S-{of.pk}"
    page = client.get(f"{address}/progress").content.decode()
    assert f'action="{address}/runs/fairness/cancel"' in page and 'aria-live="polite"' in page
    after = client.post(f"{address}/runs/fairness/cancel", follow=True).content.decode()
    assert "Cancelled by the submitter" in after
    assert f'action="{address}/runs/fairness/again"' in after and "hx-trigger" not in after
    again = client.post(f"{address}/runs/fairness/again", follow=True).content.decode()
    assert "What it measured before stays on record" in again and 'hx-trigger="every 2s"' in again


def test_a_poll_that_brings_nothing_new_is_answered_with_nothing(posted: list[Message]) -> None:
    of = making.submission()
    making.run(of, "fairness")
    run = making.run(of, "performance")
    client = Client(headers={"HX-Request": "true"})
    client.force_login(of.submitter)
    address = f"/submissions/S-{of.pk}/progress"
    found = progress(of, submitter(of))
    same = client.get(f"{address}?seen={found.seen}&done=0")
    assert (same.status_code, same.content) == (204, b"")
    GateRun.objects.filter(pk=run.pk).update(status=RunStatus.DONE)
    part = client.get(f"{address}?seen={found.seen}&done=0").content.decode()
    assert '<span hx-swap-oob="innerHTML:#progress_said">1 of 2 checks finished.</span>' in part
    assert "hx-swap-oob" not in client.get(f"{address}?seen=x&done=1").content.decode()
