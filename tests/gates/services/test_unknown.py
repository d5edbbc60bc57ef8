"""Workers of two versions: each takes what it knows, and what nobody knows says so and comes to an end."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now

from gates import registry
from gates.models import GateRun, WorkerSeen
from gates.selectors.runs import progress
from gates.services.claiming import claim_heavy, claim_light, claim_next_heavy, claim_next_light
from gates.services.control import repeat_run
from gates.services.presence import note_worker
from gates.services.relaying import relay
from gates.services.unknown import end_unknown, mark_unknown
from governance.domain.vocabulary import Role, RunStatus
from governance.models import AuditEvent
from tests.gates import making

pytestmark = pytest.mark.django_db

NEWER = "performance 999"
MARKED_FOR = Now() - timedelta(seconds=3601)


def waiting(edition: str = NEWER, **values: Any) -> GateRun:
    """A run planned by a web server whose performance collector is of that version."""
    return making.run(making.submission(), "performance", edition=edition, **values)


def of_the_newer_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "editions", lambda: (NEWER,))


@pytest.mark.parametrize("heavy", [False, True], ids=["light", "heavy"])
def test_a_worker_takes_only_what_it_knows(monkeypatch: pytest.MonkeyPatch, heavy: bool) -> None:
    run = waiting(heavy=heavy)
    by_turn, by_id = (claim_next_heavy, claim_heavy) if heavy else (claim_next_light, claim_light)
    assert by_turn(worker="old") == [] == by_id(run.pk if heavy else run.submission_id, worker="old")
    run.refresh_from_db()
    assert (run.status, run.attempt) == (RunStatus.QUEUED, 0)
    of_the_newer_version(monkeypatch)
    assert [claim.id for claim in by_turn(worker="new")] == [run.pk]


def test_a_run_of_before_editions_goes_by_the_collectors_name() -> None:
    run, unknown = waiting(""), making.run(making.submission(), "no_such_collector")
    assert claim_light(unknown.submission_id, worker="w") == []
    assert [claim.id for claim in claim_light(run.submission_id, worker="w")] == [run.pk]


def test_what_no_running_worker_knows_is_said_with_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    known, run = waiting(registry.collector("performance").edition), waiting()
    note_worker("old", "gates")
    assert mark_unknown() == 1
    assert mark_unknown() == 0, "once marked, the moment stays"
    (said,) = progress(run.submission).runs
    assert (
        "No running worker has the collector “performance”, version 999; start a worker of the version that has it." in said.says
    )
    assert "counts as not assessed from" in said.says
    (other,) = progress(known.submission).runs
    assert other.says.endswith("waiting for a free worker.")
    with monkeypatch.context() as patch:
        of_the_newer_version(patch)
        note_worker("new", "gates")
    assert mark_unknown() == 0
    run.refresh_from_db()
    assert run.unknown_since is None


@pytest.mark.parametrize("there", ["nobody", "another queue", "long ago", "an earlier version"])
def test_without_a_worker_that_says_what_it_has_nothing_is_marked(there: str) -> None:
    run = waiting()
    if there != "nobody":
        note_worker("w", "gates.heavy" if there == "another queue" else "gates")
    if there == "long ago":
        WorkerSeen.objects.update(seen_at=Now() - timedelta(seconds=61))
    if there == "an earlier version":
        # what such a worker writes: it knows nothing of the column
        WorkerSeen.objects.all().delete()
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO gates_workerseen (name, queue, seen_at) VALUES ('w', 'gates', statement_timestamp())")
    assert mark_unknown() == 0
    run.refresh_from_db()
    assert run.unknown_since is None


def test_after_the_time_it_ends_without_an_attempt_and_can_be_run_again(
    settings: Any, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    settings.GATE_UNKNOWN_SECONDS = 3600.0
    run, later = waiting(unknown_since=MARKED_FOR), waiting(unknown_since=Now() - timedelta(seconds=3500))
    note_worker("old", "gates")
    assert relay() == 0, "nobody is woken for what nobody knows"
    run.refresh_from_db()
    later.refresh_from_db()
    assert (run.status, run.attempt, later.status) == (RunStatus.ERROR, 0, RunStatus.QUEUED)
    assert run.error == (
        "No running worker has the collector “performance”, version 999; start a worker of the version that has it. "
        "None came within 60 minutes; it can be run again then."
    )
    event = AuditEvent.objects.get(object=f"gaterun:{run.pk}")
    said = json.loads(event.payload)["data"]
    assert (event.action, said["edition"], said["attempt"]) == ("gate_run.finished", NEWER, 0)
    caller = making.caller(run.submission.unit, Role.ANALYST)
    again = repeat_run(caller=caller, submission_id=run.submission_id, collector="performance")
    assert again.edition == registry.collector("performance").edition


def test_what_was_taken_meanwhile_is_left_alone() -> None:
    run = waiting(unknown_since=MARKED_FOR, status=RunStatus.RUNNING, lease_until=Now() + timedelta(seconds=30), attempt=1)
    assert end_unknown() == []
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
