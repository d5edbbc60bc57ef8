"""MLflow's REST API, as much of it as Guiderail needs. Nothing of MLflow is imported, and no artefact but `MLmodel` is fetched.

Which servers there are stands in the environment (`GUIDERAIL_MLFLOW_SERVERS`), with their secrets; see docs/mlflow.md. Written
against MLflow 3.17; the calls used exist since 2.3 (aliases).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from governance.domain.secret_values import SecretUnreadable, secret_value
from governance.services.outgoing import Reply, Unreachable, ask

SIGNATURE, TIMESTAMP, DELIVERY = "X-MLflow-Signature", "X-MLflow-Timestamp", "X-MLflow-Delivery-Id"
TOLERANCE_SECONDS = 300
MOST_VERSIONS = 100
MOST_FILE = 2 * 1024**2


class RegistryProblem(Exception):
    """The registry did not do what it was asked. `gone`: what it was asked about does not exist there."""

    def __init__(self, says: str, *, gone: bool = False) -> None:
        super().__init__(says)
        self.gone = gone


@dataclass(frozen=True)
class MLflow:
    """One server of the operator's."""

    name: str
    url: str

    def version(self, model: str, version: str) -> dict[str, Any]:
        """A model version, as `model-versions/get` gives it under `model_version`."""
        return _table(self._get("model-versions/get", name=model, version=version).get("model_version"))

    def versions(self, model: str) -> list[dict[str, Any]]:
        """The newest versions of a registered model. Raises `RegistryProblem` (`gone`) for one that does not exist."""
        self._get("registered-models/get", name=model)
        found = self._get(
            "model-versions/search", filter=f"name='{model}'", max_results=str(MOST_VERSIONS), order_by="version_number DESC"
        )
        rows = found.get("model_versions")
        return [_table(row) for row in rows] if isinstance(rows, list) else []

    def run(self, run_id: str) -> dict[str, Any]:
        """A run with its metrics, parameters, tags and data sets."""
        return self._get("runs/get", run_id=run_id)

    def mlmodel(self, model: str, version: str) -> bytes | None:
        """The version's `MLmodel` file; None where the server serves no artefacts."""
        query = urlencode({"path": "MLmodel", "name": model, "version": version})
        reply = self._ask("GET", f"/model-versions/get-artifact?{query}", most=MOST_FILE)
        return reply.body if reply.status == 200 and b"flavors" in reply.body else None

    def alias(self, model: str, alias: str) -> str:
        """The version an alias points to, or ""."""
        try:
            found = self._get("registered-models/alias", name=model, alias=alias)
        except RegistryProblem as problem:
            if problem.gone:
                return ""
            raise
        return str(_table(found.get("model_version")).get("version") or "")

    def set_tag(self, model: str, version: str, key: str, value: str) -> None:
        self._send("POST", "model-versions/set-tag", {"name": model, "version": version, "key": key, "value": value})

    def set_alias(self, model: str, version: str, alias: str) -> None:
        self._send("POST", "registered-models/alias", {"name": model, "alias": alias, "version": version})

    def drop_alias(self, model: str, alias: str) -> None:
        self._send("DELETE", "registered-models/alias", {"name": model, "alias": alias})

    def _get(self, what: str, **query: str) -> dict[str, Any]:
        return self._json(self._ask("GET", f"/api/2.0/mlflow/{what}?{urlencode(query)}"))

    def _send(self, method: str, what: str, body: Mapping[str, str]) -> None:
        self._json(self._ask(method, f"/api/2.0/mlflow/{what}", json.dumps(body).encode()))

    def _ask(self, method: str, path: str, body: bytes | None = None, most: int = 4 * 1024**2) -> Reply:
        headers = {"Content-Type": "application/json"} if body is not None else {}
        try:
            headers |= _authorization(self.name)
            return ask(method, self.url + path, body=body, headers=headers, seconds=20, most=most, named_by_operator=True)
        except (Unreachable, SecretUnreadable) as exc:
            raise RegistryProblem(f"MLflow “{self.name}” was not reached: {exc}") from exc

    def _json(self, reply: Reply) -> dict[str, Any]:
        try:
            data = json.loads(reply.body) if reply.body.strip() else {}
        except (ValueError, RecursionError):
            data = None
        if reply.status == 200 and isinstance(data, dict):
            return data
        said = _table(data)
        gone = reply.status == 404 or said.get("error_code") in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")
        gone = gone or (said.get("error_code") == "INVALID_PARAMETER_VALUE" and "not found" in str(said.get("message")))
        raise RegistryProblem(
            f"MLflow “{self.name}” answered {reply.status}: {str(said.get('message') or 'no JSON')[:200]}", gone=gone
        )


def server(name: str) -> MLflow:
    """The operator's server of that name. Raises `RegistryProblem` when it is not, or no longer, configured."""
    url = settings.MLFLOW_SERVERS.get(name, "").rstrip("/")
    if not url:
        raise RegistryProblem(f"MLflow “{name}” is not in GUIDERAIL_MLFLOW_SERVERS.", gone=True)
    return MLflow(name, url)


def signed(name: str, headers: Mapping[str, str], body: bytes, *, now: float | None = None) -> bool:
    """Whether a webhook came from that server: HMAC-SHA256 over "delivery.timestamp.body" and not older than five minutes.

    As `mlflow.webhooks.delivery` signs it. False as well when no secret is configured: unsigned messages are not taken.
    """
    try:
        secret = secret_value(_variable(name, "WEBHOOK_SECRET"))
    except SecretUnreadable:
        return False
    version, _, given = headers.get(SIGNATURE, "").partition(",")
    delivery, moment = headers.get(DELIVERY, ""), headers.get(TIMESTAMP, "")
    if not secret or version != "v1" or not delivery or not moment.isascii() or not moment.isdigit() or len(moment) > 12:
        return False
    if abs((time.time() if now is None else now) - int(moment)) > TOLERANCE_SECONDS:
        return False
    content = f"{delivery}.{moment}.".encode() + body
    expected = base64.b64encode(hmac.new(secret.encode(), content, hashlib.sha256).digest())
    return hmac.compare_digest(expected, given.encode())


def _authorization(name: str) -> dict[str, str]:
    if token := secret_value(_variable(name, "TOKEN")):
        return {"Authorization": f"Bearer {token}"}
    if user := secret_value(_variable(name, "USERNAME")):
        pair = f"{user}:{secret_value(_variable(name, 'PASSWORD'))}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def _variable(name: str, what: str) -> str:
    return f"GUIDERAIL_MLFLOW_{name.upper().replace('-', '_')}_{what}"


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
