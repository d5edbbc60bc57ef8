"""Back-tests: asked for here, judged by a worker, with progress and cancelling. The row is the truth."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from governance.domain.facts import Fact, FactSet
from governance.domain.vocabulary import Role, RunStatus, Scope
from governance.models import Backtest, PolicyDraft, PolicyPack, TrackDecision
from governance.policy import Pack, load_pack
from governance.policy.backtest_tally import MOST_LISTED
from governance.policy.backtesting import Backtester, shift_of
from governance.policy.differing import differences
from governance.policy.envelopes import Envelope
from governance.policy.evaluating import evaluate
from governance.selectors.access import Caller
from governance.selectors.policy import pack_in_force, pack_of
from governance.services.work import send, unit_of_work
from reviews.selectors.past_decisions import past_batches, past_count, policies_judging
from reviews.selectors.turned_gates import turned

log = logging.getLogger(__name__)

TASK = "reviews.backtest"
LEASE = timedelta(seconds=60)
MOST_ATTEMPTS = 2
MOST_UNFINISHED = 3
MOST_SHIFTS = 10
READERS = frozenset({Role.POLICY_AUTHOR, Role.RISK_OFFICER, Role.AUDITOR, Role.ANALYST, Role.ADMIN})

_CLAIM = """
UPDATE governance_backtest SET status = 'running', attempt = attempt + 1, lease_until = statement_timestamp() + %(lease)s
WHERE id = %(id)s AND attempt < %(most)s AND NOT cancelled
AND (status = 'queued' OR (status = 'running' AND lease_until < statement_timestamp())) RETURNING attempt
"""


def ask(
    *,
    caller: Caller,
    name: str,
    source: str = "",
    questionnaire: str = "",
    shifts: Mapping[str, float] | None = None,
    since: datetime | None = None,
    draft: PolicyDraft | None = None,
) -> Backtest:
    """Ask for past submissions of a pack to be judged by a text (empty: the pack in force), with figures moved by `shifts`.

    Raises `PackError` for a text that cannot be used, tests included, `InvalidInput` for shifts that say nothing, `Forbidden`,
    `Conflict` when too many wait.
    """
    require_reader(caller)
    moved = _shifts(shifts or {})
    row, pack = pack_in_force(name)
    tried = load_pack(source, questionnaire or None) if source else pack
    if tried.kind != pack.kind:
        raise InvalidInput(f"This text is for {tried.kind}, the history is of {pack.kind}.")
    if not source and not moved:
        raise InvalidInput("Give a draft, or figures to move: the pack in force judges as it did.")
    mine = Backtest.objects.filter(asked_by=caller.person, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
    if mine.count() >= MOST_UNFINISHED:
        raise Conflict(f"{MOST_UNFINISHED} back-tests of yours are still running. Wait for one, or cancel it.", code="busy")
    with unit_of_work(caller) as work:
        asked = Backtest.objects.create(
            name=row.name,
            draft=draft,
            source=source,
            questionnaire=questionnaire,
            digest=tried.digest,
            shifts=moved,
            since=since,
            asked_by=caller.person,
        )
        work.note("policy.backtest_asked", asked, {"pack": row.name, "digest": tried.digest, "shifts": moved})
        work.enqueue(TASK, asked.pk)
    return asked


def require_reader(caller: Caller) -> None:
    """Back-tests speak of every unit's history: people who answer for the policy may ask for them, and tokens that may read."""
    if caller.token is not None:
        caller.require_scope(Scope.READ)
    elif caller.person is not None and not caller.any_roles & READERS:
        raise Forbidden("Only people who answer for the policy back-test it.", code="role_needed")


def find(*, caller: Caller, backtest_id: int) -> Backtest:
    """One back-test. Raises `NotFound`."""
    require_reader(caller)
    row = Backtest.objects.select_related("asked_by", "draft").filter(pk=backtest_id).first()
    if row is None or (caller.token is not None and (caller.person is None or row.asked_by_id != caller.person.pk)):
        raise NotFound("There is no such back-test.")
    return row


def cancel(*, caller: Caller, backtest_id: int) -> Backtest:
    """Stop one that waits or runs. Harmless for one that has ended."""
    row = find(caller=caller, backtest_id=backtest_id)
    with unit_of_work(caller) as work:
        unfinished = Backtest.objects.filter(pk=row.pk, status__in=[RunStatus.QUEUED, RunStatus.RUNNING])
        if unfinished.update(cancelled=True, status=RunStatus.CANCELLED, finished_at=Now()):
            work.note("policy.backtest_cancelled", row)
    row.refresh_from_db()
    return row


