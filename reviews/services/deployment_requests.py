"""Deployments that wait come in: told by a message, or found by asking GitLab. The row is the request to answer.

A message of GitHub is signed: of it are believed the numbers of installation, repository and deployment, the environment and the
commit. A message of GitLab only brings a secret: it makes us look, and what waits is read from GitLab.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from governance.domain.errors import Conflict, InvalidInput, NotFound
from governance.selectors.access import SYSTEM, Caller
from governance.services.work import send, unit_of_work
from reviews.models import DeploymentGate, DeploymentRequest
from reviews.services import gitlab_deployments as gitlab
from reviews.services.code_hosts import CodeHostProblem, number, table, text
from reviews.services.github_app import callback_path

log = logging.getLogger(__name__)

ASK_AGAIN = timedelta(seconds=50)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_DELIVERY = re.compile(r"[0-9A-Za-z-]{8,64}")


def take_github(event: str, delivery: str, said: Mapping[str, Any]) -> int:
    """A signed message of the app. Returns 1 for a deployment that waits, 0 for what is none of that.

    Raises `NotFound` where no rule pins that installation, repository and environment, `InvalidInput` for a message that names no
    commit or another address to answer to, `Conflict` (`delivered_before`) for one that was taken already.
    """
    if event != "deployment_protection_rule" or said.get("action") != "requested":
        return 0
    deployment, repository = table(said.get("deployment")), number(table(said.get("repository")).get("id"))
    gate = _gate(DeploymentGate.GITHUB, repository, said.get("environment"))
    if number(table(said.get("installation")).get("id")) != gate.installation:
        raise _no_rule()
    commit, pk = text(deployment.get("sha"), 64).lower(), number(deployment.get("id"))
    callback = callback_path(text(said.get("deployment_callback_url"), 400))
    if not _DELIVERY.fullmatch(delivery):
        raise InvalidInput("The message has no delivery id.")
    if not _COMMIT.fullmatch(commit) or not pk:
        raise InvalidInput("The message names no deployment with a full commit id.")
    if not callback:
        raise InvalidInput("The address to answer to is not one of the GitHub API that is configured here.")
    _add(
        Caller(person=None, origin="github"),
        DeploymentRequest(
            gate=gate,
            delivery=delivery,
            deployment=pk,
            callback=callback,
            commit=commit,
            ref=text(deployment.get("ref"), 255),
        ),
    )
    return 1


def take_gitlab(said: Mapping[str, Any]) -> int:
    """A message of GitLab with the webhook's secret: GitLab is asked at once what waits. Returns 1, or 0 for other messages.

    Raises `NotFound` where no rule pins that project and environment.
    """
    if said.get("object_kind") != "deployment":
        return 0
    gate = _gate(DeploymentGate.GITLAB, number(table(said.get("project")).get("id")), said.get("environment"))
    DeploymentGate.objects.filter(pk=gate.pk).update(asked_at=None)
    send("reviews.ask_deployments")
    return 1


def ask_gitlab(*, limit: int = 200) -> int:
    """Ask for deployments that wait; many versions of GitLab do not tell of them. Returns how many are new."""
    if not gitlab.configured():
        return 0
    due = _live(DeploymentGate.GITLAB).filter(Q(asked_at__isnull=True) | Q(asked_at__lt=Now() - ASK_AGAIN))
    found = 0
    for gate in due.order_by(F("asked_at").asc(nulls_first=True), "id")[:limit]:
        DeploymentGate.objects.filter(pk=gate.pk).update(asked_at=Now())
        try:
            rows = gitlab.waiting(gate.project, gate.environment_there)
        except CodeHostProblem as problem:
            DeploymentGate.objects.filter(pk=gate.pk).update(problem=str(problem))
            continue
        DeploymentGate.objects.filter(pk=gate.pk).update(problem="")
        found += _keep(gate, rows)
        _forget(gate, rows)
    return found


def _keep(gate: DeploymentGate, rows: Sequence[gitlab.Blocked]) -> int:
    known = set(gate.requests.filter(deployment__in=[row.deployment for row in rows]).values_list("deployment", flat=True))
    new = [row for row in rows if row.deployment not in known and _COMMIT.fullmatch(row.commit)]
    for row in new:
        request = DeploymentRequest(gate=gate, deployment=row.deployment, commit=row.commit, ref=row.ref)
        with suppress(Conflict):  # another task read it at the same moment
            _add(Caller(person=None, origin="gitlab"), request)
    return len(new)


def _forget(gate: DeploymentGate, rows: Sequence[gitlab.Blocked]) -> None:
    """What is not blocked any more is not answered: somebody cancelled it, or decided there."""
    if len(rows) >= gitlab.MOST_WAITING:
        return
    gone = gate.requests.filter(state=DeploymentRequest.WAITING, received_at__lt=Now() - timedelta(minutes=1))
    gone = gone.exclude(deployment__in=[row.deployment for row in rows])
    for pk in list(gone.values_list("pk", flat=True)):
        with unit_of_work(SYSTEM) as work:
            if gone.filter(pk=pk).update(state=DeploymentRequest.OVER):
                work.note("deployment_gate.over", gate, {"request": pk})


def _add(caller: Caller, row: DeploymentRequest) -> None:
    try:
        with unit_of_work(caller) as work:
            row.save(force_insert=True)
            said = {"deployment": row.deployment, "commit": row.commit, "delivery": row.delivery, "request": row.pk}
            work.note("deployment_gate.asked", row.gate, said)
            work.enqueue("reviews.deployment_gates")
    except IntegrityError as exc:
        log.warning("deployment gate %s: deployment %s was taken before", row.gate_id, row.deployment)
        raise Conflict("This delivery, or this deployment, was taken already.", code="delivered_before") from exc


def _gate(provider: str, project: str, environment: Any) -> DeploymentGate:
    there = text(environment, 255)
    gate = _live(provider).filter(project=project, environment_there=there).first() if project and there else None
    if gate is None:
        log.warning("%s: no rule for environment %r of project %s", provider, there, project or "?")
        raise _no_rule()
    return gate


def _live(provider: str) -> QuerySet[DeploymentGate]:
    return DeploymentGate.objects.filter(provider=provider, ended_at__isnull=True)


def _no_rule() -> NotFound:
    return NotFound("No rule is about this project, environment and installation. An administrator makes one.")
