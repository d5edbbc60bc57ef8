"""PostgreSQL killed hard, a broker that is dead: clear words while it lasts, and a clean recovery."""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from typing import Any

import pytest
from django.db import connection, connections, transaction

from governance.domain.vocabulary import State
from governance.models import AuditEvent, Submission
from governance.selectors.audit import Outcome, verify
from tests.governance import making
from tests.stack import Running, Stack

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class Visitor:
    """A program or a browser with its cookies; `follow`: whether redirects are followed."""

    def __init__(self, base: str, headers: Mapping[str, str] | None = None) -> None:
        self.base, self.headers, cookies = base, dict(headers or {}), urllib.request.HTTPCookieProcessor(CookieJar())
        self.following = urllib.request.build_opener(cookies)
        self.staying = urllib.request.build_opener(cookies, _Stay)

    def get(self, path: str, *, follow: bool = True) -> Answer:
        return self._send(urllib.request.Request(self.base + path, headers=self.headers), follow)

    def post(self, path: str, body: Any) -> Answer:
        """JSON."""
        headers = {**self.headers, "Content-Type": "application/json"}
        return self._send(urllib.request.Request(self.base + path, json.dumps(body).encode(), headers), True)

    def submit(self, path: str, form: Mapping[str, str]) -> Answer:
        return self._send(urllib.request.Request(self.base + path, urllib.parse.urlencode(form).encode(), self.headers), True)

    def _send(self, request: urllib.request.Request, follow: bool) -> Answer:
        try:
            with (self.following if follow else self.staying).open(request, timeout=60) as reply:
                return Answer(reply.status, reply.headers, reply.read().decode())
        except urllib.error.HTTPError as exc:
            with exc:
                return Answer(exc.code, exc.headers, exc.read().decode())


@pytest.fixture
def killable(stack: Stack, web: Running) -> Iterator[Running]:
    """The run's own PostgreSQL; whatever a test does to it, it is there again afterwards."""
    running = stack.start_postgres()
    if running is None:
        pytest.skip("DATABASE_URL names a server that the tests do not own")
    yield running
    connections.close_all()
    stack.start_postgres()


def body(version: str) -> dict[str, object]:
    return {"system": "credit-default", "version": version, "answers": {"decision.domain": "credit"}}


def test_postgresql_killed_hard_gives_503_and_recovers(stack: Stack, web: Running, killable: Running) -> None:
    making.policy()
    who = making.person()
    who.set_password("a-long-enough-passphrase")
    who.save()
    ci, person = Visitor(web.url, {"Authorization": f"Bearer {making.token(who)}"}), Visitor(web.url)
    csrf = person.get("/account/login/").text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    form = {"login": "dana", "password": "a-long-enough-passphrase", "csrfmiddlewaretoken": csrf}
    assert person.submit("/account/login/", form).status == 200
    assert person.get("/submissions").status == 200
    first = ci.post("/api/v1/submissions", body("1.0.0"))
    assert first.status == 201, first.text
    connections.close_all()

    killable.kill()

    for _ in range(2):  # a connection that breaks, then one that cannot be made
        for method, path in (
            ("GET", "/api/v1/submissions"),
            ("POST", "/api/v1/submissions"),
            ("GET", "/api/v1/policies/ml_model"),
            ("GET", "/readyz"),
        ):
            begun = time.monotonic()
            answer = ci.get(path) if method == "GET" else ci.post(path, body("2.0.0"))
            assert answer.status == 503, (path, answer.status, answer.text[:300])
            assert answer.headers["Content-Type"] == "application/problem+json"
            assert answer.headers["Retry-After"] == "5"
            assert "Nothing was changed" in answer.json()["detail"] and answer.json()["code"] == "unavailable"
            assert time.monotonic() - begun < 10
        for path in ("/", "/submissions", "/submissions/new", "/account/login/", "/submissions/S-1/check"):
            shown = person.get(path, follow=False)
            assert shown.status == 503, (path, shown.status, shown.text[:300])
            assert shown.headers["Retry-After"] == "5" and "Temporarily unavailable" in shown.text
            assert "default-src 'none'" in shown.headers["Content-Security-Policy"]
    assert ci.get("/healthz").status == 200, "the process itself is up"

    stack.start_postgres()

    assert ci.get("/readyz").status == 200
    assert person.get("/submissions").status == 200, "still signed in"
    listed = ci.get("/api/v1/submissions").json()["results"]
    assert [row["version"] for row in listed] == ["1.0.0"], "what was acknowledged is there; what was refused is not"
    again = ci.post("/api/v1/submissions", body("2.0.0"))
    assert again.status == 201, again.text
    assert verify().outcome is Outcome.OK
    assert AuditEvent.objects.filter(action="submission.submit").count() == 2


def test_a_connection_lost_in_the_middle_of_a_write_leaves_nothing_half_done(web: Running, stack: Stack) -> None:
    """The server ends the connection while the request waits for a lock: the client learns it, nothing was changed."""
    making.policy()
    ci = Visitor(web.url, {"Authorization": f"Bearer {making.token(making.person())}"})
    answers: list[Answer] = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM governance_audithead FOR UPDATE")  # the chain's lock: everything waits for it at its end
        sender = threading.Thread(target=lambda: answers.append(ci.post("/api/v1/submissions", body("1.0.0"))))
        sender.start()
        until = time.monotonic() + 20
        while time.monotonic() < until:
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
                "AND wait_event_type = 'Lock' AND state = 'active'"
            )
            if found := cursor.fetchall():
                break
            time.sleep(0.05)
        assert found, "the request waits for the chain"
        cursor.execute("SELECT pg_terminate_backend(%s)", [found[0][0]])
        sender.join()
    assert answers[0].status == 503, answers[0].text[:300]
    assert not Submission.objects.exists() and not AuditEvent.objects.filter(action="submission.opened").exists()
    assert ci.post("/api/v1/submissions", body("1.0.0")).status == 201


def test_with_a_dead_broker_submitting_is_as_fast_and_nothing_is_lost(stack: Stack, broker: Running | None, web: Running) -> None:
    if broker is None:
        pytest.skip("REDIS_URL names a server that the tests do not own")
    making.policy()
    ci = Visitor(web.url, {"Authorization": f"Bearer {making.token(making.person())}"})
    ci.post("/api/v1/submissions", body("0.9.0"))
    broker.kill()
    for version in ("1.0.0", "1.0.1", "1.0.2"):
        begun = time.monotonic()
        answer = ci.post("/api/v1/submissions", body(version))
        took = time.monotonic() - begun
        assert answer.status == 201 and answer.json()["track"] == "red"
        assert took < 3, f"{took:.1f} s: the request waited for the broker"
    assert Submission.objects.filter(state=State.IN_CHECKS).count() == 4
    ready = ci.get("/readyz")
    assert ready.status == 200 and ready.json()["broker"].startswith("away")
