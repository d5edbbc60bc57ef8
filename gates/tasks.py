"""What workers do for the gates. Tasks take ids, claim their rows, and are harmless when delivered twice."""

from __future__ import annotations

from typing import Any

from celery import Task, shared_task

from gates.services import presence, relaying, running


@shared_task(name="gates.run_light", bind=True)
def run_light(self: Task[Any, Any], submission_id: int) -> None:
    """Run the due light collectors of a submission."""
    presence.note_worker(_host(self), *_queues(self))
    running.run_light(submission_id, worker=_host(self), serves=_queues(self))


@shared_task(name="gates.run_heavy", bind=True)
def run_heavy(self: Task[Any, Any], run_id: int) -> None:
    """Run one heavy collector."""
    presence.note_worker(_host(self), *_queues(self))
    running.run_heavy(run_id, worker=_host(self), serves=_queues(self))


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
