"""What workers do for the gates. A message only wakes a worker, and may come twice: which run it then takes, the rows say."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task

from gates.services import presence, relaying, running
from governance.services.work import send


@shared_task(name="gates.run_light", bind=True)
def run_light(self: Task[Any, Any], submission_id: int) -> None:
    """Light collectors wait: run those whose turn it is. `submission_id`: what the sender wanted done."""
    presence.note_worker(_host(self), *_queues(self))
    if not running.work_light(worker=_host(self), serves=_queues(self)):
        send(relaying.LIGHT, submission_id)


@shared_task(name="gates.run_heavy", bind=True)
def run_heavy(self: Task[Any, Any], run_id: int) -> None:
    """Heavy collectors wait: run the one whose turn it is. `run_id`: what the sender wanted done."""
    presence.note_worker(_host(self), *_queues(self))
    if not running.work_heavy(worker=_host(self), serves=_queues(self)):
        send(relaying.HEAVY, run_id)


@shared_task(name="gates.relay")
def relay() -> None:
    """Every few seconds: send again what is due and was not taken."""
    relaying.relay()


@shared_task(name="gates.heartbeat", bind=True)
def heartbeat(self: Task[Any, Any], queue: str) -> None:
    """Every ten seconds on each queue: a worker takes what is sent there."""
    presence.note_worker(_host(self), queue)


def _queues(task: Task[Any, Any]) -> tuple[str, ...]:
    """The queues that the worker running this task takes messages from."""
    return tuple(task.app.amqp.queues.consume_from)


def _host(task: Task[Any, Any]) -> str:
    return str(task.request.hostname or "unknown")
