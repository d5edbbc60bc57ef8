"""Progress in words."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from gates.models import WorkerSeen
from gates.selectors.runs import progress
from gates.services.presence import note_worker
from governance.domain.vocabulary import RunStatus
from tests.gates import making

pytestmark = pytest.mark.django_db


def test_a_queued_run_says_since_when_and_that_nobody_is_there() -> None:
    of = making.submission()
    making.run(of, "tally_one")
    found = progress(of)
    assert "no worker seen for 60 s" in found.runs[0].says
    assert found.runs[0].says.startswith("Queued since ")
    assert found.worker_missing.startswith("no worker seen for 60 s")
    assert (found.done, found.total, found.finished) == (0, 1, False)


def test_a_worker_seen_within_a_minute_counts_and_one_seen_before_does_not() -> None:
    of = making.submission()
    making.run(of, "tally_one")
    note_worker("w", "gates")
    assert progress(of).worker_missing == ""
    assert progress(of).runs[0].says.endswith("waiting for a free worker.")
    WorkerSeen.objects.update(seen_at=Now() - timedelta(seconds=61))
    assert "no worker seen" in progress(of).worker_missing


def test_heavy_runs_need_a_worker_on_their_own_queue() -> None:
    of = making.submission()
    note_worker("w", "gates")
    making.run(of, "tally_one")
    assert progress(of).worker_missing == ""
    making.run(of, "explanations", heavy=True)
    assert "no worker seen" in progress(of).worker_missing


def test_every_end_has_its_words() -> None:
    of = making.submission()
    making.run(of, "a", status=RunStatus.DONE, seconds=1.26)
    making.run(of, "b", status=RunStatus.DONE, not_measured="No file.")
    making.run(of, "c", status=RunStatus.DONE, not_applicable="No scores.")
    making.run(of, "d", status=RunStatus.ERROR, error="It crashed.")
    making.run(of, "e", status=RunStatus.CANCELLED)
    making.run(of, "f", status=RunStatus.CANCELLED, error="Cancelled by the submitter.")
    found = progress(of)
    assert [(run.badge, run.says) for run in found.runs] == [
        ("measured", "Measured in 1.3 s."),
        ("not_assessed", "No file."),
        ("not_applicable", "No scores."),
        ("error", "It crashed."),
        ("cancelled", "Cancelled: a newer revision or a withdrawal made it unnecessary."),
        ("cancelled", "Cancelled by the submitter."),
    ]
    assert found.finished
    assert found.says == "All 6 checks finished."


def test_a_retry_says_why_and_when() -> None:
    of = making.submission()
    note_worker("w", "gates")
    making.run(of, "a", attempt=1, error="It crashed.", not_before=Now() + timedelta(seconds=30))
    assert "attempt 1 failed (It crashed.), tried again at" in progress(of).runs[0].says


def test_only_the_current_revision_is_shown() -> None:
    of = making.submission()
    making.run(of, "a", status=RunStatus.DONE)
    making.revise(of, 2)
    assert progress(of).runs == ()
    assert progress(of).finished


@pytest.mark.parametrize("count", [1, 12])
def test_progress_takes_two_queries_however_many_runs(count: int) -> None:
    of = making.submission()
    for number in range(count):
        making.run(of, f"c{number}")
    with CaptureQueriesContext(
        connection,
    ) as seen:
        progress(of)
    assert len(seen) == 2
