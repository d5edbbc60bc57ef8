"""Periodic work of the record."""

from __future__ import annotations

from celery import shared_task

from governance.services.checkpoints import write_checkpoint
from governance.services.repeating import forget_calls
from governance.services.trust import forget_used


@shared_task(name="governance.checkpoint")
def checkpoint() -> None:
    """Sign the audit trail as it stands and export the signature."""
    write_checkpoint()


@shared_task(name="governance.forget_identities")
def forget_identities() -> None:
    """Forget identity tokens that have expired, which nobody can use a second time any more, and keys of calls a week old."""
    forget_used()
    forget_calls()
