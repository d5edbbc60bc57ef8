"""What each command does. Each returns the verdict (or answer) and the exit code; printing is elsewhere."""

from __future__ import annotations

import hashlib
import json
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from guiderail_client import local
from guiderail_client.exits import FAILED, INVALID, OK, SERVER, WAITING, Problem
from guiderail_client.project import Project
from guiderail_client.server import Server

SCHEMA = "guiderail/verdict/1"
POLL = 30
MEDIA = {"markdown": "text/markdown", "sarif": "application/sarif+json", "junit": "application/junit+xml"}
"""Formats that the server writes itself, so that page, report and pipeline say the same."""


@dataclass(frozen=True)
class Told:
    """A verdict document and, for the formats the server writes, its text."""

    document: dict[str, Any]
    rendered: str = ""

    @property
    def code(self) -> int:
        return int(self.document["exit_code"])


def checked(document: Any) -> dict[str, Any]:
    """The verdict document, or `Problem`: what is not a verdict never counts as one."""
    code = document.get("exit_code") if isinstance(document, dict) else None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        raise Problem(SERVER, "The server's answer is not a verdict. Is the address that of Guiderail?")
    if type(code) is not int or code not in (OK, FAILED, WAITING):
        raise Problem(SERVER, f"The verdict holds an exit code this client does not know ({code!r}). Update the client.")
    if code == OK and document.get("submission") is not None and document.get("state") not in ("approved", "superseded"):
        raise Problem(SERVER, f"The verdict says “{document.get('state')}” and exit code 0, which do not go together.")
    return document


def described(project: Project) -> dict[str, Any]:
    """The request's body without its evidence."""
    return {
        "system": project.system,
        "kind": project.kind,
        "version": project.version,
        "environment": project.environment,
        "sources": [{"name": source.name, "content": _words(source.path)} for source in project.sources],
        "answers": project.answers,
        "evidence": [],
    }


def body_of(project: Project, server: Server, *, draft: bool, upload: bool, say: Callable[[str], None]) -> dict[str, Any]:
    """The request's body; evidence is stored first, by content."""
    body = described(project)
    for item in project.evidence:
        digest = stored(server, item.path, say) if upload else sha256_of(item.path)
        row: dict[str, Any] = {"role": item.role, "sha256": digest}
        if item.columns:
            row["columns"] = item.columns
        if item.format:
            row["format"] = item.format
        body["evidence"].append(row)
    if draft:
        body["draft"] = True
    return body


