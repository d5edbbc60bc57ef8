"""A local issuer of identity tokens, and tokens as GitHub Actions and GitLab CI make them."""

from __future__ import annotations

import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

AUDIENCE = "https://guiderail.example.org"


@dataclass
class Issuer:
    """Keys by id, and how often they were asked for."""

    url: str = ""
    rsa: Any = field(default_factory=lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048))
    ec: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    document: dict[str, Any] = field(default_factory=dict)
    asked: int = 0

    def keys(self) -> dict[str, Any]:
        rows = [(jwt.algorithms.RSAAlgorithm, self.rsa, "rsa-1", "RS256"), (jwt.algorithms.ECAlgorithm, self.ec, "ec-1", "ES256")]
        made = [{**json.loads(a.to_jwk(k.public_key())), "kid": kid, "use": "sig", "alg": alg} for a, k, kid, alg in rows]
        return {"keys": [*made, {"kty": "oct", "kid": "secret", "k": "AAAA", "use": "sig"}]}

    def github(self, *, kid: str = "rsa-1", headers: dict[str, Any] | None = None, **claims: Any) -> str:
        """A token as GitHub Actions makes it; a claim given as None is left out."""
        now = int(time.time())
        given = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "repo:octo-org/octo-repo:environment:prod",
            "jti": str(uuid.uuid4()),
            "iat": now - 5,
            "nbf": now - 605,
            "exp": now + 300,
            "ref": "refs/heads/main",
            "ref_type": "branch",
            "environment": "prod",
            "repository": "octo-org/octo-repo",
            "repository_id": "74",
            "repository_owner_id": "65",
            "job_workflow_ref": "octo-org/octo-automation/.github/workflows/oidc.yml@refs/heads/main",
            "runner_environment": "github-hosted",
            **claims,
        }
        return jwt.encode(
            {k: v for k, v in given.items() if v is not None},
            self.rsa,
            algorithm="RS256",
            headers={"kid": kid, **(headers or {})},
        )

    def gitlab(self, **claims: Any) -> str:
        """A token as GitLab CI makes it."""
        now = int(time.time())
        given = {
            "namespace_id": "72",
            "project_id": "20",
            "project_path": "my-group/my-project",
            "ref": "main",
            "ref_type": "branch",
            "ref_protected": "true",
            "jti": str(uuid.uuid4()),
            "iss": self.url,
            "iat": now - 5,
            "nbf": now - 10,
            "exp": now + 295,
            "sub": "project_path:my-group/my-project:ref_type:branch:ref:main",
            "aud": AUDIENCE,
            "ci_config_ref_uri": "gitlab.example.com/my-group/my-project//.gitlab-ci.yml@refs/heads/main",
            **claims,
        }
        return jwt.encode(given, self.rsa, algorithm="RS256", headers={"kid": "rsa-1"})


@contextmanager
def running() -> Iterator[Issuer]:
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.asked += 1
            well_known = self.path == "/.well-known/openid-configuration"
            body = json.dumps(issuer.document if well_known else issuer.keys()).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.url = f"http://127.0.0.1:{server.server_port}"
    issuer.document = {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/.well-known/jwks"}
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield issuer
    server.shutdown()
    server.server_close()
