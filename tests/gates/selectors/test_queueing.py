"""Why a run is queued, what is ahead of it, and how long it usually takes."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext

from gates.models import GateRun
from gates.selectors import queueing as queueing_module
from gates.selectors.runs import doing_words, progress
from gates.services.claiming import claim_light
from gates.services.presence import note_worker
from governance.domain.vocabulary import Role, RunStatus
from governance.models import Submission
from governance.selectors import broker as broker_module
from governance.selectors.access import Caller
from tests.gates import making
from tests.stack import Running, Stack

pytestmark = pytest.mark.django_db


def seen_by(of: Submission) -> Caller:
    return making.caller(of.unit, Role.ANALYST)


def test_it_says_how_many_come_first_and_what_runs_now() -> None:
    note_worker("w1", "gates")
    note_worker("w2", "gates")
    before = [making.submission() for _ in range(3)]
    for of in before:
        for name in ("performance", "fairness"):
            making.run(of, name, priority=0)
    (busy, *_) = before
    claim_light(busy.pk, worker="w1")
    later = making.submission()
    making.run(later, "drift", priority=0)
    mine = making.submission()
    making.run(mine, "performance", priority=3)
    making.run(mine, "lineage", priority=3)
    making.run(making.submission(), "performance", priority=6)
    found = progress(mine, seen_by(mine))
    assert {run.ahead for run in found.runs} == {3}
    says = found.runs[0].says
    assert "; 3 other submissions come first, waiting for a free worker. 2 workers seen; running now: “" in says
    assert busy.number not in says
    assert [(lane.queue, lane.workers, lane.running) for lane in found.lanes] == [("gates", 2, 2)]


def test_what_is_taken_together_waits_for_what_the_worker_does_first() -> None:
    of = making.submission()
    for name in ("performance", "fairness"):
        making.run(of, name)
    claim_light(of.pk, worker="w")
    GateRun.objects.filter(collector="performance").update(doing="reading {} rows of a.csv", steps_done=1_234_567)
    first, second = sorted(progress(of).runs, key=lambda run: run.collector != "performance")
    assert "reading 1.2 million rows of a.csv" in first.says
    assert f"the same worker does “{first.title}” first" in second.says


@pytest.mark.parametrize(
    ("doing", "done", "total", "words"),
    [
        ("explaining {} rows", 400, 1_000, "explaining 400 of 1,000 rows"),
        ("reading {} rows of {}.csv", 1_200_000, None, "reading 1.2 million rows of {}.csv"),
        ("drawing its pictures", None, None, "drawing its pictures"),
        ("fitting", 3, 10, "fitting, 3 of 10"),
        ("reading {} rows", None, None, "reading rows"),
        ("", None, None, ""),
        ("", 3, 4, ""),
    ],
)
def test_counts_stand_where_the_collector_puts_them(doing: str, done: int | None, total: int | None, words: str) -> None:
    assert doing_words(GateRun(doing=doing, steps_done=done, steps_total=total)) == words


def test_the_usual_time_is_that_of_the_last_ten_real_runs() -> None:
    other = making.submission()
    for number, seconds in enumerate([500.0, *[10.0] * 5, *[20.0] * 4, 30.0]):
        row = making.run(
            other, f"x{number}", status=RunStatus.DONE, seconds=seconds, finished_at=Now() + timedelta(minutes=number)
        )
        GateRun.objects.filter(pk=row.pk).update(collector="fairness", current=False)
    # carried over or never finished: no time of its own
    making.run(other, "fairness", status=RunStatus.ERROR, seconds=900.0, finished_at=Now() + timedelta(hours=2))
    of = making.submission()
    making.run(of, "fairness")
    note_worker("w", "gates")
    (run,) = progress(of, seen_by(of)).runs
    assert run.times is not None
    assert (run.times.known, run.times.median, run.times.slowest) == (10, 15.0, 30.0)
    assert run.expects == "Usually 15 s; the slowest of the last 10 took 30 s."
    GateRun.objects.filter(submission=of).update(
        status=RunStatus.RUNNING, lease_until=Now() + timedelta(minutes=1), started_at=Now() - timedelta(seconds=45)
    )
    (run,) = progress(of, seen_by(of)).runs
    assert run.expects == "It takes longer than each of the last 10 did."


def test_two_runs_are_too_few_to_expect_anything() -> None:
    other = making.submission()
    for name in ("a", "b"):
        row = making.run(other, name, status=RunStatus.DONE, seconds=10.0, finished_at=Now())
        GateRun.objects.filter(pk=row.pk).update(collector="fairness", current=False)
    of = making.submission()
    making.run(of, "fairness")
    (run,) = progress(of, seen_by(of)).runs
    assert run.expects == "Too few runs so far to say how long it takes."


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_down_is_named(stack: Stack, broker: Running | None, monkeypatch: pytest.MonkeyPatch) -> None:
    if broker is None:
        pytest.skip("REDIS_URL names a broker that the tests may not kill")
    monkeypatch.setattr(broker_module, "_known", (-broker_module.ASK_AGAIN, True))
    of = making.submission()
    making.run(of, "performance")
    assert progress(of).worker_missing.startswith("no worker seen for 60 s. Nothing is lost")
    broker.kill()
    monkeypatch.setattr(broker_module, "_known", (-broker_module.ASK_AGAIN, True))
    assert progress(of).worker_missing.startswith("no worker seen for 60 s, and the broker does not answer. Nothing is lost")


@pytest.mark.parametrize("count", [1, 12])
def test_a_page_takes_the_same_number_of_queries_however_many_runs(count: int) -> None:
    note_worker("w", "gates")
    of = making.submission()
    for number in range(count):
        making.run(of, f"c{number}", heavy=number % 5 == 4)
    caller = seen_by(of)
    with CaptureQueriesContext(connection) as caught:
        progress(of, caller)
    assert len(caught) == 9
    assert queueing_module.LAST_RUNS == 10
