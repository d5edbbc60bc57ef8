"""The embedded stack for measuring: as durable as `make demo`, with scratch databases copied from one that was prepared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from governance.config.embedded_postgres import Postgres
from tests.bench.load import Ask, Connection
from tests.stack import ROOT, Running, Stack, answers, free_port, url_with_name

BASE = "bench_base"
CONNECTIONS = 8


@dataclass
class BenchStack(Stack):
    """A stack whose PostgreSQL waits for the disk, as in the demo and in production."""

    @property
    def _server(self) -> Postgres:
        return Postgres(self.folder / "postgres", self.folder / "pg", self.folder / "postgres.log", durable=True)

    @property
    def postgres_pid(self) -> int | None:
        """None where `DATABASE_URL` names a server of somebody else's, whose processor time cannot be read."""
        return self._postgres.pid if self._postgres else None

    def environment(self) -> dict[str, str]:
        return {**super().environment(), "GUIDERAIL_DEMO": "1", "GUIDERAIL_LOG_LEVEL": "WARNING"}

    def url(self, database: str) -> str:
        return url_with_name(self.database_url, database)

    def start_servers(self) -> None:
        self.start_postgres()
        self.start_redis()

    def prepare(self) -> None:
        """The base database: every migration, the demo organisation's people, the shipped packs."""
        self._run_sql("postgres", f'CREATE DATABASE "{BASE}"')
        for words in (["migrate", "--noinput", "-v", "0"], ["demo", "--home", str(self.folder / "home")]):
            self.manage(BASE, *words)

    def manage(self, database: str, *words: str) -> None:
        done = subprocess.run(
            [sys.executable, "manage.py", *words],
            cwd=ROOT,
            env={**os.environ, "DATABASE_URL": self.url(database)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise RuntimeError(f"manage.py {words[0]} failed:\n{done.stdout}{done.stderr}")

    def copy(self, name: str, of: str = BASE) -> str:
        """A database of its own with the same content, in which packs come into force without two people; gives its name."""
        self._run_sql("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        self._run_sql("postgres", f'CREATE DATABASE "{name}" TEMPLATE "{of}"')
        self._run_sql(name, "ALTER TABLE governance_policypack DISABLE TRIGGER pack_first")
        return name

    def drop(self, name: str) -> None:
        """Take a database away. One that the server is tidying up stays: the server itself goes when all is measured."""
        with suppress(psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse):
            self._run_sql("postgres", f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def sql(self, database: str, *statements: str) -> None:
        """Run statements, each on its own; triggers of append-only tables apply."""
        for statement in statements:
            self._run_sql(database, statement)

    def _run_sql(self, database: str, statement: str) -> None:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            connection.execute(sql.SQL(statement))

    def start_floor(self, database: str, **more: str) -> Running:
        """The same server program with the bare views of tests/bench/floor and no middleware."""
        port = free_port()
        words = [
            "-m",
            "gunicorn",
            "tests.bench.floor.wsgi:application",
            "--bind",
            f"127.0.0.1:{port}",
            "--worker-class",
            "gthread",
        ]
        words += ["--threads", str(CONNECTIONS), "--no-control-socket", "--graceful-timeout", "3"]
        running = self._child("floor", words, self.url(database), **more)
        running.url = f"http://localhost:{port}"
        return running.wait(lambda: answers(f"{running.url}/bare"))

    @contextmanager
    def web(self, database: str, **more: str) -> Iterator[Running]:
        """Our web server as `make demo` starts it: one process, eight threads."""
        running = self.start_web(self.url(database), threads=CONNECTIONS, **more)
        try:
            yield running
        finally:
            running.stop(seconds=3)

    @contextmanager
    def floor(self, database: str, **more: str) -> Iterator[Running]:
        running = self.start_floor(database, **more)
        try:
            yield running
        finally:
            running.stop(seconds=3)


def signed_in(web: Running, path: str) -> dict[str, str]:
    """Follow a demo sign-in link; gives the headers a browser would send from then on."""
    connection = Connection(web.url)
    try:
        status, body, headers = connection.ask(Ask("GET", path))
    finally:
        connection.close()
    cookies = [re.split(r";\s*", value)[0] for value in headers.get_all("Set-Cookie") or []]
    if status != 302 or not cookies:
        raise RuntimeError(f"the sign-in link answered {status}: {body[:200]!r}")
    return {"Cookie": "; ".join(cookies)}


def log_tail(file: Path, lines: int = 20) -> str:
    return "\n".join(file.read_text(errors="replace").splitlines()[-lines:])
