"""A change of the rules under way: a stricter limit, tried on the past, waiting for the second person."""

from __future__ import annotations

import time

from governance.domain.vocabulary import RunStatus
from governance.models import Backtest, PolicyDraft
from governance.selectors.access import caller_for
from governance.services.policy_drafts import accept_examples, change_limits, start_draft
from reviews.demo.cast import Cast
from reviews.services import backtesting
from reviews.services.policy_life import propose

RULE = "TR-071"
WHY = "An engineer should look from 4 % on, not from 5 %. The back-test shows whom that would have touched."


def stricter_limit(cast: Cast) -> None:
    """The policy author lowers the limit for changes of performance to 4 %, back-tests it and proposes it. Told once."""
    if PolicyDraft.objects.filter(why=WHY).exists():
        return
    cast.say("policy: a stricter limit waits for the second person")
    gwen = caller_for(cast.people["gwen"], origin="job")
    draft = start_draft(caller=gwen, kind="ml_model", why=WHY)
    draft = change_limits(caller=gwen, draft_id=draft.pk, rule_id=RULE, yellow="4", red="")
    draft = accept_examples(caller=gwen, draft_id=draft.pk, rule_id=RULE)
    asked = backtesting.ask(caller=gwen, name=draft.name, source=draft.source, questionnaire=draft.questionnaire, draft=draft)
    if _finished(asked):
        propose(caller=gwen, draft_id=draft.pk)


def _finished(asked: Backtest, *, seconds: float = 60) -> bool:
    """Wait for the worker that runs the back-test."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        asked.refresh_from_db()
        if asked.status not in (RunStatus.QUEUED, RunStatus.RUNNING):
            return asked.status == RunStatus.DONE
        time.sleep(0.2)
    return False
