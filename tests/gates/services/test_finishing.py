"""Handing in results."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models.functions import Now

from gates.collecting import Collected, MeasuredFact, Picture
from gates.models import Chart, GateOutcome, GateRun, Measurement
from gates.services.claiming import Claim, claim_light
from gates.services.finishing import Result, finish, finished, stop_exhausted
from gates.spec import Measure
from governance.domain.vocabulary import RunStatus
from governance.models import AuditEvent
from governance.services import work as work_module
from governance.services.messages import Message
from tests.gates import making

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("plugin")]

PAST = Now() - timedelta(seconds=1)


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """Messages that left, without a broker."""
    sent: list[Message] = []
    monkeypatch.setattr(work_module.BOX, "post", lambda message: bool(sent.append(message)) or True)
    return sent


def claimed(*collectors: str, **values: Any) -> tuple[Claim, ...]:
    of = making.submission()
    for name in collectors:
        making.run(of, name, **values)
    return tuple(claim_light(of.pk, worker="w"))


def found(value: float = 0.5) -> Collected:
    picture = Picture("bars", "Bars", "Two bars", {}, ("group", "rate"), (("a", 0.1), ("b", 0.2)))
    return Collected(
        (Measure("m", value, low=0.4, high=0.6, n=10, detail={"level": 0.95}), Measure("m", 0.1, group="sex=f")),
        facts=(MeasuredFact("performance.candidate", value, 0.4, 0.6, "score"),),
        pictures=(picture,),
        notes=("2 rows excluded",),
    )


def events(action: str) -> list[AuditEvent]:
    return list(AuditEvent.objects.filter(action=action).order_by("seq"))


def test_a_result_is_stored_whole_with_its_event(posted: list[Message]) -> None:
    (claim,) = claimed("tally_one")
    assert finish(
        [Result(claim, found(), pictures={"bars": ("<svg>l</svg>", "<svg>d</svg>")}, seconds=1.5, versions={"numpy": "2"})]
    ) == [claim.id]
    run = GateRun.objects.get(pk=claim.id)
    assert (run.status, run.lease_until, run.seconds, run.versions, run.notes) == (
        RunStatus.DONE,
        None,
        1.5,
        {"numpy": "2"},
        ["2 rows excluded"],
    )
    assert run.facts == [{"name": "performance.candidate", "value": 0.5, "low": 0.4, "high": 0.6, "locator": "score"}]
    assert list(Measurement.objects.values_list("metric", "group", "value")) == [("m", "", 0.5), ("m", "sex=f", 0.1)]
    assert Chart.objects.get().svg_dark == "<svg>d</svg>"
    (event,) = events("gate_run.finished")
    assert event.object == f"gaterun:{claim.id}"
    assert run.results_digest in event.payload
    assert posted == [Message("reviews.settle", (claim.submission_id,))]
    assert finished(claim.submission_id, 1)


def test_a_second_delivery_of_the_same_result_changes_nothing(posted: list[Message]) -> None:
    (claim,) = claimed("tally_one")
    finish([Result(claim, found())])
    assert finish([Result(claim, found(0.9))]) == []
    assert Measurement.objects.filter(metric="m", group="").get().value == 0.5
    assert len(events("gate_run.finished")) == 1
    assert len(posted) == 1


def test_the_result_of_an_older_attempt_is_discarded_even_when_it_comes_first(posted: list[Message]) -> None:
    (old,) = claimed("tally_one")
    GateRun.objects.filter(pk=old.id).update(lease_until=PAST)
    (new,) = claim_light(old.submission_id, worker="w2")
    assert finish([Result(old, found(0.1))]) == []
    assert Measurement.objects.count() == 0
    assert finish([Result(new, found(0.7))]) == [new.id]
    assert finish([Result(old, failure="it crashed")]) == []
    assert Measurement.objects.filter(metric="m", group="").get().value == 0.7
    assert GateRun.objects.get().status == RunStatus.DONE


def test_a_cancelled_run_takes_no_result(posted: list[Message]) -> None:
    (claim,) = claimed("tally_one")
    GateRun.objects.filter(pk=claim.id).update(status=RunStatus.CANCELLED)
    assert finish([Result(claim, found())]) == []
    assert GateRun.objects.get().status == RunStatus.CANCELLED
    assert not events("gate_run.finished")


def test_a_failed_attempt_waits_and_the_third_is_an_error(posted: list[Message], settings: Any) -> None:
    settings.GATE_RETRY_SECONDS = 100.0
    (claim,) = claimed("tally_one")
    finish([Result(claim, failure="It crashed.", log="secret cell value")])
    run = GateRun.objects.get()
    assert (run.status, run.error) == (RunStatus.QUEUED, "It crashed.")
    assert claim_light(claim.submission_id, worker="w") == []
    for attempt in (2, 3):
        GateRun.objects.update(not_before=PAST)
        (claim,) = claim_light(claim.submission_id, worker="w")
        assert claim.attempt == attempt
        finish([Result(claim, failure="It crashed.", log="secret cell value")])
    run.refresh_from_db()
    assert run.status == RunStatus.ERROR
    assert run.error == "It crashed. Attempt 3 of 3; it is not tried again by itself."
    GateRun.objects.update(not_before=PAST)
    assert claim_light(claim.submission_id, worker="w") == []
    assert [len(events("gate_run.failed")), len(events("gate_run.finished"))] == [2, 1]
    assert not any("secret" in event.payload for event in AuditEvent.objects.all())
    assert posted == [Message("reviews.settle", (claim.submission_id,))]


def test_unusable_evidence_is_a_finished_run_without_measurement(posted: list[Message]) -> None:
    (claim,) = claimed("tally_one")
    finish([Result(claim, Collected(not_measured="preds.csv: the column “score” is missing."))])
    run = GateRun.objects.get()
    assert (run.status, run.attempt, run.not_measured) == (RunStatus.DONE, 1, "preds.csv: the column “score” is missing.")


@pytest.mark.parametrize(
    "unfit",
    [
        Collected((Measure("m", 1.0), Measure("m", 2.0))),
        Collected((Measure("m" * 121, 1.0),)),
        Collected((Measure("m", 1.0, group="g" * 301),)),
        Collected((Measure("m", 1.0, detail={"big": 2**60}),)),
        Collected((Measure("m", 1.0, text="a\x00b"),)),
        Collected((Measure("m", float("nan")),)),
    ],
)
def test_a_result_that_cannot_be_stored_fails_alone(unfit: Collected, posted: list[Message]) -> None:
    bad, good = claimed("tally_one", "tally_two")
    assert set(finish([Result(bad, unfit), Result(good, found())])) == {bad.id, good.id}
    assert GateRun.objects.get(pk=bad.id).status == RunStatus.QUEUED
    assert GateRun.objects.get(pk=bad.id).error
    assert GateRun.objects.get(pk=good.id).status == RunStatus.DONE
    assert Measurement.objects.filter(run_id=good.id).count() == 2
    assert not Measurement.objects.filter(run_id=bad.id).exists()
    assert posted == []


def test_without_the_audit_event_nothing_is_stored(posted: list[Message], monkeypatch: pytest.MonkeyPatch) -> None:
    (claim,) = claimed("tally_one")
    with connection.cursor() as cursor:
        cursor.execute("ALTER FUNCTION audit_append(text[]) RENAME TO audit_away")
    monkeypatch.setattr("gates.services.finishing.time.sleep", lambda seconds: None)
    monkeypatch.setattr("gates.services.finishing.PATIENCE", 0.05)
    try:
        with pytest.raises(Exception, match="audit trail"):
            finish([Result(claim, found())])
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER FUNCTION audit_away(text[]) RENAME TO audit_append")
    assert GateRun.objects.get().status == RunStatus.RUNNING
    assert Measurement.objects.count() == 0
    assert posted == []


def test_a_worker_lost_on_the_last_attempt_ends_the_run_as_an_error(posted: list[Message]) -> None:
    (claim,) = claimed("tally_one", attempt=2)
    assert stop_exhausted() == []
    GateRun.objects.update(lease_until=PAST)
    assert stop_exhausted() == [claim.id]
    run = GateRun.objects.get()
    assert run.status == RunStatus.ERROR
    assert run.error.startswith("The worker stopped without a result in each of 3 attempts, the last time on w.")
    assert finish([Result(claim, found())]) == []
    assert posted == [Message("reviews.settle", (claim.submission_id,))]


def test_settling_is_asked_for_by_the_last_run_only(posted: list[Message]) -> None:
    one, two = claimed("tally_one", "tally_two")
    finish([Result(one, found())])
    assert posted == []
    finish([Result(two, Collected(not_applicable="no scores"))])
    assert posted == [Message("reviews.settle", (one.submission_id,))]


@pytest.mark.parametrize("model", [Measurement, Chart, GateOutcome])
def test_what_was_measured_and_said_cannot_be_changed(model: Any, posted: list[Message]) -> None:
    (claim,) = claimed("tally_one")
    finish([Result(claim, found())])
    GateOutcome.objects.create(
        submission_id=claim.submission_id, revision=1, code="GF101", name="n", verdict="pass", blocking=True, says="fine"
    )
    for statement in (f"UPDATE {model._meta.db_table} SET submission_id = submission_id", f"DELETE FROM {model._meta.db_table}"):
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
    assert model.objects.count() >= 1
