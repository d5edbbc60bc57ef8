"""`manage.py doctor`: looks at an installation and says, for each part, ok or the line to set."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from django.apps import apps
from django.conf import settings
from django.core.mail import get_connection
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max
from django.db.models.functions import Now

OLDEST_POSTGRESQL = 15
CLOCK_SECONDS = 5.0
SEEN_WITHIN = timedelta(seconds=60)
FREE_BYTES = 1024**3
LOCAL = {"localhost", "127.0.0.1", "::1"}


@dataclass(frozen=True)
class Finding:
    """What was found about one part; `line` is what to set or type where it is not as it should be."""

    part: str
    says: str
    line: str = ""

    @property
    def ok(self) -> bool:
        return not self.line


def database() -> Iterator[Finding]:
    """It answers, is new enough, and its clock (which times leases and expiries) agrees with this machine's."""
    set_it = "DATABASE_URL=postgresql://user:password@host:5432/guiderail"
    try:
        with connection.cursor() as cursor:
            before = time.time()
            cursor.execute("SELECT current_setting('server_version'), extract(epoch FROM clock_timestamp())::float8")
            version, clock = cursor.fetchone()
            middle = (before + time.time()) / 2
    except DatabaseError as problem:
        yield Finding("database", f"does not answer: {str(problem).strip().splitlines()[0]}", set_it)
        return
    if int(version.split(".")[0]) < OLDEST_POSTGRESQL:
        yield Finding("database", f"PostgreSQL {version} is too old; {OLDEST_POSTGRESQL} or newer is needed", set_it)
    else:
        yield Finding("database", f"PostgreSQL {version}")
    apart = abs(clock - middle)
    wrong = f"this machine and the database are {apart:.0f} s apart; leases and due times would be wrong"
    yield (
        Finding("clock", wrong, "timedatectl set-ntp true    # on both machines")
        if apart > CLOCK_SECONDS
        else Finding("clock", f"{apart:.1f} s from the database's")
    )
    yield from migrations()


def migrations() -> Iterator[Finding]:
    """Every migration of this version is applied."""
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        yield Finding("migrations", f"{len(missing)} not applied, first {missing[0][0]}", "python manage.py migrate")
    else:
        yield Finding("migrations", "all applied")


def broker() -> Iterator[Finding]:
    """It answers. Submissions do not need it; work waits in the database until it is back."""
    try:
        with current_app.connection_for_write() as link:
            link.ensure_connection(max_retries=1, timeout=3)
            yield Finding("broker", link.as_uri())
    except Exception as problem:  # each transport has errors of its own; all mean the same here
        yield Finding("broker", f"does not answer: {problem}", "REDIS_URL=redis://host:6379/0")
        return
    yield from workers()


def workers() -> Iterator[Finding]:
    """A worker serves each queue now, and beat's heartbeat came through lately."""
    served = {
        queue["name"] for queues in (current_app.control.inspect(timeout=2).active_queues() or {}).values() for queue in queues
    }
    needed = ["default", "gates", "gates.heavy"]
    unserved = [queue for queue in needed if queue not in served]
    if unserved:
        line = f"celery -A governance.config.celery:app worker -Q {','.join(unserved)}"
        yield Finding("workers", f"no worker serves {', '.join(unserved)}", line)
    else:
        yield Finding("workers", f"serve {', '.join(needed)}")
    # by name: this package does not know the package of gates
    seen = apps.get_model("gates", "WorkerSeen")._default_manager
    try:
        fresh = seen.filter(seen_at__gte=Now() - SEEN_WITHIN).exists()
        last = seen.aggregate(last=Max("seen_at"))["last"]
    except DatabaseError:
        return  # the database or its migrations have a line of their own
    if fresh:
        yield Finding("heartbeat", f"last {last:%Y-%m-%d %H:%M:%S %Z}")
    else:
        ago = f"last {last:%Y-%m-%d %H:%M:%S %Z}" if last else "never seen"
        yield Finding("heartbeat", f"{ago}; beat sends it through the workers", "celery -A governance.config.celery:app beat")


