"""Whatever a server does wrong, the client never ends with 0."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.client.running import Client

VERDICT: dict[str, Any] = {
    "schema": "guiderail/verdict/1",
    "submission": "S-1",
    "url": "http://localhost/submissions/S-1",
    "system": "demo",
    "version": "1.0",
    "environment": "production",
    "state": "approved",
    "final": True,
    "turn": [],
    "says": "It is approved.",
    "next_step": "Deploy it.",
    "track": "green",
    "track_is_final": True,
    "track_says": "green",
    "reasons": [],
    "would_change": [],
    "steps": [],
    "gates": [],
    "findings": [],
    "questions": {"missing": []},
    "missing_evidence": [],
    "exit_code": 0,
}


class Faulty(BaseHTTPRequestHandler):
    """Answers what the test says, and remembers what was asked."""

    answer: Callable[[Faulty], None]
    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(f"{self.command} {self.path}")
        type(self).answer(self)

    do_POST = do_PUT = do_GET

    def say(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *given: Any) -> None:
        pass


@dataclass(frozen=True)
class Served:
    """A client, and what its server was asked."""

    client: Client
    asked: list[str]


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    running = []

    def start(answer: Callable[[Faulty], None]) -> Served:
        asked: list[str] = []
        handler = type("Handler", (Faulty,), {"answer": staticmethod(answer), "asked": asked})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        running.append(server)
        client = Client(tmp_path, url=f"http://127.0.0.1:{server.server_port}")
        client.project()
        return Served(client, asked)

    yield start
    for server in running:
        server.shutdown()
        server.server_close()


def say(status: int, body: Any, **headers: str) -> Callable[[Faulty], None]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler: handler.say(status, raw, **headers)


def cut_off(handler: Faulty) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(b'{"schema"')


ALLOWED = {"allowed": True, "permit": "p", "reasons": ["fine"], "url": None, "expires_at": None, "submission": "S-1"}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (say(500, b"<h1>oops</h1>"), 5),
        (say(200, b"<h1>a portal's sign-in page</h1>"), 5),
        (say(200, b""), 5),
        (say(200, []), 5),
        (say(200, {"exit_code": 0}), 5),
        (say(200, {**VERDICT, "schema": "guiderail/verdict/9"}), 5),
        (say(200, {**VERDICT, "exit_code": False}), 5),
        (say(200, {**VERDICT, "exit_code": "0"}), 5),
        (say(200, {**VERDICT, "exit_code": 17}), 5),
        (say(200, {**VERDICT, "state": "in_review"}), 5),
        (say(200, {k: v for k, v in VERDICT.items() if k != "exit_code"}), 5),
        (say(200, b"[" * 200_000), 5),
        (say(302, b"", Location="http://127.0.0.1:1/elsewhere"), 5),
        (say(401, {"detail": "The token has expired."}), 4),
        (say(403, {"detail": "This token lacks the scope."}), 4),
        (say(422, {"detail": "No.", "errors": [{"pointer": "/system", "detail": "is wrong"}]}), 2),
        (cut_off, 5),
    ],
)
@pytest.mark.parametrize("words", [("wait", "S-1", "--timeout", "1"), ("submit", "--soft-fail")])
def test_no_fault_ends_with_0(
    serve: Callable[..., Served], answer: Callable[[Faulty], None], code: int, words: tuple[str, ...]
) -> None:
    ran = serve(answer).client(*words, GUIDERAIL_TRIES="1")
    assert ran.code == code, (ran.out, ran.err)
    assert ran.err and "Traceback" not in ran.err


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({**ALLOWED}, 0),
        ({**ALLOWED, "allowed": False, "permit": None, "reasons": ["The permit expired."]}, 1),
        ({**ALLOWED, "allowed": "true"}, 5),
        ({**ALLOWED, "allowed": 1}, 5),
        ({**ALLOWED, "permit": None}, 5),
        ({**ALLOWED, "exposure": 100}, 0),
        ({**ALLOWED, "exposure": 25}, 5),
        ({**ALLOWED, "exposure": "100"}, 5),
        ({"allowed": True, "permit": "p"}, 5),
        ({}, 5),
        (VERDICT, 5),
    ],
)
def test_only_a_plain_permit_allows(serve: Callable[..., Served], answer: Any, code: int) -> None:
    ran = serve(say(200, answer)).client("permit", GUIDERAIL_TRIES="1")
    assert ran.code == code, (ran.out, ran.err)


def test_nobody_there(tmp_path: Path) -> None:
    client = Client(tmp_path, url="http://127.0.0.1:9")
    client.project()
    for words in (("preview",), ("submit",), ("status", "S-1"), ("wait", "S-1"), ("permit",)):
        ran = client(*words, GUIDERAIL_TRIES="2")
        assert ran.code == 5
        assert "cannot be reached" in ran.err and "Tried 2 times" in ran.err


def test_it_tries_again_and_says_so(serve: Callable[..., Served]) -> None:
    def twice_busy(handler: Faulty) -> None:
        if len(handler.asked) < 3:
            handler.say(503, b'{"detail": "The database restarts."}', Retry_After="0")
        else:
            handler.say(200, json.dumps(VERDICT).encode(), ETag='"1"')

    served = serve(twice_busy)
    ran = served.client("status", "S-1")
    assert (ran.code, len(served.asked)) == (0, 3)
    assert ran.err.count("The database restarts. Trying again") == 2
    assert ran.out.rstrip().splitlines()[-1] == VERDICT["url"]


def test_the_same_submission_has_the_same_key_however_often_it_is_sent(serve: Callable[..., Served]) -> None:
    keys = []

    def remember(handler: Faulty) -> None:
        keys.append(handler.headers["Idempotency-Key"])
        handler.say(201, json.dumps(VERDICT).encode())

    served = serve(remember)
    assert [served.client("submit").code for _ in range(2)] == [0, 0]
    served.client.project(version="1.1")
    served.client("submit")
    assert len(keys) == 3 and keys[0] == keys[1] != keys[2]


def test_a_server_that_never_answers_ends_the_wait(serve: Callable[..., Served]) -> None:
    ran = serve(lambda handler: time.sleep(8)).client("status", "S-1", GUIDERAIL_TRIES="1", GUIDERAIL_TIMEOUT="1")
    assert ran.code == 5
    assert "cannot be reached" in ran.err


def test_a_slow_decision_is_no_approval(serve: Callable[..., Served]) -> None:
    waiting = {**VERDICT, "state": "in_review", "final": False, "exit_code": 3, "turn": ["risk_officer"]}
    ran = serve(say(200, waiting)).client("wait", "S-1", "--timeout", "0")
    assert ran.code == 3
    assert "the turn of: risk officer" in ran.err


@pytest.mark.parametrize(("code", "soft"), [(1, 0), (3, 0)])
def test_soft_fail_reports_and_goes_on(serve: Callable[..., Served], code: int, soft: int) -> None:
    state = {1: "checks_failed", 3: "in_review"}[code]
    served = serve(say(200, {**VERDICT, "state": state, "exit_code": code}))
    assert served.client("status", "S-1").code == code
    assert served.client("status", "S-1", "--soft-fail").code == soft


def test_what_others_wrote_does_not_steer_the_terminal(serve: Callable[..., Served]) -> None:
    ran = serve(say(200, {**VERDICT, "says": "fine\x1b[2J\u202e\r\n::error::no"})).client("status", "S-1")
    assert "\x1b" not in ran.out and "\u202e" not in ran.out
    assert not any(line.startswith("::") for line in ran.out.splitlines())
