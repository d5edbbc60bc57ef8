"""Telling people: rows written in the transaction of the event, last before its audit events.

Nobody is told of a case they cannot see, whatever the list of recipients says; nobody is told what they just did themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from django.db.models import CharField, Exists, F, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Now

from governance.domain.vocabulary import DecisionKind, Role
from governance.models import Contributor, Person, RoleGrant, Submission, Unit
from governance.services.work import Work
from reviews.models import DeclaredConflict, Notification, NotificationChoice, ReviewStep, SignOff, Waiver, WaiverSignature
from reviews.selectors.notices import Notice, how_for

TASK = "reviews.deliver"


@dataclass(frozen=True)
class Told:
    """One message to several people. `people`: person -> why that person is told."""

    kind: Notice
    key: str
    unit_id: int
    submission_id: int | None
    title: str
    says: str
    path: str
    people: Mapping[int, str]


def tell(
    work: Work,
    about: Submission,
    kind: Notice,
    people: Mapping[int, str],
    *,
    key: str,
    title: str,
    says: str,
    path: str = "",
) -> None:
    """Tell people about a submission. `key` names the event: the same one tells nobody twice."""
    where = path or f"/submissions/{about.number}"
    work.later(_write, Told(kind, f"{kind}:{key}"[:120], about.unit_id, about.pk, title[:200], says, where, dict(people)))


def tell_unit(
    work: Work, unit_id: int, kind: Notice, people: Mapping[int, str], *, key: str, title: str, says: str, path: str
) -> None:
    """The same about something that has no submission."""
    work.later(_write, Told(kind, f"{kind}:{key}"[:120], unit_id, None, title[:200], says, path, dict(people)))


def may_see(unit_id: int) -> Q:
    """People who can see what belongs to the unit: their own, or one where a role of theirs holds now."""
    grants = RoleGrant.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=Now()),
        Q(unit__isnull=True) | Q(unit_id=unit_id),
        person=OuterRef("pk"),
        valid_from__lte=Now(),
    )
    return Q(unit_id=unit_id) | Q(Exists(grants))


def holders(unit_id: int, *roles: Role) -> dict[int, str]:
    """People who hold one of the roles for the unit now, with why they are told."""
    return _why(unit_id, _held(unit_id, roles))


def _why(unit_id: int, grants: Iterable[RoleGrant]) -> dict[int, str]:
    """Each person with the role they hold, or stand in with where they hold none in their own right."""
    name = Unit.objects.values_list("name", flat=True).get(pk=unit_id)
    told: dict[int, str] = {}
    for grant in grants:
        as_what = f"{Role(grant.role).label} for {name}"
        if grant.delegated_by is None:
            told[grant.person_id] = f"You are {as_what}."
        else:
            told.setdefault(grant.person_id, f"You stand in for {grant.delegated_by.name} as {as_what}.")
    return told


def _held(unit_id: int, roles: Collection[Role]) -> QuerySet[RoleGrant]:
    """Grants of the roles that hold for the unit now."""
    grants = RoleGrant.objects.filter(
        Q(valid_until__isnull=True) | Q(valid_until__gt=Now()),
        Q(unit__isnull=True) | Q(unit_id=unit_id),
        role__in=[role.value for role in roles],
        person__is_active=True,
        valid_from__lte=Now(),
    )
    return grants.select_related("delegated_by").order_by("id")


def able_to_decide(submission: Submission, role: Role) -> dict[int, str]:
    """Holders of a role who may decide on the case: nobody who submitted, contributed to or waived it, or stands
    aside for a conflict of interest, and nobody who only stands in for one of those."""
    barred = {submission.submitter_id}
    barred |= set(Contributor.objects.filter(submission=submission).values_list("person_id", flat=True))
    barred |= set(Waiver.objects.filter(submission=submission).values_list("requested_by_id", flat=True))
    barred |= set(WaiverSignature.objects.filter(submission=submission).values_list("by_id", flat=True))
    barred |= set(DeclaredConflict.objects.filter(submission=submission).values_list("by_id", flat=True))
    held = list(_held(submission.unit_id, (role,)))
    own = {grant.person_id for grant in held if grant.delegated_by_id is None}
    barred |= {grant.person_id for grant in held if grant.delegated_by_id in barred and grant.person_id not in own}
    people = {pk: why for pk, why in _why(submission.unit_id, held).items() if pk not in barred}
    if not ReviewStep.objects.filter(submission=submission, revision=submission.revision, role=role, outside_team=True).exists():
        return people
    team = Func(Value(submission.submitter_id), F("pk"), function="reviews_team", output_field=CharField())
    # where the team is not known they are told: somebody has to see to it
    outside = Person.objects.filter(pk__in=people).annotate(team=team).exclude(team="same").values_list("pk", flat=True)
    return {pk: people[pk] for pk in outside}


def answerable(submission: Submission) -> dict[int, str]:
    """Who answers for a version: its submitter and its system's owner."""
    found = {submission.submitter_id: f"You submitted {submission.number}."}
    owner = submission.system.owner_id
    if owner is not None and owner not in found:
        found[owner] = f"You own {submission.system.slug}."
    return found


