"""The nightly replay: every stored decision evaluated again; who answers for the policy is told when one differs."""

from __future__ import annotations

import logging

from django.utils import timezone

from governance.domain.vocabulary import Role
from governance.models import ReplayRun, Unit
from governance.selectors.access import SYSTEM
from governance.selectors.replaying import replay_decisions
from governance.services.work import unit_of_work
from reviews.selectors.notices import Notice
from reviews.services.telling import holders, tell_unit

log = logging.getLogger(__name__)

MOST_KEPT = 20


def replay_all() -> ReplayRun:
    """Evaluate every stored decision again and keep what came of it."""
    started = timezone.now()
    checked = differing = 0
    examples: list[dict[str, object]] = []
    for found in replay_decisions():
        checked += 1
        if found.differs:
            differing += 1
            if len(examples) < MOST_KEPT:
                examples.append({"submission": f"S-{found.submission}", "decision": found.decision, "says": found.differs})
    with unit_of_work(SYSTEM) as work:
        run = ReplayRun.objects.create(started_at=started, checked=checked, differing=differing, examples=examples)
        work.note("policy.replayed", run, {"checked": checked, "differing": differing})
        if differing:
            log.error("%s of %s stored decisions come out otherwise now", differing, checked)
            told: set[int] = set()
            for unit_id in Unit.objects.order_by("pk").values_list("pk", flat=True):
                people = holders(unit_id, Role.POLICY_AUTHOR, Role.RISK_OFFICER, Role.AUDITOR)
                new = {pk: why for pk, why in people.items() if pk not in told}
                told |= set(new)
                if new:
                    tell_unit(
                        work,
                        unit_id,
                        Notice.POLICY,
                        new,
                        key=f"replay:{run.pk}",
                        title=f"{differing} of {checked} stored decisions no longer come out as they were",
                        says="The rules, the facts or the code changed under them. Run `manage.py replay` first.",
                        path="/policies/versions#replay",
                    )
    return run
