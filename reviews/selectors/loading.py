"""Everything one submission's views need, in a constant number of queries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BigIntegerField, CharField, F, Func, Model, OuterRef, Q, Value
from django.db.models.functions import Cast, JSONObject
from django.utils import timezone

from gates.models import Chart, Measurement
from gates.selectors.outcomes import charts_of, outcomes_of
from gates.selectors.runs import Progress, progress
from governance.domain.errors import NotFound
from governance.domain.facts import Fact
from governance.domain.vocabulary import RunStatus
from governance.models import (
    Answer,
    AuditEvent,
    ColumnMark,
    ConflictRuling,
    Contributor,
    Evidence,
    Person,
    Revision,
    RoleGrant,
    Submission,
    TrackDecision,
)
from governance.selectors.access import Caller, visible
from governance.selectors.policy import pack_of
from reviews.models import (
    Attested,
    ChangeItem,
    Condition,
    DeclaredConflict,
    Finding,
    LessonPass,
    Permit,
    Remark,
    ReviewStep,
    SignOff,
    Thread,
    Waiver,
    WaiverAudit,
    WaiverSignature,
)
from reviews.selectors.case import live_grants
from reviews.selectors.children import children_of, revived
from reviews.selectors.dossier import Material
from reviews.selectors.learning import latest_passes
from reviews.selectors.waiving import holds

M = TypeVar("M", bound=Model)
MOST_PRECEDENTS = 100
MOST_EVENTS = 400


@dataclass(frozen=True)
class Loaded:
    """One submission with everything around it.

    `champion_decision`: the last decision about the version in force; `champion_revision`: as it was handed in;
    `offers`: its answers, where they are at hand without it;
    `team`: how the reader stands to the submitter's team; `grants`: what the reader holds now;
    `passes`: the reader's latest pass of each lesson.
    """

    submission: Submission
    material: Material
    champion_decision: TrackDecision | None
    contributors: tuple[Contributor, ...]
    steps: tuple[ReviewStep, ...]
    sign_offs: tuple[SignOff, ...]
    findings: tuple[Finding, ...]
    change_items: tuple[ChangeItem, ...]
    conditions: tuple[Condition, ...]
    permits: tuple[Permit, ...]
    waivers: tuple[Waiver, ...]
    waiver_signatures: tuple[WaiverSignature, ...]
    waiver_audits: tuple[WaiverAudit, ...]
    attested: tuple[Attested, ...]
    measurements: tuple[Measurement, ...]
    charts: tuple[Chart, ...]
    runs: Progress
    revisions: tuple[Revision, ...]
    events: tuple[AuditEvent, ...]
    names: dict[int, str]
    offers: Mapping[str, Fact] = field(default_factory=dict)
    champion_revision: Revision | None = None
    declared_conflicts: tuple[DeclaredConflict, ...] = ()
    marks: tuple[ColumnMark, ...] = ()
    threads: tuple[Thread, ...] = ()
    remarks: tuple[Remark, ...] = ()
    team: str = "other"
    grants: tuple[RoleGrant, ...] = ()
    passes: tuple[LessonPass, ...] = ()

    def name(self, person_id: int | None) -> str:
        """A person's name; "" for nobody."""
        return "" if person_id is None else self.names.get(person_id, "somebody")

    @property
    def current_steps(self) -> tuple[ReviewStep, ...]:
        return tuple(sorted((s for s in self.steps if s.revision == self.submission.revision), key=lambda s: s.order))


def find_submission(*, caller: Caller, submission_id: int) -> Submission:
    """A submission by number, or `NotFound` outside of the caller's units."""
    rows = Submission.objects.select_related("unit", "system__owner", "version", "submitter", "claimed_by", "champion__version")
    reader = caller.person.pk if caller.person is not None else None
    team = Func(F("submitter_id"), Cast(Value(reader), BigIntegerField()), function="reviews_team", output_field=CharField())
    held = ArraySubquery(
        live_grants(reader or 0).values(row=JSONObject(role="role", unit_id="unit_id", delegated_by_id="delegated_by_id"))
    )
    learnt = ArraySubquery(latest_passes(reader or 0).values(row=JSONObject(lesson="lesson", digest="digest", at="at")))
    rows = rows.annotate(team=team, grant_rows=held, pass_rows=learnt)
    submission = visible(rows, caller).filter(pk=submission_id).first()
    if submission is None:
        raise NotFound(f"There is no submission S-{submission_id} in your business unit.")
    return submission


