"""A job of GitHub or GitLab without a token: its identity is exchanged, once, and again when the short token has ended."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.client.test_faulty_server import VERDICT, Faulty, Served, serve

__all__ = ["serve"]
NO_TOKEN = {"GUIDERAIL_TOKEN": ""}


def answers(handler: Faulty, *, refuse_first: bool = False) -> None:
    sent = handler.headers.get("Authorization")
    if handler.path.startswith("/actions"):
        assert sent == "Bearer of-the-runner" and "audience=http" in handler.path
        handler.say(200, json.dumps({"value": f"identity-{len(handler.asked)}"}).encode())
    elif handler.path == "/api/v1/oidc/token":
        given = json.loads(handler.rfile.read(int(handler.headers["Content-Length"])))["token"]
        if not given.startswith("identity-"):
            handler.say(401, json.dumps({"detail": "No rule trusts this pipeline."}).encode())
        else:
            handler.say(200, json.dumps({"token": f"grl_for-{given}"}).encode())
    elif refuse_first and sent == "Bearer grl_for-identity-1":
        handler.say(401, json.dumps({"detail": "The token has expired."}).encode())
    elif sent is not None and sent.startswith("Bearer grl_for-identity-"):
        handler.say(200, json.dumps(VERDICT).encode(), ETag='"1"')
    else:
        handler.say(401, json.dumps({"detail": "Who are you?"}).encode())


def run(served: Served, **more: str) -> Any:
    return served.client.__class__(served.client.folder, url=served.client.url, token="")("status", "S-1", **more)


def github(served: Served) -> dict[str, str]:
    asked_at = f"{served.client.url}/actions?api-version=2.0"
    return {"ACTIONS_ID_TOKEN_REQUEST_URL": asked_at, "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "of-the-runner"}


def test_a_github_job_and_a_gitlab_job_need_no_token(serve: Callable[..., Served]) -> None:
    served = serve(answers)
    assert run(served, **github(served)).code == 0
    assert run(served, GUIDERAIL_ID_TOKEN="identity-of-gitlab").code == 0
    assert run(served).code == 4, "without either, there is no token"


def test_a_token_that_ends_while_the_job_waits_is_renewed(serve: Callable[..., Served]) -> None:
    served = serve(lambda handler: answers(handler, refuse_first=True))
    ran = run(served, **github(served))
    assert ran.code == 0, ran.err
    assert sum(line.startswith("POST /api/v1/oidc") for line in served.asked) == 2


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_an_identity_that_is_refused_ends_with_no_0(serve: Callable[..., Served], status: int) -> None:
    served = serve(lambda handler: handler.say(status, json.dumps({"detail": "No."}).encode()))
    ran = run(served, GUIDERAIL_ID_TOKEN="identity-x", GUIDERAIL_TRIES="1")
    assert ran.code == (4 if status < 500 else 5) and "Traceback" not in ran.err
    assert "identity-x" not in ran.err + ran.out