def run(backtest_id: int) -> bool:
    """Judge, in a worker. False when there was nothing to do: done, taken, cancelled."""
    with connection.cursor() as cursor:
        wanted: dict[str, Any] = {"id": backtest_id, "lease": LEASE, "most": MOST_ATTEMPTS}
        cursor.execute(_CLAIM, wanted)
        taken = cursor.fetchone()
    if taken is None:
        return False
    row = Backtest.objects.get(pk=backtest_id)
    mine = Backtest.objects.filter(pk=backtest_id, attempt=taken[0], status=RunStatus.RUNNING, cancelled=False)
    try:
        result = _judge(row, mine)
    except _Gone:
        return False
    except Exception as exc:
        log.exception("back-test %s", backtest_id)
        mine.update(status=RunStatus.ERROR, error=f"It stopped with {type(exc).__name__}.", finished_at=Now(), lease_until=None)
        raise
    return bool(mine.update(status=RunStatus.DONE, result=result, finished_at=Now(), lease_until=None, done=result["judged"]))


def tidy() -> None:
    """Send again what nobody took, and give up what took a worker down with it twice."""
    due = Q(status=RunStatus.QUEUED, asked_at__lt=Now() - timedelta(seconds=15)) | Q(
        status=RunStatus.RUNNING, lease_until__lt=Now()
    )
    for pk, attempt in Backtest.objects.filter(due).values_list("pk", "attempt"):
        if attempt < MOST_ATTEMPTS:
            send(TASK, pk)
        else:
            Backtest.objects.filter(due, pk=pk).update(
                status=RunStatus.ERROR, error="The worker stopped while it judged, twice.", finished_at=Now()
            )


class _Gone(Exception):
    """Cancelled, or taken over."""


def _judge(row: Backtest, mine: Any) -> dict[str, Any]:
    in_force = pack_in_force(row.name)[1]
    tried = load_pack(row.source, row.questionnaire or None) if row.source else in_force
    shifts = {name: float(amount) for name, amount in row.shifts.items()}
    before = {pk: pack_of(PolicyPack.objects.get(pk=pk)) for pk in policies_judging(row.name)}
    tester = Backtester(before, tried, shifts)
    Backtest.objects.filter(pk=row.pk).update(total=past_count(row.name, row.since))
    submissions: list[int] = []
    for batch in past_batches(row.name, tester.reads, tried, row.since):
        tester.judge(batch)
        submissions += [past.submission for past in batch]
        if not mine.update(done=tester.tally.judged, lease_until=Now() + LEASE):
            raise _Gone
    found = tester.tally.to_json()
    _explain(found, tried, shifts)
    return {
        **found,
        "gates": turned(in_force, tried, shifts, submissions),
        "pack": {"name": tried.name, "version": tried.version, "digest": tried.digest},
        "against": {"version": in_force.version, "digest": in_force.digest},
        "differences": [
            {"about": d.about, "title": d.title, "says": d.says, "effect": d.effect} for d in differences(in_force, tried)
        ],
        "shifts": shifts,
    }


def _explain(found: dict[str, Any], tried: Pack, shifts: Mapping[str, float]) -> None:
    """Say why, for those listed by name: their whole facts are read and judged once more."""
    by_decision = {row["decision"]: row for row in found["submissions"][:MOST_LISTED]}
    rows = TrackDecision.objects.filter(pk__in=by_decision).select_related("submission__system", "submission__version")
    for decision in rows:
        row = by_decision[decision.pk]
        facts = FactSet.of(_moved(Fact.from_json(stored), shifts) for stored in decision.facts)
        terms = Envelope.from_json(decision.envelope) if decision.envelope is not None else None
        assessment = evaluate(tried, facts, pending=frozenset(decision.pending), envelope=terms)
        causes = set(row["rules"])
        now = [hit.says for hit in assessment.hits if hit.rule.id in causes]
        was = [reason["says"] for reason in decision.assessment["reasons"] if reason["rule"] in causes]
        row["says"] = now or [f"no longer: {words}" for words in was]
        if assessment.envelope is not None:
            row["says"] = [*row["says"], assessment.envelope.says]
        row["unit"] = decision.submission.unit_id
        row["system"] = f"{decision.submission.system.slug} {decision.submission.version.version}"


def _moved(fact: Fact, shifts: Mapping[str, float]) -> Fact:
    shift = shift_of(fact.name, shifts)
    if not shift or isinstance(fact.value, bool) or not isinstance(fact.value, int | float):
        return fact
    low = fact.low + shift if fact.low is not None else None
    high = fact.high + shift if fact.high is not None else None
    return Fact(fact.name, fact.value + shift, fact.assurance, fact.origin, fact.locator, fact.digest, low, high)


def _shifts(given: Mapping[str, float]) -> dict[str, float]:
    if len(given) > MOST_SHIFTS:
        raise InvalidInput(f"At most {MOST_SHIFTS} figures are moved at a time.")
    for name, amount in given.items():
        if isinstance(amount, bool) or not -1e9 < amount < 1e9:
            raise InvalidInput(
                f"“{name}” is not moved by a number.", errors=(FieldError(f"/shifts/{name}", "number", "A number such as 0.1."),)
            )
    return {str(name)[:80]: float(amount) for name, amount in given.items() if amount}