def evidence() -> Iterator[Finding]:
    """The evidence store can be written, and has room."""
    folder = Path(settings.EVIDENCE_DIR)
    set_it = "GUIDERAIL_EVIDENCE_DIR=<a folder that web and workers share and may write>"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".doctor-") as probe:
            probe.write(b"guiderail")
            probe.flush()
        free = shutil.disk_usage(folder).free
    except OSError as problem:
        yield Finding("evidence", f"{folder} cannot be written: {problem.strerror}", set_it)
        return
    if free < FREE_BYTES:
        yield Finding("evidence", f"{folder} has only {free / 1024**2:.0f} MiB free", set_it)
    else:
        yield Finding("evidence", f"{folder} can be written, {free / 1024**3:.0f} GiB free")


def mail() -> Iterator[Finding]:
    """The mail server takes a connection; without one, mail goes to the log, which is said but is not a fault."""
    if not settings.EMAIL_HOST:
        yield Finding("mail", "written to the log only (set EMAIL_HOST=smtp.example.org to send it)")
        return
    link = get_connection(timeout=5)
    try:
        link.open()
    except OSError as problem:
        yield Finding("mail", f"{settings.EMAIL_HOST} does not take a connection: {problem}", "EMAIL_HOST=smtp.example.org")
        return
    finally:
        with contextlib.suppress(OSError):
            link.close()
    yield Finding("mail", f"{settings.EMAIL_HOST} takes connections")


class _Stay(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer to look at, not a way to go."""

    def redirect_request(self, *_: Any) -> None:
        return None


def address() -> Iterator[Finding]:
    """The public URL is one that people and proxies can use, and Guiderail answers there."""
    public = urlsplit(settings.PUBLIC_URL)
    local = public.hostname in LOCAL
    if public.scheme not in {"http", "https"} or not public.hostname or public.path not in {"", "/"}:
        yield Finding(
            "address", f"“{settings.PUBLIC_URL}” is not a web address", "GUIDERAIL_PUBLIC_URL=https://guiderail.example.org"
        )
        return
    if public.scheme == "http" and not local:
        yield Finding("address", "people's sessions would travel unencrypted", f"GUIDERAIL_PUBLIC_URL=https://{public.hostname}")
    if settings.DEBUG:
        yield Finding("address", "errors show settings and source to everybody", "GUIDERAIL_DEBUG=0")
    if settings.DEMO and not local:
        yield Finding("address", "the demo's sign-in links work for everybody who reaches this address", "GUIDERAIL_DEMO=0")
    if len(settings.SECRET_KEY) < 50:
        yield Finding("address", "the secret key is too short", 'GUIDERAIL_SECRET_KEY="$(openssl rand -base64 48)"')
    yield from _answering(f"{settings.PUBLIC_URL}/healthz")


def _answering(url: str) -> Iterator[Finding]:
    try:
        with urllib.request.build_opener(_Stay).open(url, timeout=5) as answer:
            yield Finding("address", f"{url} answers {answer.status}")
    except urllib.error.HTTPError as answer:
        with answer:
            if answer.headers.get("Location", "") == url:
                line = "proxy_set_header X-Forwarded-Proto $scheme;    # nginx; other proxies have the same setting"
                yield Finding("address", f"{url} redirects to itself: the proxy does not say that people came by https", line)
            elif answer.code == 400:
                line = "proxy_set_header Host $host;    # nginx; or name the host people type in GUIDERAIL_PUBLIC_URL"
                yield Finding("address", f"{url} refuses the host name it is asked by", line)
            else:
                yield Finding("address", f"{url} answers {answer.code}", "GUIDERAIL_PUBLIC_URL=<the address people type>")
    except OSError as problem:
        reason = getattr(problem, "reason", problem)
        yield Finding("address", f"{url} does not answer ({reason})", "GUIDERAIL_PUBLIC_URL=<the address people type>")


CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (database, broker, evidence, mail, address)


class Command(BaseCommand):
    """Prints a line for each part; exit code 1 when something has to be set."""

    help = "Checks database, migrations, clock, broker, workers, evidence store, mail and public address."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        findings = []
        for check in CHECKS:
            for finding in check():
                findings.append(finding)
                self.stdout.write(f"{'ok' if finding.ok else 'PROBLEM':<8} {finding.part:<11} {finding.says}")
                if not finding.ok:
                    self.stdout.write(f"         {'':<11} set or type: {finding.line}")
        problems = sum(not finding.ok for finding in findings)
        if problems:
            raise CommandError(f"{problems} thing{'s' if problems > 1 else ''} to set, see above.")
