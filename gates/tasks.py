"""What workers do for the gates. A message only wakes a worker, and may come twice: which run it then takes, the rows say."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from celery import Task, shared_task

from gates.services import finishing, presence, relaying, running
from governance.services.messages import BOX, kept_here
from governance.services.work import send

log = logging.getLogger(__name__)


@shared_task(name="gates.run_light", bind=True)
def run_light(self: Task[Any, Any], submission_id: int) -> None:
    """Light collectors wait: run those whose turn it is. `submission_id`: what the sender wanted done."""
    presence.note_worker(_host(self), *_queues(self))
    with _settling(self) as settle:
        nothing_left = running.work_light(worker=_host(self), serves=_queues(self), after=settle)
    if not nothing_left:
        send(relaying.LIGHT, submission_id)


@shared_task(name="gates.run_heavy", bind=True)
def run_heavy(self: Task[Any, Any], run_id: int) -> None:
    """Heavy collectors wait: run the one whose turn it is. `run_id`: what the sender wanted done."""
    presence.note_worker(_host(self), *_queues(self))
    with _settling(self) as settle:
        nothing_left = running.work_heavy(worker=_host(self), serves=_queues(self), after=settle)
    if not nothing_left:
        send(relaying.HEAVY, run_id)


@shared_task(name="gates.relay")
def relay() -> None:
    """Every few seconds: send again what is due and was not taken."""
    relaying.relay()


@shared_task(name="gates.heartbeat", bind=True)
def heartbeat(self: Task[Any, Any], queue: str) -> None:
    """Every ten seconds on each queue: a worker takes what is sent there."""
    presence.note_worker(_host(self), queue)


@contextmanager
def _settling(task: Task[Any, Any]) -> Iterator[Callable[[], None]]:
    """Gives what settles the submissions whose checks this process has finished: here, without a message to another worker.

    Where that fails the message is sent after all; where this process ends first, `reviews.settle_due` finds them.
    """
    with kept_here(finishing.SETTLE) as kept:

        def settle() -> None:
            while kept:
                message = kept.pop(0)
                try:
                    task.app.tasks[message.task](*message.ids)
                except Exception:
                    log.exception("%s%s failed here and is sent on", message.task, message.ids)
                    BOX.send_on(message)

        yield settle
        settle()


def _queues(task: Task[Any, Any]) -> tuple[str, ...]:
    """The queues that the worker running this task takes messages from."""
    return tuple(task.app.amqp.queues.consume_from)


def _host(task: Task[Any, Any]) -> str:
    return str(task.request.hostname or "unknown")
