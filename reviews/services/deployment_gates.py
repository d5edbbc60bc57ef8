"""Which project's environment is which system's: said by administrators who have just proved who they are, and by nobody else."""

from __future__ import annotations

import re
from datetime import datetime

from django.db import IntegrityError
from django.db.models.functions import Now

from governance.domain.errors import Conflict, FieldError, InvalidInput
from governance.models import System
from governance.policy.exposure import FULL
from governance.selectors.access import Caller
from governance.services.administration import require_administrator
from governance.services.work import unit_of_work
from reviews.models import DeploymentGate, DeploymentReport, DeploymentRequest

_NUMBER = re.compile(r"[1-9][0-9]{0,17}")
_ENVIRONMENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,39}")


def gate_deployments(
    *,
    caller: Caller,
    provider: str,
    project: str,
    installation: str,
    environment_there: str,
    system: System,
    environment: str,
    exposure: int = FULL,
    proved_at: datetime | None = None,
) -> DeploymentGate:
    """Say that deployments of a project to an environment are this system's, and reach `exposure` percent of traffic or people.

    Raises `InvalidInput` naming the field, `Conflict` when that environment has a rule already, `Forbidden`,
    `ReauthenticationNeeded`.
    """
    require_administrator(caller, system.unit_id, proved_at)
    project, installation, environment_there = project.strip(), installation.strip(), environment_there.strip()
    github = provider == DeploymentGate.GITHUB
    wrong = []
    if provider not in (DeploymentGate.GITHUB, DeploymentGate.GITLAB):
        wrong.append(FieldError("/provider", "unknown", "github or gitlab."))
    if not _NUMBER.fullmatch(project):
        wrong.append(FieldError("/project", "invalid", "The number, not the name: a name can be taken over by somebody else."))
    if github and not _NUMBER.fullmatch(installation):
        wrong.append(FieldError("/installation", "invalid", "The number at the end of the installation's address on GitHub."))
    if not github and installation:
        wrong.append(FieldError("/installation", "invalid", "Only apps on GitHub have one. Leave it empty."))
    if not environment_there or len(environment_there) > 255 or not environment_there.isprintable():
        wrong.append(FieldError("/environment_there", "invalid", "The environment's name there, as it is written there."))
    if not _ENVIRONMENT.fullmatch(environment):
        wrong.append(FieldError("/environment", "invalid", "Such as production."))
    if not 1 <= exposure <= FULL:
        wrong.append(FieldError("/exposure", "invalid", "1 to 100 percent."))
    if wrong:
        raise InvalidInput("The rule was not made: " + " ".join(each.detail for each in wrong), errors=tuple(wrong))
    try:
        with unit_of_work(caller) as work:
            gate = DeploymentGate.objects.create(
                unit_id=system.unit_id,
                system=system,
                provider=provider,
                project=project,
                installation=installation,
                environment_there=environment_there,
                environment=environment,
                exposure=exposure,
                created_by=caller.person,
            )
            said = {"provider": provider, "project": project, "installation": installation, "system": system.slug}
            said |= {"there": environment_there, "environment": environment}
            work.note("deployment_gate.made", gate, {**said, "exposure": exposure})
    except IntegrityError as exc:
        says = f"{environment_there} of project {project} has a rule already. End it first."
        raise Conflict(says, code="gated_already") from exc
    return gate


def end_gate(*, caller: Caller, gate: DeploymentGate, proved_at: datetime | None = None) -> None:
    """End a rule. What waits is answered no more: there it stays blocked until somebody decides there."""
    require_administrator(caller, gate.unit_id, proved_at)
    with unit_of_work(caller) as work:
        if DeploymentGate.objects.filter(pk=gate.pk, ended_at__isnull=True).update(ended_at=Now()):
            work.note("deployment_gate.ended", gate)


def try_again(*, caller: Caller, gate: DeploymentGate, proved_at: datetime | None = None) -> int:
    """Take up again what was given up: answers that were not taken. Returns how many."""
    require_administrator(caller, gate.unit_id, proved_at)
    with unit_of_work(caller) as work:
        failed = DeploymentReport.objects.filter(
            request__gate=gate, request__state=DeploymentRequest.WAITING, state=DeploymentReport.FAILED
        )
        count = failed.update(state=DeploymentReport.DUE, attempts=0, not_before=Now())
        if count:
            work.note("deployment_gate.tried_again", gate, {"reports": count})
        work.enqueue("reviews.deployment_gates")
    return count
