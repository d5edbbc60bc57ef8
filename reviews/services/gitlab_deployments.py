"""GitLab's side of a deployment approval: checking its messages, reading what waits, answering.

As docs.gitlab.com describes the deployments API (GitLab 15.1 and later, Premium). The token and the secret of the webhook stand
in the environment; see docs/deployment-gates.md.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from governance.domain.secret_values import SecretUnreadable, secret_value
from reviews.services.code_hosts import CodeHostProblem, call, number, table, text

HOST = "GitLab"
TOKEN, EVENT = "X-Gitlab-Token", "X-Gitlab-Event"
LONGEST_COMMENT = 1024
MOST_WAITING = 100
_SECRET, _TOKEN = "GUIDERAIL_GITLAB_WEBHOOK_SECRET", "GUIDERAIL_GITLAB_TOKEN"


@dataclass(frozen=True)
class Blocked:
    """A deployment that is blocked until somebody approves, as the API tells of it."""

    deployment: str
    commit: str
    ref: str


def configured() -> bool:
    """Whether there is a token to ask and answer with. A file that cannot be read counts: asking says what is wrong with it."""
    try:
        return bool(secret_value(_TOKEN))
    except SecretUnreadable:
        return True


def known(given: str) -> bool:
    """Whether the message brings the webhook's secret. False as well where none is configured."""
    try:
        secret = secret_value(_SECRET)
    except SecretUnreadable:
        return False
    return bool(secret) and hmac.compare_digest(secret.encode(), given.encode())


def waiting(project: str, environment: str) -> list[Blocked]:
    """The newest deployments to an environment that wait for approval. Raises `CodeHostProblem`."""
    query = {"environment": environment, "status": "blocked", "order_by": "id", "sort": "desc", "per_page": MOST_WAITING}
    rows = _call("GET", f"/projects/{project}/deployments?{urlencode(query)}")
    if not isinstance(rows, list):
        raise CodeHostProblem("GitLab answered with what is no list of deployments.")
    found = [_blocked(row, environment) for row in rows[:MOST_WAITING]]
    return [row for row in found if row is not None]


def answer(project: str, pk: str, status: str, comment: str) -> None:
    """Approve or reject (`approved`, `rejected`). Raises `CodeHostProblem`."""
    body = {"status": status, "comment": comment[:LONGEST_COMMENT]}
    _call("POST", f"/projects/{project}/deployments/{pk}/approval", body)


def _blocked(row: Any, environment: str) -> Blocked | None:
    """What is to be answered; None for what was not asked for, or names no commit."""
    data = table(row)
    pk, commit = number(data.get("id")), text(data.get("sha"), 64).lower()
    asked_for = data.get("status") == "blocked" and table(data.get("environment")).get("name") == environment
    return Blocked(pk, commit, text(data.get("ref"), 255)) if pk and commit and asked_for else None


def _call(method: str, path: str, body: dict[str, str] | None = None) -> Any:
    try:
        token = secret_value(_TOKEN)
    except SecretUnreadable as exc:
        raise CodeHostProblem(str(exc)) from exc
    if not token:
        raise CodeHostProblem(f"No token for GitLab is configured: set {_TOKEN}_FILE.")
    return call(HOST, method, f"{settings.GITLAB_URL}/api/v4{path}", {"PRIVATE-TOKEN": token}, body)
