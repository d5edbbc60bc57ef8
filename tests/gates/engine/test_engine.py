"""The engine with real PostgreSQL, Redis, workers and child processes: nothing is lost, nothing happens twice."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator

import pytest

from gates.models import GateRun, Measurement, WorkerSeen
from gates.services import presence
from governance.config.embedded_processes import descendants, known, send
from governance.domain.vocabulary import RunStatus
from governance.models import AuditEvent, Submission
from governance.services.messages import BOX
from governance.services.work import send as post
from tests.gates import making
from tests.gates.conftest import PLUGIN
from tests.stack import Running, Stack

pytestmark = pytest.mark.django_db(transaction=True)

QUICK = {
    "GUIDERAIL_GATE_LEASE_SECONDS": "2",
    "GUIDERAIL_GATE_RETRY_SECONDS": "0.2",
    "GUIDERAIL_GATE_REDISPATCH_SECONDS": "0.5",
    "GUIDERAIL_RELAY_SECONDS": "0.5",
}
LIGHT = ("tally_one", "tally_two", "tally_three")


@pytest.fixture
def start_beat(stack: Stack, database_url: str) -> Iterator[Callable[[], Running]]:
    mine: list[Running] = []

    def start() -> Running:
        mine.append(stack.start_beat(database_url, **QUICK))
        return mine[-1]

    yield start
    for running in mine:
        running.stop(seconds=1)


@pytest.fixture(scope="module")
def _shared() -> Iterator[list[Running]]:
    kept: list[Running] = []
    yield kept
    for running in kept:
        running.stop(seconds=1)


@pytest.fixture
def shared(_shared: list[Running], stack: Stack, broker: Running | None, database_url: str) -> Running:
    """One worker for the tests that kill nobody. There is no beat beside it: `until` asks for the relay.

    Celery 5.7 workers sometimes end when the broker was killed under them; a supervisor starts them again, as this does. Hence a
    new one whenever the broker is not the one the last worker was started with.
    """
    started_with = getattr(broker, "pid", None)
    if not _shared or _shared[-1].process.poll() is not None or _shared[-1].url != str(started_with):
        if _shared:
            _shared[-1].stop(seconds=1)
        _shared.append(stack.start_worker(database_url, concurrency=2, GUIDERAIL_PLUGINS=PLUGIN, **QUICK))
        _shared[-1].url = str(started_with)
    return _shared[-1]


def until(ready: Callable[[], bool], seconds: float, *, relay: bool = True) -> bool:
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        if relay:
            post("gates.relay")
        time.sleep(0.3)
    return True


def all_finished() -> bool:
    return making.unfinished() == 0


def plan(submissions: int, *, heavy: bool, **numbers: float) -> list[Submission]:
    """Submissions with their runs, and the messages that wake the workers."""
    made = []
    for _ in range(submissions):
        of = making.submission()
        for name in LIGHT:
            making.run(of, name, numbers=numbers, max_attempts=9)
        post("gates.run_light", of.pk)
        if heavy:
            post("gates.run_heavy", making.run(of, "heavy_tally", heavy=True, numbers=numbers, max_attempts=9).pk)
        made.append(of)
    return made


def assert_each_finished_exactly_once(runs: int) -> None:
    assert Counter(GateRun.objects.values_list("status", flat=True)) == {RunStatus.DONE.value: runs}
    # three numbers each; a doubled measurement would be one too many
    assert Counter(Measurement.objects.values_list("run_id", flat=True)) == dict.fromkeys(
        GateRun.objects.values_list("pk", flat=True), 3
    )
    finished = Counter(AuditEvent.objects.filter(action="gate_run.finished").values_list("object", flat=True))
    assert finished == {f"gaterun:{pk}": 1 for pk in GateRun.objects.values_list("pk", flat=True)}


def test_nothing_is_lost_or_doubled_while_workers_broker_and_relay_are_killed(
    plugin: str, stack: Stack, broker: Running | None, start_worker: Callable[..., Running], start_beat: Callable[[], Running]
) -> None:
    if broker is None:
        pytest.skip("REDIS_URL names a broker that the tests may not kill")
    chance = random.Random(20260101)
    worker, beat = start_worker(concurrency=2, **QUICK), start_beat()
    plan(16, heavy=True, sleep=0.15)
    kills: Counter[str] = Counter()
    schedule = ["pool", "pool", "broker", "pool", "worker", "pool", "relay", "pool", "broker", "pool", "worker", "pool"]
    for what in schedule:
        time.sleep(chance.uniform(0.2, 1.2))
        kills[what] += 1
        if what == "pool":
            children = [known(pid) for pid in descendants(worker.pid)]
            chosen = chance.choice([child for child in children if child] or [None])
            if chosen:
                send(chosen, 9)
        elif what == "worker":
            worker.kill()
            worker = start_worker(concurrency=2, **QUICK)
        elif what == "relay":
            beat.kill()
            beat = start_beat()
        else:
            broker.kill()
            time.sleep(0.5)
            found = stack.start_redis()
            assert found is not None
            broker = found
    assert until(all_finished, 75, relay=False), list(
        GateRun.objects.exclude(status="done").values("pk", "status", "attempt", "error", "lease_until")
    )
    assert_each_finished_exactly_once(16 * 4)
    assert kills == {"pool": 7, "broker": 2, "worker": 2, "relay": 1}
    assert GateRun.objects.filter(attempt__gt=1).exists(), "the kills hit nothing: the test proves nothing"


def test_poison_ends_after_three_attempts_and_its_neighbours_go_on(plugin: str, broker: Running | None, shared: Running) -> None:
    of, other = making.submission(), making.submission()
    for name in ("doubled", "poison", "tally_one", "tally_two", "unusable"):
        making.run(of, name)
    making.run(other, "tally_one")
    for each in (of, other):
        post("gates.run_light", each.pk)
    assert until(all_finished, 45), list(GateRun.objects.values("collector", "status", "attempt", "error"))
    found = {run.collector: run for run in GateRun.objects.filter(submission=of)}
    assert (found["poison"].status, found["poison"].attempt) == (RunStatus.ERROR, 3)
    assert "crashed" in found["poison"].error
    assert (found["doubled"].status, found["doubled"].attempt) == (RunStatus.ERROR, 3)
    assert "twice" in found["doubled"].error
    assert (found["unusable"].status, found["unusable"].attempt) == (RunStatus.DONE, 1)
    assert "preds.csv, column “score”: expected numbers, found words" in found["unusable"].not_measured
    for run in (found["tally_one"], found["tally_two"], GateRun.objects.get(submission=other)):
        assert (run.status, run.attempt) == (RunStatus.DONE, 1)
    assert Measurement.objects.count() == 9


def test_a_message_delivered_many_times_to_several_workers_runs_once(
    plugin: str, broker: Running | None, shared: Running
) -> None:
    (of,) = plan(1, heavy=False, sleep=0.1)
    for _ in range(20):
        post("gates.run_light", of.pk)
    assert until(all_finished, 30, relay=False)
    post("gates.run_light", of.pk)
    assert BOX.flush(5)
    time.sleep(0.5)
    assert_each_finished_exactly_once(3)
    assert set(GateRun.objects.values_list("attempt", flat=True)) == {1}


def test_a_lost_message_is_sent_again_by_the_relay_and_workers_are_seen(
    plugin: str, broker: Running | None, shared: Running
) -> None:
    of = making.submission()
    making.run(of, "tally_one")
    assert until(all_finished, 30)
    assert_each_finished_exactly_once(1)
    assert GateRun.objects.get().dispatches >= 1
    assert WorkerSeen.objects.filter(queue="gates").exists()


def test_a_long_run_keeps_its_lease(plugin: str, broker: Running | None, shared: Running) -> None:
    of = making.submission()
    making.run(of, "tally_one", numbers={"sleep": 5.0})
    post("gates.run_light", of.pk)
    assert until(all_finished, 40), shared.said()
    assert (GateRun.objects.get().attempt, GateRun.objects.get().status) == (1, RunStatus.DONE)


def test_a_cancelled_run_stops_its_child(plugin: str, broker: Running | None, shared: Running) -> None:
    of = making.submission()
    run = making.run(of, "tally_one", numbers={"sleep": 60.0})
    post("gates.run_light", of.pk)
    assert until(lambda: GateRun.objects.get().status == RunStatus.RUNNING, 20)
    GateRun.objects.filter(pk=run.pk).update(status=RunStatus.CANCELLED)
    other = making.submission()
    making.run(other, "tally_two")
    post("gates.run_light", other.pk)
    assert until(all_finished, 20), shared.said()
    assert GateRun.objects.get(pk=run.pk).status == RunStatus.CANCELLED
    assert not Measurement.objects.filter(run=run).exists()


def test_a_dead_broker_does_not_slow_what_posts(plugin: str, broker: Running | None, stack: Stack) -> None:
    if broker is None:
        pytest.skip("REDIS_URL names a broker that the tests may not kill")
    broker.kill()
    started = time.monotonic()
    for number in range(20):
        assert post("gates.run_light", number)
    assert time.monotonic() - started < 0.5
    assert BOX.flush(20), "the post box does not empty itself"


def test_presence_is_one_row_for_each_worker_and_queue() -> None:
    for _ in range(2):
        presence.note_worker("w1", "gates")
    presence.note_worker("w1", "gates.heavy")
    # workers of other tests may be seen meanwhile
    assert WorkerSeen.objects.filter(name="w1").count() == 2
