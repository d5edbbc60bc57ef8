"""Deployments and rollbacks as deployers report them, and the nightly look for what runs without a permit."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.db.models.functions import Now

from gates.selectors.decision_differences import differences_going_back
from governance.domain.errors import Conflict, DomainError, FieldError, Forbidden, InvalidInput
from governance.domain.vocabulary import Role, Scope, Severity
from governance.models import Submission, System, SystemVersion
from governance.policy.exposure import FULL
from governance.selectors.access import SYSTEM, Caller, visible
from governance.services.work import Work, unit_of_work
from reviews.models import Deployment, Finding, Permit
from reviews.selectors.deployments import covered_now, find_deployment
from reviews.selectors.notices import Notice
from reviews.selectors.permits import PermitAnswer, permit_answer
from reviews.services.downstream import tell_downstream
from reviews.services.telling import answerable, holders, tell, tell_unit

ABOUT = "deployment"


@dataclass(frozen=True)
class NewDeployment:
    """What goes live, by system and version or by digest. `observed`: seen running, so recorded without a permit too.

    `exposure`: to which share of traffic or people, in percent. None: what it is live with on the target, else all of it.
    """

    system: str = ""
    version: str = ""
    digest: str = ""
    environment: str = "production"
    target: str = ""
    observed: bool = False
    exposure: int | None = None


def report_deployment(*, caller: Caller, unit_id: int, new: NewDeployment) -> tuple[Deployment, PermitAnswer, bool]:
    """Record that a version goes live. Returns the row, what the permit says, and whether it is new.

    Raises `Conflict` (`no_permit`) with the reason when nothing allows it: the attempt stays in the audit trail. Reported again
    it is the same deployment; with another exposure it takes the place of the one before, as an earlier version does.
    """
    _may_report(caller, unit_id)
    if bool(new.digest) is bool(new.system and new.version):
        raise InvalidInput(
            "Name “system” and “version”, or “digest”.", errors=(FieldError("/system", "missing", "One of the two, not both."),)
        )
    with unit_of_work(caller) as work:
        result = _report(work, caller, unit_id, new)
    if isinstance(result, DomainError):
        raise result
    return result


def roll_back(*, caller: Caller, deployment_id: int, to_version: str = "", reason: str) -> tuple[Deployment, Deployment]:
    """Record that a live version was taken back to an earlier one; everybody who answers for it is told. Returns (from, to).

    `to_version`: "" for the one that ran on the target before. Raises `Conflict` when it is not live, when nothing ran before, or
    when the version returned to has no valid permit.
    """
    if len(reason.strip()) < 10:
        raise InvalidInput(
            "Say why it was rolled back: the people who depend on it read it.",
            errors=(FieldError("/reason", "too_short", "A sentence of at least 10 characters."),),
        )
    row = find_deployment(caller=caller, deployment_id=deployment_id)
    _may_report(caller, row.unit_id)
    with unit_of_work(caller) as work:
        row = Deployment.objects.select_for_update(of=("self",)).select_related("version__system").get(pk=row.pk)
        if row.state != Deployment.LIVE:
            raise Conflict(f"Deployment {row.pk} is not live any more: it is {row.state.replace('_', ' ')}.", code="wrong_state")
        back = to_version or _before(row)
        if not back or back == row.version_name:
            raise Conflict("Nothing ran here before. Name the version to return to as “to_version”.", code="no_rollback_target")
        answer = permit_answer(caller, system=row.system, version=back, environment=row.environment, exposure=row.exposure)
        if not answer.allowed or answer.permit is None:
            raise Conflict(f"{row.system} {back} cannot be returned to: {answer.reasons[0]}", code="no_permit")
        _end(row, Deployment.ROLLED_BACK, reason.strip())
        target = _create(work, caller, row.unit_id, answer.permit, row.target, row.exposure)
        Deployment.objects.filter(pk=row.pk).update(rolled_back_to=target)
        submission = _about(row)
        if submission is not None:
            data = {"deployment": row.pk, "to": back, "environment": row.environment}
            differences = differences_going_back(submission, back)
            work.note(
                "deployment.rolled_back",
                submission,
                {**data, "differences": differences.to_json()} if differences is not None else data,
            )
            different = f" {differences.says}" if differences is not None else ""
            tell(
                work,
                submission,
                Notice.ROLLED_BACK,
                answerable(submission) | holders(row.unit_id, Role.PLATFORM_ENGINEER),
                key=f"deployment:{row.pk}",
                title=f"{row.system} {row.version_name} was rolled back to {back} in {row.environment}",
                says=f"{reason.strip()}{different} Tell those who read its decisions, and submit a version that mends it.",
            )
            tell_downstream(work, submission, "rolled_back", row, f"{back} takes its place. {reason.strip()}{different}")
        else:
            work.note("deployment.rolled_back", row, {"to": back, "environment": row.environment})
    row.refresh_from_db()
    return row, target


def reconcile(*, limit: int = 5_000) -> int:
    """Look at everything live and list what no permit covers now: first seen, finding, message. Returns how many there are.

    Harmless when run twice. What is covered again loses its mark, and its finding is closed.
    """
    live = Deployment.objects.filter(state=Deployment.LIVE).annotate(is_covered=covered_now())
    rows = live.values_list("pk", "is_covered", "unpermitted_since")
    found = 0
    for pk, is_covered, since in list(rows.order_by("pk")[:limit]):
        found += not is_covered
        if is_covered == (since is None):
            continue
        with unit_of_work(SYSTEM) as work:
            row = Deployment.objects.select_for_update(of=("self",)).select_related("version__system").get(pk=pk)
            if row.state == Deployment.LIVE:
                _mark(work, row, unpermitted=not is_covered)
    return found


def _may_report(caller: Caller, unit_id: int) -> None:
    caller.require_scope(Scope.DEPLOY)
    if caller.token is None and Role.PLATFORM_ENGINEER not in caller.roles_in(unit_id):
        raise Forbidden("Deployments are reported by a deployer's token or an ML platform engineer.", code="role_needed")


def _report(work: Work, caller: Caller, unit_id: int, new: NewDeployment) -> tuple[Deployment, PermitAnswer, bool] | DomainError:
    build = _build(caller, unit_id, new)
    name = (build.system.slug, build.version) if build is not None else (new.system or "unknown", new.version or new.digest[:19])
    live = Deployment.objects.select_for_update().filter(
        unit_id=unit_id, system=name[0], environment=new.environment, target=new.target, state=Deployment.LIVE
    )
    before = live.first()
    same = before is not None and before.version_name == name[1]
    exposure = new.exposure or (before.exposure if same and before is not None else FULL)
    answer = permit_answer(
        caller, system=new.system, version=new.version, environment=new.environment, digest=new.digest, exposure=exposure
    )
    if before is not None and same and before.exposure == exposure:
        return before, answer, False
    if not answer.allowed and not new.observed:
        data = {"system": name[0], "version": name[1], "environment": new.environment, "verdict": answer.verdict}
        data["exposure"] = str(exposure)
        work.note("deployment.refused", build.system if build is not None else f"system:{name[0]}", data, unit=unit_id)
        return Conflict(f"Not deployed: {answer.reasons[0]}", code="no_permit")
    if before is not None:
        how = f"Exposure changed from {before.exposure} % to {exposure} %." if same else f"{name[1]} took its place."
        _end(before, Deployment.REPLACED, how)
    if answer.allowed and answer.permit is not None:
        row = _create(work, caller, unit_id, answer.permit, new.target, exposure, observed=new.observed)
        assert row.permit is not None
        tell_downstream(work, row.permit.submission, "deployed", row)
        return row, answer, True
    assert caller.person is not None
    row = Deployment.objects.create(
        unit_id=unit_id,
        system=name[0],
        version_name=name[1],
        version=build,
        environment=new.environment,
        artifact_digest=new.digest or (build.artifact_digest if build is not None else ""),
        observed=True,
        target=new.target,
        exposure=exposure,
        reported_by=caller.person,
    )
    seen = {"system": name[0], "version": name[1], "environment": new.environment, "exposure": exposure}
    work.note("deployment.observed", row, seen, unit=unit_id)
    return row, answer, True


def _create(
    work: Work, caller: Caller, unit_id: int, permit_id: str, target: str, exposure: int, *, observed: bool = False
) -> Deployment:
    assert caller.person is not None
    permit = Permit.objects.select_related("version__system", "submission").get(pk=UUID(permit_id))
    row = Deployment.objects.create(
        unit_id=unit_id,
        system=permit.version.system.slug,
        version_name=permit.version.version,
        version=permit.version,
        environment=permit.environment,
        artifact_digest=permit.artifact_digest,
        permit=permit,
        observed=observed,
        target=target,
        exposure=exposure,
        reported_by=caller.person,
    )
    work.note(
        "deployment.reported",
        permit.submission,
        {
            "deployment": row.pk,
            "permit": permit_id,
            "environment": row.environment,
            "artifact": row.artifact_digest,
            "exposure": exposure,
        },
    )
    return row


def _build(caller: Caller, unit_id: int, new: NewDeployment) -> SystemVersion | None:
    builds = visible(SystemVersion.objects.select_related("system"), caller, "system__unit_id").filter(system__unit_id=unit_id)
    builds = (
        builds.filter(artifact_digest=new.digest) if new.digest else builds.filter(system__slug=new.system, version=new.version)
    )
    return builds.order_by("-id").first()


def _before(row: Deployment) -> str:
    """The version that ran on the same target before."""
    earlier = Deployment.objects.filter(
        unit_id=row.unit_id,
        system=row.system,
        environment=row.environment,
        target=row.target,
        state=Deployment.REPLACED,
        pk__lt=row.pk,
    )
    return earlier.exclude(version_name=row.version_name).order_by("-id").values_list("version_name", flat=True).first() or ""


def _end(row: Deployment, state: str, why: str) -> None:
    Deployment.objects.filter(pk=row.pk).update(state=state, ended_at=Now(), ended_why=why[:300])


def _about(row: Deployment) -> Submission | None:
    if row.version_id is None:
        return None
    rows = Submission.objects.select_related("system", "version").filter(version_id=row.version_id, environment=row.environment)
    return rows.order_by("-id").first()


def _mark(work: Work, row: Deployment, *, unpermitted: bool) -> None:
    submission = _about(row)
    if not unpermitted:
        Deployment.objects.filter(pk=row.pk).update(unpermitted_since=None)
        for finding in Finding.objects.filter(submission=submission, about=ABOUT, state="open", raised_by__isnull=True):
            why = "A valid permit covers it again."
            Finding.objects.filter(pk=finding.pk).update(state="closed", closed_at=Now(), closed_why=why)
            work.note("finding.closed", submission or row, {"finding": finding.pk, "about": ABOUT, "revision": finding.revision})
        return
    Deployment.objects.filter(pk=row.pk).update(unpermitted_since=Now())
    where = f"{row.environment} ({row.target})" if row.target else row.environment
    says = f"{row.system} {row.version_name} runs in {where} without a valid permit."
    if row.exposure < FULL:
        says = f"{row.system} {row.version_name} runs in {where} at {row.exposure} %, without a permit that is valid for that."
    people = holders(row.unit_id, Role.PLATFORM_ENGINEER, Role.RISK_OFFICER)
    key, path, do = f"deployment:{row.pk}", "/deployments?only=unpermitted", "Roll it back, or submit the version."
    if submission is None:
        owner = System.objects.filter(unit_id=row.unit_id, slug=row.system).values_list("owner_id", flat=True).first()
        if owner is not None:
            people[owner] = f"You own {row.system}."
        work.note("deployment.unpermitted", row, {"environment": row.environment})
        tell_unit(work, row.unit_id, Notice.UNPERMITTED, people, key=key, title=says[:200], says=f"{says} {do}", path=path)
        return
    if not Finding.objects.filter(submission=submission, about=ABOUT, state="open", raised_by__isnull=True).exists():
        finding = Finding.objects.create(
            submission=submission,
            revision=submission.revision,
            about=ABOUT,
            severity=Severity.CRITICAL,
            says=says,
            fix=do,
            owner_id=submission.system.owner_id or submission.submitter_id,
        )
        work.note("finding.opened", submission, {"finding": finding.pk, "about": ABOUT, "severity": "critical"})
    work.note("deployment.unpermitted", submission, {"deployment": row.pk, "environment": row.environment})
    people |= answerable(submission)
    tell(work, submission, Notice.UNPERMITTED, people, key=key, title=says[:200], says=f"{says} {do}", path=path)
