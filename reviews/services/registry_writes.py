"""What is written back into a registry: the state, the review's address, `biased`, and on approval the alias.

An outbox: rows first, delivered by a task, tried again with growing pauses. Nothing is promoted that is not allowed at the moment
of writing: an alias is set only while the permit of this very version holds.
"""

from __future__ import annotations

import logging
from datetime import timedelta

from django.db import transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.vocabulary import State
from governance.selectors.access import SYSTEM, Caller
from governance.services.work import unit_of_work
from reviews.models import RegistryVersion, RegistryWrite
from reviews.selectors.barred import bar_of, bars
from reviews.selectors.decision_view import url_of
from reviews.selectors.permits import permit_answer
from reviews.services.mlflow import RegistryProblem, server

log = logging.getLogger(__name__)

FROZEN_PAUSE = timedelta(minutes=15)
MOST_ATTEMPTS = 10
STATUS, ADDRESS, BIASED = "governance.status", "governance.review_url", "biased"
_BARRED = "+biased"


def note_changes(*, limit: int = 200) -> int:
    """Note what is to be written for each version whose state was not told yet. Returns for how many."""
    barred = bars("submission__version_id", "submission__version__artifact_digest", "link__unit_id")
    rows = RegistryVersion.objects.filter(state=RegistryVersion.OPENED, link__ended_at__isnull=True).annotate(barred=barred)
    behind = rows.exclude(told=F("submission__state"), barred=False)
    found = 0
    for pk, told, state, is_barred in list(behind.order_by("id").values_list("pk", "told", "submission__state", "barred")):
        if told != _wanted(state, is_barred):
            found += _note(pk)
        if found >= limit:
            break
    return found


def deliver_due(*, limit: int = 200) -> int:
    """Write what is due, the rows of one version in their order. Returns how many were written."""
    before = RegistryWrite.objects.filter(about=OuterRef("about"), state=RegistryWrite.DUE, pk__lt=OuterRef("pk"))
    sent = 0
    for _ in range(limit):
        due = RegistryWrite.objects.filter(state=RegistryWrite.DUE, not_before__lte=Now(), about__link__ended_at__isnull=True)
        pk = due.filter(~Exists(before)).order_by("id").values_list("pk", flat=True).first()
        if pk is None:
            break
        sent += _deliver(pk)
    return sent


def _wanted(state: str, barred: bool) -> str:
    return f"{state}{_BARRED}" if barred else state


def _note(pk: int) -> int:
    with transaction.atomic(durable=True):
        row = RegistryVersion.objects.select_for_update(of=("self",)).select_related("link", "submission__version").get(pk=pk)
        submission = row.submission
        assert submission is not None
        barred = bar_of(submission) is not None
        wanted = _wanted(submission.state, barred)
        if row.told == wanted:
            return 0
        writes = [(RegistryWrite.TAG, STATUS, submission.state)]
        if not row.told:
            writes.append((RegistryWrite.TAG, ADDRESS, url_of(submission)))
        if barred and not row.told.endswith(_BARRED):
            writes.append((RegistryWrite.TAG, BIASED, "true"))
        if row.link.alias:
            was_approved = row.told.startswith(State.APPROVED.value)
            if submission.state == State.APPROVED and not barred:
                writes.append((RegistryWrite.SET_ALIAS, row.link.alias, ""))
            elif was_approved and (barred or submission.state in (State.REVOKED, State.EXPIRED)):
                writes.append((RegistryWrite.DROP_ALIAS, row.link.alias, ""))
        RegistryWrite.objects.bulk_create(RegistryWrite(about=row, kind=k, key=key, value=v) for k, key, v in writes)
        RegistryVersion.objects.filter(pk=pk).update(told=wanted)
    return 1


def _deliver(pk: int) -> int:
    """Write one row while holding it; 1 when it was written."""
    with unit_of_work(SYSTEM) as work:
        rows = RegistryWrite.objects.select_for_update(skip_locked=True, of=("self",))
        row = rows.select_related("about__link__system", "about__submission").filter(pk=pk, state=RegistryWrite.DUE).first()
        if row is None:
            return 0
        try:
            held_back = _write(row)
        except _Frozen:
            # asked again, not given up: the alias moves when the freeze has ended, or an exception lets the version pass
            RegistryWrite.objects.filter(pk=pk).update(not_before=timezone.now() + FROZEN_PAUSE)
            return 0
        except RegistryProblem as problem:
            attempts = row.attempts + 1
            done_for = problem.gone or attempts >= MOST_ATTEMPTS
            RegistryWrite.objects.filter(pk=pk).update(
                state=RegistryWrite.FAILED if done_for else RegistryWrite.DUE,
                attempts=attempts,
                problem=str(problem)[:300],
                not_before=timezone.now() + timedelta(seconds=min(15 * 2**attempts, 3600)),
            )
            return 0
        state = RegistryWrite.DROPPED if held_back else RegistryWrite.SENT
        RegistryWrite.objects.filter(pk=pk).update(
            state=state, attempts=row.attempts + 1, problem=held_back[:300], sent_at=None if held_back else Now()
        )
        said = {"kind": row.kind, "key": row.key, "model": row.about.link.model, "version": row.about.version}
        work.note("registry.held_back" if held_back else "registry.written", row.about.submission, said)
        return 0 if held_back else 1


class _Frozen(Exception):
    """Nothing new is released now."""


def _write(row: RegistryWrite) -> str:
    """Do it. Returns why it was held back, or ""."""
    link, version = row.about.link, row.about.version
    there = server(link.server)
    if row.kind == RegistryWrite.TAG:
        there.set_tag(link.model, version, row.key, row.value)
    elif row.kind == RegistryWrite.SET_ALIAS:
        within = Caller(person=link.acts_for, home_unit=link.unit_id)
        answer = permit_answer(within, system=link.system.slug, version=version, environment=link.environment)
        if answer.verdict == "frozen":
            raise _Frozen
        if not answer.allowed:
            return answer.reasons[0]
        there.set_alias(link.model, version, row.key)
    elif there.alias(link.model, row.key) == version:
        there.drop_alias(link.model, row.key)
    return ""
