"""A small HTTP server that answers as GitHub's REST API (2022-11-28) and GitLab's (v4) do, as far as deployments that wait go."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

APP, INSTALLATION, REPOSITORY, PROJECT = "991", 77, 4242, 30
SECRET = "github-and-guiderail-share-this"
TOKEN = "gitlab-and-guiderail-share-this"
COMMIT = "9c2f" * 10
_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = _KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
).decode()
CALLBACK = "/repos/octo-org/credit/actions/runs/5151/deployment_protection_rule"


@dataclass
class CodeHosts:
    """What they know, and what they were told. `answers`: statuses to give to the next answers instead of taking them."""

    url: str = ""
    told: list[dict[str, Any]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    blocked: list[dict[str, Any]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    scopes: list[dict[str, Any]] = field(default_factory=list)

    def wait(self, pk: int, commit: str, environment: str = "production", status: str = "blocked") -> None:
        """A deployment of GitLab, as its API tells of it."""
        there = {"id": 9, "name": environment, "external_url": None}
        self.blocked.append({"id": pk, "iid": 1, "ref": "main", "sha": commit, "status": status, "environment": there})

    def answer(self, method: str, path: str, query: dict[str, str], body: Any, headers: Any) -> tuple[int, Any]:
        if path == f"/app/installations/{INSTALLATION}/access_tokens":
            try:
                claims = jwt.decode(
                    headers["Authorization"].removeprefix("Bearer "), _KEY.public_key(), algorithms=["RS256"], issuer=APP
                )
            except jwt.PyJWTError as exc:
                return 401, {"message": f"A JSON web token could not be decoded: {exc}"}
            assert claims["exp"] - claims["iat"] <= 600, "GitHub takes up to ten minutes"
            self.scopes.append(body)
            return 201, {"token": "ghs_for-one-hour", "expires_at": "2026-11-21T19:00:00Z"}
        if path == CALLBACK:
            if headers["Authorization"] != "Bearer ghs_for-one-hour":
                return 401, {"message": "Bad credentials"}
            return self._take(body, 204)
        if path.startswith("/api/v4/") and headers["PRIVATE-TOKEN"] != "glpat-x":
            return 401, {"message": "401 Unauthorized"}
        if (method, path) == ("GET", f"/api/v4/projects/{PROJECT}/deployments"):
            found = [row for row in self.blocked if row["status"] == query["status"]]
            return 200, [row for row in found if row["environment"]["name"] == query["environment"]]
        for row in self.blocked:
            if (method, path) == ("POST", f"/api/v4/projects/{PROJECT}/deployments/{row['id']}/approval"):
                row["status"] = "created"
                return self._take({"deployment": row["id"], **body}, 201)
        return 404, {"message": "Not Found"}

    def _take(self, body: dict[str, Any], status: int) -> tuple[int, Any]:
        assert len(body["comment"]) <= 1024, "GitHub takes up to 1024 characters"
        if self.answers:
            return self.answers.pop(0), {"message": "Try later."}
        self.told.append(body)
        return status, {"status": body.get("status")} if status == 201 else None


@contextmanager
def running() -> Iterator[CodeHosts]:
    hosts = CodeHosts()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            at = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            hosts.asked.append(f"{self.command} {at.path}")
            found = hosts.answer(self.command, at.path, dict(parse_qsl(at.query)), json.loads(raw) if raw else {}, self.headers)
            out = b"" if found[1] is None else json.dumps(found[1]).encode()
            self.send_response(found[0])
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_POST = do_GET

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hosts.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield hosts
    server.shutdown()
    server.server_close()


def asks(hosts: CodeHosts, **more: Any) -> bytes:
    """What GitHub sends when a job wants to deploy; the payload of its documentation, shortened."""
    deployment = {"id": 87, "sha": COMMIT, "ref": "main", "task": "deploy", "environment": "production", "payload": {}}
    said = {
        "action": "requested",
        "environment": "production",
        "event": "push",
        "deployment_callback_url": hosts.url + CALLBACK,
        "deployment": {**deployment, **more.pop("deployment", {})},
        "pull_requests": [],
        "repository": {"id": REPOSITORY, "full_name": "octo-org/credit"},
        "installation": {"id": INSTALLATION},
        "sender": {"login": "octocat", "id": 1},
        **more,
    }
    return json.dumps(said).encode()


def signature(body: bytes, *, secret: str = SECRET, delivery: str = "", event: str = "deployment_protection_rule") -> Any:
    """The headers of a message of GitHub's."""
    return {
        "HTTP_X_GITHUB_EVENT": event,
        "HTTP_X_GITHUB_DELIVERY": delivery or str(uuid.uuid4()),
        "HTTP_X_HUB_SIGNATURE_256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest(),
    }
