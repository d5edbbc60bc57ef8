"""A small HTTP server that speaks as MLflow 3.17.2 does, in the shapes a real one gave; `test_mlflow_real.py` asks a real one."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.governance.making import MLMODEL, RUN


@dataclass
class FakeMLflow:
    """What it knows, and what it was told."""

    url: str = ""
    versions: dict[str, dict[str, Any]] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)
    broken: bool = False

    def register(self, version: str, source: str = "models:/m-1", created: float | None = None) -> None:
        self.versions[version] = {
            "name": "credit-default",
            "version": version,
            "creation_timestamp": int((created or time.time()) * 1000),
            "current_stage": "None",
            "description": "",
            "source": source,
            "run_id": "c4ce6a966e914c769f5796f49ed2aeef",
            "status": "READY",
            "run_link": "",
        }

    def answer(self, method: str, path: str, query: dict[str, str], body: dict[str, str]) -> tuple[int, Any]:
        if self.broken:
            return 503, {"message": "The database restarts."}
        known = self.versions.get(query.get("version") or body.get("version") or "")
        gone = (404, {"error_code": "RESOURCE_DOES_NOT_EXIST", "message": "Model Version not found"})
        match method, path.removeprefix("/api/2.0/mlflow/"):
            case "GET", "registered-models/get":
                return (200, {"registered_model": {"name": query["name"]}}) if query["name"] == "credit-default" else gone
            case "GET", "model-versions/search":
                assert query["filter"] == "name='credit-default'"
                return 200, {"model_versions": list(reversed(self.versions.values()))}
            case "GET", "model-versions/get":
                return (200, {"model_version": known}) if known else gone
            case "GET", "runs/get":
                return 200, json.loads(RUN.read_text())
            case "GET", "/model-versions/get-artifact":
                return 200, MLMODEL.read_bytes()
            case "POST", "model-versions/set-tag":
                self.tags.setdefault(body["version"], {})[body["key"]] = body["value"]
                return (200, {}) if known else gone
            case "POST", "registered-models/alias":
                self.aliases[body["alias"]] = body["version"]
                return 200, {}
            case "GET", "registered-models/alias":
                at = self.aliases.get(query["alias"])
                return (200, {"model_version": self.versions[at]}) if at else gone
            case "DELETE", "registered-models/alias":
                self.aliases.pop(body["alias"], None)
                return 200, {}
        return 404, {"message": path}


@contextmanager
def running() -> Iterator[FakeMLflow]:
    fake = FakeMLflow()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            at = urlsplit(self.path)
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            fake.asked.append((self.command, at.path, self.headers.get("Authorization") or ""))
            status, found = fake.answer(self.command, at.path, dict(parse_qsl(at.query)), json.loads(raw) if raw else {})
            out = found if isinstance(found, bytes) else json.dumps(found).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(out)))
            self.end_headers()
            self.wfile.write(out)

        do_POST = do_DELETE = do_GET

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield fake
    server.shutdown()
    server.server_close()


def event(version: str, **more: Any) -> bytes:
    """What MLflow sends when a version is created."""
    data = {
        "name": "credit-default",
        "version": version,
        "source": "models:/m-1",
        "run_id": None,
        "tags": {},
        "description": None,
    }
    return json.dumps(
        {"entity": "model_version", "action": "created", "timestamp": "2026-11-21T14:45:38", "data": data, **more}
    ).encode()


def signature(secret: str, body: bytes, *, at: float | None = None) -> dict[str, str]:
    """The headers as `mlflow/webhooks/delivery.py` makes them."""
    delivery, moment = str(uuid.uuid4()), str(int(time.time() if at is None else at))
    made = hmac.new(secret.encode(), f"{delivery}.{moment}.{body.decode()}".encode(), hashlib.sha256).digest()
    return {
        "HTTP_X_MLFLOW_SIGNATURE": f"v1,{base64.b64encode(made).decode()}",
        "HTTP_X_MLFLOW_TIMESTAMP": moment,
        "HTTP_X_MLFLOW_DELIVERY_ID": delivery,
    }
