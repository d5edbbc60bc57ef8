"""GitHub's side of a deployment protection rule: checking its messages, signing in as the app, answering.

As docs.github.com describes custom deployment protection rules (REST API 2022-11-28; GitHub Enterprise Server 3.10 and later).
The app, its key and the secret of its webhook stand in the environment; see docs/deployment-gates.md.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import Any

import jwt
from django.conf import settings

from governance.domain.secret_values import SecretUnreadable, secret_value
from reviews.services.code_hosts import CodeHostProblem, call, table

HOST = "GitHub"
SIGNATURE, DELIVERY, EVENT = "X-Hub-Signature-256", "X-GitHub-Delivery", "X-GitHub-Event"
LONGEST_COMMENT = 1024
MOST_COMMENTS = 10
"""Of a rule on one deployment, as GitHub documents."""
_SECRET, _KEY = "GUIDERAIL_GITHUB_WEBHOOK_SECRET", "GUIDERAIL_GITHUB_APP_KEY"
_CALLBACK = re.compile(r"/repos/[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._-]{1,100}/actions/runs/[0-9]{1,18}/deployment_protection_rule")


def configured() -> bool:
    """Whether the operator named an app. Its key is looked at when it is used."""
    return bool(settings.GITHUB_APP_ID)


def signed(given: str, body: bytes) -> bool:
    """Whether the message is the app's: HMAC-SHA256 over the body as it came. False as well where no secret is configured."""
    try:
        secret = secret_value(_SECRET)
    except SecretUnreadable:
        return False
    if not secret:
        return False
    expected = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), given.encode())


def callback_path(url: str) -> str:
    """The path below the API that takes the answer, or "" for an address that is not one of the API's for that purpose.

    Only the path is kept: the answer, and the token with it, goes to the API the operator named and nowhere else.
    """
    base = settings.GITHUB_API
    path = url.removeprefix(base)
    if path == url or not _CALLBACK.fullmatch(path) or "/../" in path or "/./" in path:
        return ""
    return path


def report(*, installation: str, repository: str, callback: str, environment: str, state: str, comment: str) -> None:
    """Say something about a waiting deployment. `state`: approved, rejected, or "" for a comment. Raises `CodeHostProblem`."""
    body = {"environment_name": environment, "comment": comment[:LONGEST_COMMENT]}
    if state:
        body["state"] = state
    token = _installation_token(installation, repository)
    call(HOST, "POST", settings.GITHUB_API + callback, _headers(f"Bearer {token}"), body)


def _installation_token(installation: str, repository: str) -> str:
    """A token of an hour, for this one repository and for deployments only."""
    body = {"repository_ids": [int(repository)], "permissions": {"actions": "read", "deployments": "write"}}
    url = f"{settings.GITHUB_API}/app/installations/{installation}/access_tokens"
    token = table(call(HOST, "POST", url, _headers(f"Bearer {_app_token()}"), body)).get("token")
    if not isinstance(token, str) or not re.fullmatch(r"[\x21-\x7e]{1,1000}", token):
        raise CodeHostProblem("GitHub gave no token for the installation.")
    return token


def _app_token() -> str:
    """The app's own word: ten minutes, signed with its key (RS256); a minute back, for clocks that differ."""
    if not settings.GITHUB_APP_ID:
        raise CodeHostProblem("No GitHub app is configured: set GUIDERAIL_GITHUB_APP_ID and GUIDERAIL_GITHUB_APP_KEY_FILE.")
    now = int(time.time())
    claims: dict[str, Any] = {"iat": now - 60, "exp": now + 540, "iss": settings.GITHUB_APP_ID}
    try:
        # a variable holds one line in most places: the two characters \n stand for the breaks of a PEM file there
        key = secret_value(_KEY).replace("\\n", "\n")
        return jwt.encode(claims, key, algorithm="RS256")
    except (SecretUnreadable, jwt.PyJWTError, ValueError, TypeError) as exc:
        # what went wrong inside may quote the key, so only the kind of failure is told
        raise CodeHostProblem(f"The GitHub app's key cannot be used ({type(exc).__name__}): see {_KEY}_FILE.") from None


def _headers(authorization: str) -> dict[str, str]:
    return {
        "Authorization": authorization,
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
    }
