"""What GitHub and GitLab have in common when they are asked: one kind of failure, JSON answers, numbers that are numbers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from governance.domain.secret_values import SecretUnreadable
from governance.services.outgoing import Reply, Unreachable, ask

SECONDS = 15.0
MOST_BYTES = 1024**2
LONGEST_NUMBER = 18


class CodeHostProblem(Exception):
    """The host did not do what it was asked. `final`: asking again will not help."""

    def __init__(self, says: str, *, final: bool = False) -> None:
        super().__init__(says[:300])
        self.final = final


def call(host: str, method: str, url: str, headers: Mapping[str, str], body: Mapping[str, Any] | None = None) -> Any:
    """One request to a host that the operator named, JSON in and out; None for an empty answer. Raises `CodeHostProblem`.

    Server errors, timeouts and limits pass; any other refusal is final.
    """
    sent = {**headers, "Content-Type": "application/json"} if body is not None else dict(headers)
    raw = json.dumps(body).encode() if body is not None else None
    try:
        reply = ask(method, url, body=raw, headers=sent, seconds=SECONDS, most=MOST_BYTES, named_by_operator=True)
    except (Unreachable, SecretUnreadable) as exc:
        raise CodeHostProblem(f"{host} was not reached: {exc}") from exc
    if not 200 <= reply.status < 300:
        passing = reply.status >= 500 or reply.status in (401, 408, 425, 429) or "retry-after" in reply.headers
        raise CodeHostProblem(f"{host} answered {reply.status}: {_said(reply)}", final=not passing)
    if not reply.body.strip():
        return None
    try:
        return json.loads(reply.body)
    except (ValueError, RecursionError) as exc:
        raise CodeHostProblem(f"{host} answered with what is not JSON.") from exc


def table(value: Any) -> dict[str, Any]:
    """The value if it is a JSON object, else an empty one."""
    return value if isinstance(value, dict) else {}


def number(value: Any) -> str:
    """A positive whole number as text, or "": ids come as JSON numbers, and nothing else counts as one."""
    if isinstance(value, bool) or not isinstance(value, int) or value <= 0:
        return ""
    return str(value) if value < 10**LONGEST_NUMBER else ""


def text(value: Any, most: int) -> str:
    """A text of up to `most` characters, or "": nothing is cut to fit. What a database does not store is none."""
    return value if isinstance(value, str) and len(value) <= most and value.isprintable() else ""


def _said(reply: Reply) -> str:
    try:
        said = table(json.loads(reply.body))
    except (ValueError, RecursionError):
        said = {}
    return str(said.get("message") or said.get("error") or "no reason given")[:200]