def load(*, caller: Caller, submission_id: int, history: bool = True) -> Loaded:
    """Load a submission for its views: ten statements, whatever its size. Raises `NotFound`.

    `history=False` leaves out what only people look at (runs, single measurements, pictures, earlier revisions, events): five.
    """
    submission = find_submission(caller=caller, submission_id=submission_id)
    revision = submission.revision
    decision, champion_decision = _decisions(submission)
    outcomes = tuple(outcomes_of(submission.pk, revision))
    runs = progress(submission) if history else Progress(submission.pk, revision, ())
    done = [run.id for run in runs.runs if run.status == RunStatus.DONE]
    # measurements belong to gates, and gates speak once all is measured
    measurements = tuple(Measurement.objects.filter(run__in=done).order_by("id")) if outcomes and history else ()
    charts = tuple(charts_of(submission.pk, revision)) if outcomes and history else ()
    wanted = Q(submission=submission, number__gte=revision - 1)
    if (champion := submission.champion) is not None:
        wanted |= Q(submission=champion, number=champion.revision)
    latest = tuple(Revision.objects.filter(wanted).order_by("number")) if revision and history else ()
    revisions = tuple(row for row in latest if row.submission_id == submission.pk)
    happened = AuditEvent.objects.filter(object=f"submission:{submission.pk}").defer("leaf", "chain").order_by("-seq")
    events = tuple(reversed(happened[:MOST_EVENTS])) if history else ()
    rows = children_of(submission.pk)
    answers, sources, evidence = rows["answer_rows"], rows["source_rows"], rows["evidence_rows"]
    audits, now = {row.waiver_id: row for row in rows["waiver_audit_rows"]}, timezone.now()
    material = Material(
        submission,
        decision,
        answers,
        evidence,
        sources,
        outcomes,
        pack_of(decision.policy) if decision else None,
        tuple(row for row in rows["waiver_rows"] if holds(row, audits.get(row.pk), now)),
        rows["attested_rows"],
    )
    return Loaded(
        submission=submission,
        material=material,
        champion_decision=champion_decision,
        contributors=rows["contributor_rows"],
        steps=rows["step_rows"],
        sign_offs=rows["sign_off_rows"],
        findings=rows["finding_rows"],
        change_items=rows["change_item_rows"],
        conditions=rows["condition_rows"],
        permits=rows["permit_rows"],
        waivers=rows["waiver_rows"],
        waiver_signatures=rows["waiver_signature_rows"],
        waiver_audits=rows["waiver_audit_rows"],
        attested=rows["attested_rows"],
        measurements=measurements,
        charts=charts,
        runs=runs,
        revisions=revisions,
        champion_revision=next((row for row in latest if row.submission_id == submission.champion_id), None),
        events=events,
        names=_names(submission, rows, answers, evidence, events),
        declared_conflicts=rows["conflict_rows"],
        marks=rows["mark_rows"],
        threads=rows["thread_rows"],
        remarks=tuple(row for row in rows["remark_rows"] if row.published_at is not None),
        team=submission.team,  # type: ignore[attr-defined]
        grants=tuple(revived(RoleGrant, submission.grant_rows)),  # type: ignore[attr-defined]
        passes=tuple(revived(LessonPass, submission.pass_rows)),  # type: ignore[attr-defined]
    )


def just_submitted(material: Material, revision: Revision, offers: Mapping[str, Fact]) -> Loaded:
    """The rows around a first revision submitted in this very request, from memory: nobody has looked at it, nothing has run.

    Runs, contributors and history are left out: for the verdict, which shows none of them.
    """
    submission = material.submission
    return Loaded(
        submission=submission,
        material=material,
        champion_decision=None,
        contributors=(),
        steps=(),
        sign_offs=(),
        findings=(),
        change_items=(),
        conditions=(),
        permits=(),
        waivers=(),
        waiver_signatures=(),
        waiver_audits=(),
        attested=(),
        measurements=(),
        charts=(),
        runs=Progress(submission.pk, submission.revision, ()),
        revisions=(revision,),
        events=(),
        names={},
        offers=offers,
    )


def _decisions(submission: Submission) -> tuple[TrackDecision | None, TrackDecision | None]:
    """The latest decision of the present revision, with the precedents of its pack, and the champion's latest: one query."""
    wanted = Q(submission=submission, revision=submission.revision)
    if submission.champion_id is not None:
        wanted |= Q(submission_id=submission.champion_id)
    precedents = ConflictRuling.objects.filter(conflict__pack=OuterRef("policy__name")).order_by("-id")[:MOST_PRECEDENTS]
    told = JSONObject(about="conflict__about", conflict_id="conflict_id", handling="handling")
    rows = TrackDecision.objects.filter(wanted).annotate(precedent_rows=ArraySubquery(precedents.values(row=told)))
    rows = rows.select_related("policy").defer("policy__source", "policy__questionnaire")
    latest = {row.submission_id: row for row in rows.order_by("submission_id", "-id").distinct("submission_id")}
    return latest.get(submission.pk), latest.get(submission.champion_id) if submission.champion_id is not None else None


def _names(
    submission: Submission,
    rows: dict[str, tuple[Any, ...]],
    answers: Iterable[Answer],
    evidence: Iterable[Evidence],
    events: Iterable[AuditEvent],
) -> dict[int, str]:
    ids = {submission.submitter_id, submission.claimed_by_id}
    ids |= {row.person_id for row in rows["contributor_rows"]} | {row.by_id for row in rows["sign_off_rows"]}
    ids |= {row.owner_id for row in (*rows["finding_rows"], *rows["condition_rows"])}
    ids |= {pk for row in rows["finding_rows"] for pk in (row.fixed_by_id, row.verified_by_id)}
    ids |= {pk for row in rows["waiver_rows"] for pk in (row.owner_id, row.requested_by_id, row.audit_owner_id)}
    ids |= {
        row.by_id
        for row in (*rows["waiver_signature_rows"], *rows["attested_rows"], *rows["conflict_rows"], *rows["remark_rows"])
    }
    ids |= {row.by_id for row in answers} | {row.added_by_id for row in evidence}
    ids |= {person for event in events if (person := person_of(event.actor)) is not None}
    people = Person.objects.filter(pk__in={pk for pk in ids if pk is not None}).only("pk", "username", "first_name", "last_name")
    return {person.pk: person.name for person in people}


def person_of(actor: str) -> int | None:
    """The person an audit event names: `person:7` or `person:7/token:3`."""
    head = actor.partition("/")[0]
    number = head.removeprefix("person:")
    return int(number) if head.startswith("person:") and number.isdigit() else None
