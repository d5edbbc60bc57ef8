"""Teams that depend on a system: named, told of each change, and asked to take note."""

from __future__ import annotations

from django.db.models.functions import Now

from gates.selectors.decision_differences import differences_of
from governance.domain.errors import FieldError, InvalidInput, NotFound
from governance.domain.facts import FactSet
from governance.models import Person, Submission, System
from governance.selectors.access import Caller, visible
from governance.selectors.champions import decided_facts
from governance.services.work import Work, unit_of_work
from reviews.models import ChangeNote, Deployment, DownstreamTeam
from reviews.selectors.downstream import acknowledging_refusal, managing_refusal
from reviews.selectors.notices import Notice
from reviews.services.decision_input import says_something
from reviews.services.fences import fences
from reviews.services.telling import may_see, tell

TITLES = {"approved": "was approved for", "deployed": "went live in", "rolled_back": "was rolled back in"}


def add_team(*, caller: Caller, system_id: int, name: str, uses: str, contact: int) -> DownstreamTeam:
    """Name a team that depends on a system, with the person who takes note for it.

    Raises `NotFound`, `Forbidden`, and `InvalidInput` naming each field.
    """
    system = _system(caller, system_id)
    name, uses = " ".join(name.split())[:120], uses.strip()[:300]
    problems = []
    if not name:
        problems.append(FieldError("/name", "missing", "Name the team."))
    elif DownstreamTeam.objects.filter(system=system, name__iexact=name, removed_at__isnull=True).exists():
        problems.append(FieldError("/name", "twice", "That team stands here already."))
    if not says_something(uses, 10):
        problems.append(FieldError("/uses", "missing", "Say what it does with the decisions."))
    person = Person.objects.filter(may_see(system.unit_id), pk=contact, is_active=True).first()
    if person is None:
        problems.append(FieldError("/contact", "unknown", "Choose who takes note for the team."))
    if problems or person is None:
        raise InvalidInput("The team was not added: " + " ".join(p.detail for p in problems), errors=tuple(problems))
    assert caller.person is not None
    with unit_of_work(caller) as work:
        row = DownstreamTeam.objects.create(
            unit_id=system.unit_id, system=system, name=name, uses=uses, contact=person, added_by=caller.person
        )
        work.note("downstream.added", row, {"system": system.slug, "contact": person.reference})
    return row


def remove_team(*, caller: Caller, team_id: int) -> DownstreamTeam:
    """It depends on the system no longer. What it was told stays on record."""
    row = visible(DownstreamTeam.objects.select_related("system"), caller).filter(pk=team_id, removed_at__isnull=True).first()
    if row is None:
        raise NotFound("There is no such team in your business unit.")
    _system(caller, row.system_id)
    with unit_of_work(caller) as work:
        if DownstreamTeam.objects.filter(pk=row.pk, removed_at__isnull=True).update(removed_at=Now()):
            work.note("downstream.removed", row, {"system": row.system.slug})
    return row


def acknowledge(*, caller: Caller, note_id: int, comment: str) -> ChangeNote:
    """Take note of a change for the team."""
    with fences(), unit_of_work(caller) as work:
        rows = ChangeNote.objects.select_for_update(of=("self",)).select_related("team__contact", "submission")
        row = visible(rows, caller).filter(pk=note_id).first()
        if row is None:
            raise NotFound("There is no such change note in your business unit.")
        if (refused := acknowledging_refusal(row, caller)) is not None:
            raise refused
        ChangeNote.objects.filter(pk=row.pk).update(
            acknowledged_at=Now(), acknowledged_by=caller.person, comment=comment.strip()[:500]
        )
        work.note("downstream.acknowledged", row.submission, {"note": row.pk, "team": row.team_id})
        row.refresh_from_db()
    return row


def tell_downstream(work: Work, submission: Submission, what: str, deployment: Deployment | None = None, why: str = "") -> None:
    """Write a change note for every team of the system and tell its contact, in the transaction of the change.

    `what`: approved, deployed or rolled_back. `why`: in the words of whoever rolled it back.
    """
    teams = list(DownstreamTeam.objects.filter(system_id=submission.system_id, removed_at__isnull=True))
    if not teams:
        return
    submission = Submission.objects.select_related("system", "version").get(pk=submission.pk)
    title = f"{submission.system.slug} {submission.version.version} {TITLES[what]} {submission.environment}"
    differences = differences_of(submission) if what != "rolled_back" else None  # a rollback says it the other way round
    different = differences.says if differences is not None else ""
    says = " ".join(filter(None, (f"{title}.", why, different, _changes(decided_facts(submission.pk)))))
    notes = ChangeNote.objects.bulk_create(
        ChangeNote(unit_id=submission.unit_id, team=team, submission=submission, deployment=deployment, what=what, says=says)
        for team in teams
    )
    work.note("downstream.told", submission, {"what": what, "teams": [team.pk for team in teams]})
    for note in notes:
        tell(
            work,
            submission,
            Notice.CHANGE_NOTE,
            {note.team.contact_id: f"You take note for {note.team.name}, which depends on {submission.system.slug}."},
            key=f"note:{note.pk}",
            title=title,
            says=f"{says} Look whether your team has to change something, then take note.",
            path=f"/change-notes/{note.pk}",
        )


def _changes(facts: FactSet) -> str:
    """What is known to change for whoever reads the decisions, in sentences."""
    parts = []
    change, metric = facts.value("performance.relative_change"), facts.value("performance.metric")
    if isinstance(change, int | float) and metric:
        parts.append(f"{metric} changes by {change:+.1%}.")
    threshold = facts.value("model.threshold_change")
    if isinstance(threshold, int | float) and threshold:
        parts.append(f"The decision threshold moves by {threshold:+.3g}.")
    features = facts.value("model.new_features")
    if isinstance(features, list | tuple) and features:
        more = f" and {len(features) - 5} more" if len(features) > 5 else ""
        parts.append(f"New features: {', '.join(map(str, features[:5]))}{more}.")
    target = facts.value("rollout.rollback_target")
    if isinstance(target, str) and target:
        parts.append(f"The way back: {target}.")
    return " ".join(parts)


def _system(caller: Caller, system_id: int) -> System:
    system = visible(System.objects.all(), caller).filter(pk=system_id).first()
    if system is None:
        raise NotFound("There is no such system in your business unit.")
    if (refused := managing_refusal(system, caller)) is not None:
        raise refused
    return system