def tell_decided(work: Work, submission: Submission, how: str, says: str, *, kind: Notice = Notice.DECIDED) -> None:
    """Tell those who answer for a version how it was decided."""
    tell(
        work,
        submission,
        kind,
        answerable(submission),
        key=f"{submission.number}:r{submission.revision}:{submission.state}:{submission.dossier_digest[-16:]}",
        title=f"{submission.system.slug} {submission.version.version} {how}",
        says=says,
    )


def tell_informed(work: Work, submission: Submission, step: ReviewStep, sign_off: SignOff) -> None:
    """Tell the roles that the step keeps informed how it was decided, each person once."""
    if not step.informed:
        return
    decided = DecisionKind(sign_off.decision).value.replace("_", " ")
    tell(
        work,
        submission,
        Notice.INFORMED,
        {
            pk: f"{why} The policy keeps that role informed."
            for pk, why in holders(submission.unit_id, *map(Role, step.informed)).items()
        },
        key=f"{submission.number}:{step.pk}:{submission.dossier_digest[-16:]}",
        title=f"{submission.number} {submission.system.slug} {submission.version.version}: {step.role_label} decided",
        says=f"The {step.role_label} decided: {decided}. You are told, nothing is asked of you.",
    )


def _write(work: Work, told: Iterable[Told]) -> None:
    told = list(told)
    actor = work.caller.person.pk if work.caller.person is not None else None
    ids = {pk for row in told for pk in row.people if pk != actor}
    if not ids:
        return
    seers = {unit_id: _seers(unit_id, ids) for unit_id in {row.unit_id for row in told}}
    chosen = {
        (choice.person_id, choice.kind): choice.how
        for choice in NotificationChoice.objects.filter(person__in=ids, kind__in={row.kind.value for row in told})
    }
    rows = []
    for row in told:
        for pk, why in row.people.items():
            how = how_for(row.kind, chosen.get((pk, row.kind.value)))
            if pk == actor or pk not in seers[row.unit_id] or how == "off":
                continue
            mail = {"now": Notification.DUE, "daily": Notification.DAILY}.get(how, Notification.NO_MAIL)
            rows.append(
                Notification(
                    person_id=pk,
                    unit_id=row.unit_id,
                    submission_id=row.submission_id,
                    kind=row.kind,
                    key=row.key,
                    title=row.title,
                    says=row.says,
                    why=why[:300],
                    path=row.path,
                    mail=mail if seers[row.unit_id][pk] else Notification.NO_MAIL,
                )
            )
    if rows:
        # the trigger that counts locks people: always in one order
        rows.sort(key=lambda row: (row.person_id, row.key))
        told_ids = {row.person_id for row in rows}
        list(Person.objects.select_for_update(no_key=True).filter(pk__in=told_ids).order_by("pk").values_list("pk", flat=True))
        Notification.objects.bulk_create(rows, ignore_conflicts=True)
        work.enqueue(TASK)


def _seers(unit_id: int, ids: set[int]) -> dict[int, str]:
    """Those of `ids` who may see the unit, with their address."""
    return dict(Person.objects.filter(may_see(unit_id), pk__in=ids, is_active=True).values_list("pk", "email"))
