"""Gates before anything is handed in: asked for here, measured by a worker on the evidence sent, forgotten after an hour.

The collectors and the judging are those of a submission; only the rows are others, so that no list, queue or record can show it.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from gates import sandbox
from gates.collecting import Collected, Inputs
from gates.services.claiming import Claim
from gates.services.inputs import frozen_inputs, surroundings
from gates.services.judging import judged_gates
from gates.services.planning import missing_words, needed_collectors
from gates.services.running import inputs_of, not_runnable
from gates.spec import Measured
from governance.domain.errors import Conflict, NotFound, Unavailable
from governance.domain.facts import Fact, FactSet
from governance.domain.incoming import NewSubmission
from governance.domain.vocabulary import Assurance, RunStatus, Scope, Track, strictest
from governance.models import PolicyPack, Revision, Submission, System, SystemVersion
from governance.policy import advice, evaluate, what_would_change
from governance.selectors.access import Caller, visible
from governance.selectors.envelopes import judged_now
from governance.selectors.policy import pack_of
from governance.selectors.previewing import preview_new
from governance.services.drafts import stored_files
from governance.services.work import send, unit_of_work
from reviews.models import GatePreview
from reviews.selectors.verdict import measured_document, preview_document
from reviews.selectors.view_parts import attention
from reviews.services.settling import unsettled_fact

log = logging.getLogger(__name__)

TASK = "reviews.try_gates"
KEPT = timedelta(hours=1)
MOST_UNFINISHED = 4
MOST_ATTEMPTS = 2
LEASE = timedelta(seconds=60)
_NOWHERE = 0  # the id of what is not registered yet: it matches nothing
_LAST = 2**62  # a submission that comes after every other one

_CLAIM = """
UPDATE reviews_gatepreview SET status = 'running', attempt = attempt + 1, lease_until = statement_timestamp() + %(lease)s
WHERE id = %(id)s AND attempt < %(most)s AND expires_at > statement_timestamp()
AND (status = 'queued' OR (status = 'running' AND lease_until < statement_timestamp())) RETURNING attempt
"""


def ask(*, caller: Caller, unit_id: int, new: NewSubmission) -> GatePreview:
    """Judge by the rules now and have a worker run the gates. The same request again is the same preview, while it is kept.

    Raises what `preview_new` raises, `InvalidInput` for evidence that is not stored, `Conflict` when the unit has too many
    waiting.
    """
    preview = preview_new(caller=caller, unit_id=unit_id, new=new)
    files = dict(zip([item.role for item in new.evidence], stored_files(unit_id, new.evidence), strict=True))
    content = new.content_digest()
    live = GatePreview.objects.filter(unit_id=unit_id, expires_at__gt=Now())
    known = live.filter(content_digest=content, policy=preview.policy).exclude(status=RunStatus.ERROR).first()
    if known is not None:
        return known
    if live.filter(status__in=[RunStatus.QUEUED, RunStatus.RUNNING]).count() >= MOST_UNFINISHED:
        raise Conflict(
            f"{MOST_UNFINISHED} previews with gates of your unit are still being measured. Wait for one of them, or preview "
            "without “gates”.",
            code="previews_busy",
        )
    evidence = [
        {
            "role": item.role.value,
            "sha256": files[item.role].sha256,
            "name": files[item.role].name,
            "columns": dict(item.columns),
            "format": item.format,
        }
        for item in new.evidence
    ]
    assert caller.person is not None
    track = preview.assessment.track
    wanted = needed_collectors(preview.pack, preview.pack.gate_kind, track)
    around = surroundings(
        submission=_as_if(unit_id, new, preview.champion_submission),
        revision=Revision(number=1, evidence=evidence),
        settings=preview.pack.settings,
        facts=preview.facts,
        conditions=preview.pack.document.cel_conditions,
    )
    inputs, missing = {}, {}
    for collector in wanted:
        frozen = frozen_inputs(collector, around)
        if collector.plugin is not None:
            frozen["plugin"] = collector.plugin.to_json()
        lacking = [role for role in collector.requires if role not in frozen["evidence"]]
        if lacking:
            missing[collector.name] = missing_words(lacking)
        else:
            inputs[collector.name] = frozen
    with unit_of_work(caller) as work:
        row = GatePreview.objects.create(
            unit_id=unit_id,
            asked_by=caller.person,
            content_digest=content,
            policy=preview.policy,
            kind=new.kind,
            track=track,
            facts=preview.facts.to_json(),
            inputs=inputs,
            missing=missing,
            document=preview_document(preview, system=new.system, version=new.version, environment=new.environment),
            expires_at=timezone.now() + KEPT,
        )
        work.enqueue(TASK, str(row.pk))
    return row


def find(*, caller: Caller, preview_id: uuid.UUID) -> GatePreview:
    """A preview of the caller's units that is still kept. Raises `NotFound`, and `Unavailable` when it could not be measured."""
    caller.require_scope(Scope.SUBMIT)
    row = visible(GatePreview.objects.filter(expires_at__gt=Now()), caller).filter(pk=preview_id).first()
    if row is None:
        raise NotFound("There is no such preview, or it has expired: they are kept for an hour. Send it again.")
    if row.status == RunStatus.ERROR:
        raise Unavailable(f"The gates of this preview could not be run: {row.error} Send it again.")
    return row


