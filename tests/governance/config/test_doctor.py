"""`manage.py doctor` on installations that are well, and on ones where one part is not."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg
import pytest

from governance.management.commands.doctor import Finding, address, evidence, mail
from tests.stack import ROOT, Running, Stack, free_port


def doctor(**more: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "manage.py", "doctor"]
    return subprocess.run(words, cwd=ROOT, env={**os.environ, **more}, capture_output=True, text=True, check=False, timeout=60)


def test_a_whole_installation_is_well(worker: Running, web: Running, database_url: str) -> None:
    # no beat runs in this test, but an earlier test's worker may have been seen lately
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute("delete from gates_workerseen")
    done = doctor(DATABASE_URL=database_url, GUIDERAIL_PUBLIC_URL=web.url)
    lines = {line.split()[1]: line.split()[0] for line in done.stdout.splitlines() if line.startswith(("ok", "PROBLEM"))}
    assert lines.pop("heartbeat") == "PROBLEM"
    assert set(lines) == {"database", "clock", "migrations", "broker", "workers", "evidence", "mail", "address"}
    assert set(lines.values()) == {"ok"}, done.stdout
    assert done.returncode == 1
    assert "1 thing to set" in done.stderr
    assert "celery -A governance.config.celery:app beat" in done.stdout


def test_nothing_there_gives_a_line_to_set_for_each_part() -> None:
    gone = free_port()
    done = doctor(
        DATABASE_URL=f"postgresql://nobody@127.0.0.1:{gone}/none",
        REDIS_URL=f"redis://127.0.0.1:{gone}/0",
        GUIDERAIL_PUBLIC_URL=f"http://localhost:{gone}",
    )
    assert done.returncode == 1
    for line in ("DATABASE_URL=postgresql://", "REDIS_URL=redis://", "GUIDERAIL_PUBLIC_URL="):
        assert f"set or type: {line}" in done.stdout
    assert "Traceback" not in done.stderr


@pytest.mark.django_db(transaction=True)
def test_a_database_without_tables_is_told_to_migrate(stack: Stack, database_url: str) -> None:
    # the database beside the tests' own has none of our tables
    done = doctor(DATABASE_URL=stack.database_url, REDIS_URL="redis://127.0.0.1:1/0")
    assert "python manage.py migrate" in done.stdout


def only(found: Iterator[Finding]) -> Finding:
    (finding,) = found
    return finding


def test_an_evidence_folder_that_is_a_file_is_said(tmp_path: Path, settings: Any) -> None:
    settings.EVIDENCE_DIR = tmp_path / "file"
    (tmp_path / "file").touch()
    finding = only(evidence())
    assert not finding.ok
    assert "GUIDERAIL_EVIDENCE_DIR=" in finding.line


def test_mail_without_a_server_is_said_and_no_fault(settings: Any) -> None:
    settings.EMAIL_HOST = ""
    finding = only(mail())
    assert finding.ok
    assert "EMAIL_HOST=" in finding.says


def test_a_mail_server_that_is_not_there_is_a_fault(settings: Any) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", free_port()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    finding = only(mail())
    assert not finding.ok
    assert "127.0.0.1" in finding.says


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"PUBLIC_URL": "guiderail.example.org"}, "GUIDERAIL_PUBLIC_URL=https://"),
        ({"PUBLIC_URL": "http://guiderail.invalid"}, "GUIDERAIL_PUBLIC_URL=https://guiderail.invalid"),
        ({"PUBLIC_URL": "https://guiderail.invalid", "DEMO": True}, "GUIDERAIL_DEMO=0"),
        ({"DEBUG": True}, "GUIDERAIL_DEBUG=0"),
        ({"SECRET_KEY": "x" * 49}, "GUIDERAIL_SECRET_KEY="),
    ],
)
def test_an_address_people_should_not_use_is_said(settings: Any, changed: dict[str, object], line: str) -> None:
    for name, value in changed.items():
        setattr(settings, name, value)
    assert any(finding.line.startswith(line) for finding in address())


@pytest.fixture
def proxy(settings: Any) -> Iterator[Any]:
    """A proxy in front, at the public URL, that answers with the status the test sets."""

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(self.server.status)
            if self.server.status == 301:
                self.send_header("Location", f"http://localhost:{self.server.server_port}{self.path}")
            self.end_headers()

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    server.status = 200
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.PUBLIC_URL = f"http://localhost:{server.server_port}"
    yield server
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize(
    ("status", "line"),
    [(200, ""), (301, "proxy_set_header X-Forwarded-Proto"), (400, "proxy_set_header Host"), (502, "GUIDERAIL_PUBLIC_URL=")],
)
def test_what_a_proxy_does_wrong_is_said(proxy: Any, status: int, line: str) -> None:
    proxy.status = status
    finding = only(address())
    assert finding.ok is (not line)
    assert finding.line.startswith(line)
