"""Celery tasks of the human part. Ids in, harmless when delivered twice."""

from __future__ import annotations

import logging

from celery import shared_task

from reviews.services import (
    backtesting,
    deployment_reports,
    deployment_requests,
    registry_versions,
    registry_writes,
    trying_gates,
)
from reviews.services.delivering import deliver_digests, deliver_due
from reviews.services.deploying import reconcile
from reviews.services.escalating import escalate
from reviews.services.exposure import grant_due
from reviews.services.following_up import lapse_missed
from reviews.services.keeping_stricter import keep_all_stricter
from reviews.services.permits import expire_due
from reviews.services.refreshing import refresh_now
from reviews.services.reminding import remind
from reviews.services.replaying import replay_all
from reviews.services.settling import due_to_settle, settle
from reviews.services.telling_freezes import tell_exception, tell_freeze
from reviews.services.waiving import lapse_due
from reviews.services.webhook_endpoints import forget_former
from reviews.services.webhook_sending import deliver_due as deliver_webhooks
from reviews.services.webhook_sending import spread

log = logging.getLogger(__name__)


@shared_task(name="reviews.settle")
def settle_one(submission_id: int) -> None:
    """Settle a submission whose checks have finished."""
    settle(submission_id=submission_id)


@shared_task(name="reviews.settle_due")
def settle_due() -> None:
    """Settle what a lost message left behind. One that cannot be settled does not hold up the others."""
    for submission_id in due_to_settle():
        try:
            settle(submission_id=submission_id)
        except Exception:
            log.exception("S-%s cannot be settled", submission_id)


@shared_task(name="reviews.try_gates")
def try_gates(preview_id: str) -> None:
    """Run the gates of a preview that nobody handed in."""
    trying_gates.measure(preview_id)


@shared_task(name="reviews.tidy_previews")
def tidy_previews() -> None:
    """Forget previews that expired; send again those that nobody took."""
    trying_gates.tidy()


@shared_task(name="reviews.refresh")
def refresh_one(submission_id: int) -> None:
    """Look whether the dossier under review is still the same; void and reopen when it is not."""
    refresh_now(submission_id=submission_id)


@shared_task(name="reviews.expire_permits")
def expire_permits() -> None:
    """Let approvals lapse whose permit ran out, and let go further what the policy authorises by now."""
    expire_due()
    grant_due()


@shared_task(name="reviews.deliver")
def deliver() -> None:
    """Send messages that are due by e-mail."""
    deliver_due()


@shared_task(name="reviews.deliver_digests")
def deliver_daily() -> None:
    """Send each person's daily mail."""
    deliver_digests()


@shared_task(name="reviews.lapse_waivers")
def lapse_waivers() -> None:
    """Write down which waivers stopped to hold and which conditions were missed, and end what rests on them."""
    lapse_due()
    lapse_missed()


@shared_task(name="reviews.remind")
def remind_people() -> None:
    """Remind before something is due, escalate when it is late."""
    remind()
    escalate()


@shared_task(name="reviews.reconcile")
def reconcile_deployments() -> None:
    """List what runs without a permit."""
    reconcile()


@shared_task(name="reviews.registries")
def registries() -> None:
    """Open drafts of versions that registries told of, and write back what has changed."""
    registry_versions.open_due()
    registry_writes.note_changes()
    registry_writes.deliver_due()


@shared_task(name="reviews.ask_registries")
def ask_registries() -> None:
    """Ask the registries for new versions, for servers that cannot reach us."""
    if registry_versions.poll():
        registries()


@shared_task(name="reviews.deployment_gates")
def deployment_gates() -> None:
    """Tell GitHub and GitLab what is so now about the deployments that wait there."""
    deployment_reports.note_changes()
    deployment_reports.deliver_due()


@shared_task(name="reviews.ask_deployments")
def ask_deployments() -> None:
    """Ask GitLab which deployments wait."""
    if deployment_requests.ask_gitlab():
        deployment_gates()


@shared_task(name="reviews.backtest")
def backtest(backtest_id: int) -> None:
    """Judge past submissions by a draft of the policy, or with moved figures."""
    backtesting.run(backtest_id)


@shared_task(name="reviews.tidy_backtests")
def tidy_backtests() -> None:
    """Send back-tests again that nobody took."""
    backtesting.tidy()


@shared_task(name="reviews.tell_freeze")
def tell_of_freeze(freeze_id: int) -> None:
    """Tell who has to rule on a freeze, or whom it stops."""
    tell_freeze(freeze_id)


@shared_task(name="reviews.tell_freeze_exception")
def tell_of_freeze_exception(exception_id: int) -> None:
    """Tell who may let a case pass a freeze, or who asked, what became of it."""
    tell_exception(exception_id)


@shared_task(name="reviews.keep_stricter")
def keep_stricter() -> None:
    """Open submissions keep the stricter of the policy they were handed in under and the one in force."""
    keep_all_stricter()


@shared_task(name="reviews.replay")
def replay_stored() -> None:
    """Evaluate every stored track decision again; tell who answers for it when one comes out otherwise."""
    replay_all()


@shared_task(name="reviews.webhooks")
def webhooks() -> None:
    """Tell other programs what happened since, and try again what did not arrive."""
    forget_former()
    spread()
    deliver_webhooks()