def measure(preview_id: str) -> bool:
    """Run the gates of a preview and store its document, in a worker. False when there was nothing to do: done, taken, expired.

    What collectors find is judged and thrown away; only the document stays, until it expires.
    """
    with connection.cursor() as cursor:
        wanted: dict[str, Any] = {"id": preview_id, "lease": LEASE, "most": MOST_ATTEMPTS}
        cursor.execute(_CLAIM, wanted)
        taken = cursor.fetchone()
    if taken is None:
        return False
    row = GatePreview.objects.get(pk=preview_id)
    mine = GatePreview.objects.filter(pk=preview_id, attempt=taken[0], status=RunStatus.RUNNING)

    looked = time.monotonic()

    def beat() -> None:
        nonlocal looked
        if time.monotonic() - looked > LEASE.total_seconds() / 6:
            looked = time.monotonic()
            if not mine.update(lease_until=Now() + LEASE):
                raise _Gone

    try:
        collected, failed = _collect(row, beat)
        document = _document(row, collected, failed)
    except _Gone:
        log.info("preview %s was taken over or has expired; its child is stopped", preview_id)
        return False
    except Exception as exc:
        log.exception("preview %s", preview_id)
        mine.update(
            status=RunStatus.ERROR, error=f"it stopped with {type(exc).__name__}, a fault of this installation.", inputs={}
        )
        raise
    # what was measured is in the document; the inputs are not needed any more
    return bool(mine.update(status=RunStatus.DONE, document=document, inputs={}, facts=[], lease_until=None))


def tidy() -> None:
    """Forget what has expired, send again what nobody took, and give up what took workers down with it."""
    GatePreview.objects.filter(expires_at__lte=Now()).delete()
    due = Q(status=RunStatus.QUEUED, asked_at__lt=Now() - timedelta(seconds=15)) | Q(
        status=RunStatus.RUNNING, lease_until__lt=Now()
    )
    for pk, attempt in GatePreview.objects.filter(due).values_list("pk", "attempt"):
        if attempt < MOST_ATTEMPTS:
            send(TASK, str(pk))
        else:
            GatePreview.objects.filter(due, pk=pk, attempt=attempt).update(
                status=RunStatus.ERROR, error="the worker stopped while it measured, twice.", inputs={}
            )


class _Gone(Exception):
    """Somebody else measures it now, or it has expired."""