def _words(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise Problem(
            INVALID, f"{path} is not UTF-8 text ({error.reason} at byte {error.start}). Metadata files are text."
        ) from error
    except OSError as error:
        raise Problem(INVALID, f"{path} cannot be read: {error.strerror}") from error


def sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def stored(server: Server, path: Path, say: Callable[[str], None]) -> str:
    """Store a file as evidence unless the server has its bytes already. Returns its sha256 (hex)."""
    digest = sha256_of(path)
    if server.known(f"/api/v1/evidence/{digest}"):
        say(f"{path.name}: already there")
        return digest
    say(f"{path.name}: sending {_size(path.stat().st_size)}")
    told = server.upload(path, path.name, digest).json()
    if not isinstance(told, dict) or told.get("sha256") != digest:
        raise Problem(SERVER, f"{path.name} arrived with another content than was sent. Nothing was submitted; try again.")
    return digest


def preview(project: Project, server: Server, *, format: str, say: Callable[[str], None]) -> Told:
    """What would happen; nothing is recorded but the evidence files, which are stored by content."""
    body = body_of(project, server, draft=False, upload=True, say=say)
    # one request for the document and its text, so that both say the same
    path = "/api/v1/preview" + (f"?rendered={format}" if format in MEDIA else "")
    document = checked(server.send("POST", path, body).json())
    return Told(document, str(document.pop("rendered", "")))


def preview_local(project: Project, *, format: str, say: Callable[[str], None]) -> Told:
    """The same, judged here by an installation on this machine, gates included; no server is asked."""
    told = local.preview(project, described(project), render=format if format in MEDIA else "", say=say)
    return Told(checked(told["document"]), str(told["rendered"]))


def submit(project: Project, server: Server, *, draft: bool, say: Callable[[str], None]) -> Told:
    """Hand it in. The same content again is the same submission, so a re-run of the job makes no second one."""
    body = body_of(project, server, draft=draft, upload=True, say=say)
    key = "client-" + hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()[:40]
    return Told(checked(server.send("POST", "/api/v1/submissions", body, key=key).json()))


def status(server: Server, number: str, *, format: str = "text") -> Told:
    """The verdict as it stands."""
    path = f"/api/v1/submissions/{urllib.parse.quote(number, safe='')}/verdict"
    document = checked(server.get(path).json())
    rendered = server.get(path, accept=MEDIA[format]).body.decode() if format in MEDIA else ""
    return Told(document, rendered)


def wait(server: Server, number: str, *, until: str, timeout: float, told: Callable[[dict[str, Any]], None]) -> Told:
    """Wait until the gates have finished (`checks`) or until it is decided (`decision`), at most `timeout` seconds.

    Out of time is no error: the verdict as it stands is returned, and its exit code is never 0 unless it is approved.
    """
    path = f"/api/v1/submissions/{urllib.parse.quote(number, safe='')}/verdict"
    end, etag, document = time.monotonic() + timeout, "", None
    while True:
        left = end - time.monotonic()
        pause = int(max(0, min(POLL, left))) if etag else 0
        answer = server.get(f"{path}?wait={pause}", etag=etag, wait=pause)
        if answer.status != 304 or document is None:
            document, etag = checked(answer.json()), answer.headers.get("etag", "")
            told(document)
        arrived = document["state"] != "in_checks" if until == "checks" else document["final"]
        # what waits for its submitter does not go on by waiting
        if arrived or document["state"] in ("draft", "checks_failed", "changes_requested") or time.monotonic() >= end:
            return Told(document)
        if not etag:
            time.sleep(2)


def newest(project: Project, server: Server) -> str:
    """The number of the newest submission of this system, version and environment."""
    asked = urllib.parse.urlencode({"system": project.system, "limit": 100})
    found = server.get(f"/api/v1/submissions?{asked}").json()
    rows = found.get("results") if isinstance(found, dict) else None
    for row in rows or ():
        if isinstance(row, dict) and (row.get("version"), row.get("environment")) == (project.version, project.environment):
            return str(row["submission"])
    raise Problem(
        INVALID,
        f"{project.system} {project.version} was not submitted to {project.environment} yet (or not lately). "
        "Submit it with: guiderail submit. Or name a submission: S-…",
    )


def permit(
    server: Server, *, system: str, version: str, digest: str, environment: str, exposure: int | None = None
) -> dict[str, Any]:
    """The permit's answer, for a share of traffic or people in percent or for all of it. Only a plain `true` allows."""
    asked = {"digest": digest} if digest else {"system": system, "version": version}
    asked |= {"environment": environment, **({"exposure": str(exposure)} if exposure is not None else {})}
    found = server.get(f"/api/v1/permits?{urllib.parse.urlencode(asked)}").json()
    if not isinstance(found, dict) or type(found.get("allowed")) is not bool or not isinstance(found.get("reasons"), list):
        raise Problem(SERVER, "The server's answer is no answer about a permit.")
    if found["allowed"] and not found.get("permit"):
        raise Problem(SERVER, "The server allows it and names no permit, which do not go together.")
    # a server that says nothing of exposure knows permits for all of it only
    holds = found.get("exposure", 100)
    if found["allowed"] and (type(holds) is not int or holds < (100 if exposure is None else exposure)):
        raise Problem(SERVER, "The server allows it and names a permit for less exposure, which do not go together.")
    return found


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
