"""A pipeline that proves who it is needs no token: its identity token is exchanged for one that lasts 15 minutes.

GitHub Actions (`permissions: id-token: write`) gives a fresh identity token whenever it is asked; GitLab CI puts one into a
variable (`id_tokens: GUIDERAIL_ID_TOKEN: aud: …`).
"""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Callable

from guiderail_client.exits import NOT_ALLOWED, SERVER, Problem
from guiderail_client.server import Server

EXCHANGE = "/api/v1/oidc/token"


def ci_token(url: str, *, timeout: float, tries: int, say: Callable[[str], None]) -> Callable[[], str] | None:
    """What gets a token of the server at `url` for this job's identity; None where the CI gives no identity."""
    asked_at, bearer = os.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", ""), os.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    given = os.environ.get("GUIDERAIL_ID_TOKEN", "").strip()
    audience = os.environ.get("GUIDERAIL_AUDIENCE", "") or url.rstrip("/")
    if not given and not (asked_at and bearer):
        return None

    def exchange() -> str:
        identity = given or _from_github(asked_at, bearer, audience, timeout, tries, say)
        # once only: when the answer is lost, the identity token counts as used
        told = Server(url, identity, timeout=timeout, tries=1, say=say).send("POST", EXCHANGE, {"token": identity}).json()
        token = told.get("token") if isinstance(told, dict) else None
        if not isinstance(token, str) or not token:
            raise Problem(SERVER, "The server gave no token for this job's identity. Is the address that of Guiderail?")
        return token

    return exchange


def _from_github(asked_at: str, bearer: str, audience: str, timeout: float, tries: int, say: Callable[[str], None]) -> str:
    parts = urllib.parse.urlsplit(asked_at)
    query = f"{parts.query}&" if parts.query else ""
    path = f"{parts.path}?{query}{urllib.parse.urlencode({'audience': audience})}"
    asked = Server(f"{parts.scheme}://{parts.netloc}", bearer, timeout=timeout, tries=tries, say=say)
    told = asked.get(path).json()
    value = told.get("value") if isinstance(told, dict) else None
    if not isinstance(value, str) or not value:
        raise Problem(NOT_ALLOWED, "GitHub gave no identity token. Add to the job: permissions: id-token: write")
    return value