def _as_if(unit_id: int, new: NewSubmission, champion: int | None) -> Submission:
    """The submission this would become, never stored: what surrounds it is looked up by its system, version and champion."""
    system = System.objects.filter(unit_id=unit_id, slug=new.system).first()
    version = SystemVersion.objects.filter(system=system, version=new.version).first() if system is not None else None
    return Submission(
        pk=_LAST,
        unit_id=unit_id,
        system_id=system.pk if system is not None else _NOWHERE,
        version_id=version.pk if version is not None else _NOWHERE,
        kind=new.kind,
        environment=new.environment,
        champion_id=champion,
    )


def _collect(row: GatePreview, beat: Any) -> tuple[dict[str, Collected], dict[str, str]]:
    """What each collector found, and why those that stopped found nothing. One that takes the child down fails alone."""
    collected: dict[str, Collected] = {}
    failed: dict[str, str] = {}
    waiting: dict[str, Inputs] = {}
    for name, frozen in row.inputs.items():
        claim = Claim(0, 0, 0, name, 1, 1, frozen)
        if problem := not_runnable(claim):
            failed[name] = problem
        else:
            waiting[name] = inputs_of(claim)
    while waiting:
        before = len(waiting)
        for ran in sandbox.run(list(waiting), waiting, pictures=False, beat=beat):
            if ran.status is sandbox.Status.NOT_RUN:
                continue
            waiting.pop(ran.collector, None)
            if ran.collected is not None:
                collected[ran.collector] = ran.collected
            else:
                failed[ran.collector] = ran.reason or "The check stopped without a reason."
            beat()
        if len(waiting) == before:
            raise RuntimeError(f"the sandbox ran none of {sorted(waiting)}")
    return collected, failed


def _document(row: GatePreview, collected: Mapping[str, Collected], failed: Mapping[str, str]) -> dict[str, Any]:
    """The verdict document with final track and gates: evaluated and judged as settling a submission does it."""
    pack = pack_of(PolicyPack.objects.get(pk=row.policy_id))
    facts = FactSet.from_json(row.facts).with_facts(_facts(collected))
    measured = Measured(
        tuple(sorted((each for found in collected.values() for each in found.measures), key=lambda each: each.group != "")),
        not_measured={**row.missing, **failed, **{name: c.not_measured for name, c in collected.items() if c.not_measured}},
        not_applicable={name: c.not_applicable for name, c in collected.items() if c.not_applicable},
    )
    statuses: dict[str, str] = {
        **dict.fromkeys([*collected, *row.missing], RunStatus.DONE),
        **dict.fromkeys(failed, RunStatus.ERROR),
    }
    slug, environment = row.document["system"], row.document["environment"]
    system = System.objects.filter(unit_id=row.unit_id, slug=slug).values_list("pk", flat=True).first()
    track = Track(row.track)
    for second in (False, True):
        judged = judged_now(pack, facts, system_id=system, environment=environment, people={row.asked_by_id})
        facts = judged.facts
        assessment = evaluate(pack, facts, pending=frozenset(), envelope=judged.envelope)
        track = strictest(assessment.track, Track(row.track))
        gates = judged_gates(pack, pack.gate_kind, track, facts, measured, statuses)
        unsettled = unsettled_fact(gates)
        if second or track is not Track.GREEN or unsettled is None:
            break
        facts = facts.with_facts([unsettled])
    return measured_document(
        row.document,
        track=track,
        assessment=assessment,
        ways=what_would_change(pack, facts, assessment, pending=frozenset()),
        advice=advice(pack, facts, assessment),
        gates=sorted(gates, key=attention),
    )


def _facts(collected: Mapping[str, Collected]) -> list[Fact]:
    return [
        Fact(
            name=fact.name,
            value=fact.value,
            assurance=Assurance.MEASURED,
            origin=f"measured:{name}",
            locator=fact.locator,
            low=fact.low,
            high=fact.high,
        )
        for name, found in collected.items()
        for fact in found.facts
    ]
