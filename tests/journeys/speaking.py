"""What programs and people say to a running Guiderail over HTTP: a pipeline with its token, a person with a session."""

from __future__ import annotations

import json
import re
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from typing import Any

from governance.domain.incoming import NewEvidence
from reviews.demo.handing_in import Version


@dataclass(frozen=True)
class Answer:
    """A response, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Pipeline:
    """A CI job: one address, one token."""

    url: str
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._opener = urllib.request.build_opener()

    def ask(self, method: str, path: str, body: Any = None, *, raw: bytes | None = None, **headers: str) -> Answer:
        """`body` is sent as JSON, `raw` as it is. Header names with underscores for dashes."""
        given = {**self.headers, **{name.replace("_", "-"): value for name, value in headers.items()}}
        if self.token:
            given["Authorization"] = f"Bearer {self.token}"
        data = raw
        if body is not None:
            data, given["Content-Type"] = json.dumps(body).encode(), "application/json"
        request = urllib.request.Request(self.url + path, data=data, headers=given, method=method)
        try:
            with self._opener.open(request, timeout=90) as answer:
                return Answer(answer.status, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as refused:
            return Answer(refused.code, dict(refused.headers.items()), refused.read())

    def get(self, path: str, **headers: str) -> Answer:
        return self.ask("GET", path, **headers)

    def store(self, name: str, data: bytes) -> str:
        """Upload evidence; returns its sha256."""
        found = self.ask(
            "POST", f"/api/v1/evidence?name={urllib.parse.quote(name)}", raw=data, Content_Type="application/octet-stream"
        )
        assert found.status in (200, 201), found.text
        return str(found.json["sha256"])

    def body_of(self, new: Version, **more: Any) -> dict[str, Any]:
        """A version as a submission body; its evidence is uploaded first."""
        evidence = []
        for role, (name, data, columns, kind) in new.evidence.items():
            item = NewEvidence(role, self.store(name, data), columns, kind)
            evidence.append({"role": item.role.value, "sha256": item.sha256, "columns": dict(columns), "format": item.format})
        return {
            "system": new.system,
            "kind": "ml_model",
            "version": new.version,
            "environment": new.environment,
            "sources": [{"name": name, "content": data.decode()} for name, data in new.files.items()],
            "answers": dict(new.answers),
            "evidence": evidence,
            **more,
        }

    def verdict(self, number: str, **headers: str) -> Any:
        return self.get(f"/api/v1/submissions/{number}/verdict", **headers).json

    def through(self, number: str, *, seconds: float = 120) -> Any:
        """Poll the verdict, long, until the gates are through. Returns it."""
        end, tag = time.monotonic() + seconds, ""
        while time.monotonic() < end:
            answer = self.get(f"/api/v1/submissions/{number}/verdict?wait=10", If_None_Match=tag or '"none"')
            if answer.status == 304:
                continue
            assert answer.status == 200, answer.text
            tag = answer.headers["ETag"]
            if answer.json["state"] != "in_checks":
                return answer.json
        runs = self.get(f"/api/v1/submissions/{number}/runs").text
        raise AssertionError(f"{number} is still in checks after {seconds:.0f} s: {runs}")


class SignedIn(Pipeline):
    """A person in a browser session, signed in with a password, as the pages and the API see them."""

    def __init__(self, url: str, username: str, password: str) -> None:
        super().__init__(url)
        self.jar = CookieJar()
        self._opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))
        page = self.get("/account/login/").text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert found is not None
        form = {"csrfmiddlewaretoken": found[1], "login": username, "password": password}
        answer = self.ask(
            "POST",
            "/account/login/",
            raw=urllib.parse.urlencode(form).encode(),
            Content_Type="application/x-www-form-urlencoded",
        )
        assert answer.status == 200 and "Sign in</h2>" not in answer.text, answer.text[:500]

    def decide(self, number: str, **given: Any) -> Answer:
        """Decide the open step on the dossier as it is now, unless another digest is given."""
        digest = given.pop("dossier_digest", None) or self.verdict(number)["dossier_digest"]
        csrf = next(cookie.value for cookie in self.jar if "csrf" in cookie.name)
        body = {"dossier_digest": digest, **given}
        return self.ask("POST", f"/api/v1/submissions/{number}/decisions", body, X_CSRFToken=str(csrf))


def readings(document: Any, who: str) -> dict[str, str]:
    """A sentence of one's own for every gate that is not green."""
    return {
        gate["code"]: f"{who} read {gate['name'].replace('-', ' ')} on {gate['n'] or 'no'} rows; the canary bounds it."
        for gate in document["gates"]
        if gate["verdict"] not in ("pass", "not_applicable")
    }
