"""The servers the tests use: PostgreSQL and Redis from the wheels in a folder of this run, a worker, a web server.

Nothing starts before a test needs it. Several runs at once do not meet: each has its own folder, sockets and database name.
`DATABASE_URL` and `REDIS_URL` name other servers; what a killed run left behind is ended by the next one.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from urllib.parse import quote

from governance.config.embedded_postgres import SUPERUSER, Postgres
from governance.config.embedded_processes import Known, end, known
from governance.config.embedded_redis import Redis, binary

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "guiderail-tests-"


class Stopped(Exception):
    """A server or worker did not come up; the text holds the end of its log."""


@dataclass
class Running:
    """A process the tests started: to be looked at, killed, and ended."""

    process: subprocess.Popen[bytes]
    log: Path
    url: str = ""

    @property
    def pid(self) -> int:
        return self.process.pid

    def kill(self) -> None:
        """`kill -9` of the process and its group at once, as a crash or the kernel would."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self, first: int = signal.SIGTERM, seconds: float = 10.0) -> None:
        found = known(self.process.pid)
        if found and self.process.poll() is None:
            end([found], first=first, seconds=seconds)
        self.process.wait()

    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def wait(self, ready: Callable[[], bool], seconds: float = 150.0) -> Running:
        """Until `ready` holds; raises Stopped with the end of the log."""
        until = time.monotonic() + seconds
        while not ready():
            if self.process.poll() is not None or time.monotonic() > until:
                tail = "\n".join(self.said().splitlines()[-25:])
                self.stop()
                raise Stopped(f"{self.process.args!r} did not come up:\n{tail}")
            time.sleep(0.05)
        return self


def free_port() -> int:
    """A loopback port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def answers(url: str) -> bool:
    """Whether an HTTP server answers there, whatever the status."""
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except urllib.error.HTTPError:
        return True
    except OSError:
        return False


def _sweep() -> None:
    """End what a killed run left running, and remove its folder."""
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        try:
            noted = [Known(**entry) for entry in json.loads((folder / "processes.json").read_text())]
        except (OSError, ValueError):
            continue  # not made yet, or another user's
        if not noted[0].alive():
            end(noted[1:], seconds=3)
            Postgres(folder / "postgres", folder / "pg", folder / "postgres.log").end_leftover()
            shutil.rmtree(folder, ignore_errors=True)


@dataclass
class Stack:
    """What one test run started, and its folder."""

    folder: Path
    started: list[Running] = field(default_factory=list)
    _postgres: Running | None = None
    _redis: Running | None = None

    @classmethod
    def make(cls) -> Stack:
        _sweep()
        stack = cls(Path(tempfile.mkdtemp(prefix=PREFIX)))
        stack._note()
        return stack

    def _note(self) -> None:
        everyone = [known(os.getpid()), *(known(running.pid) for running in self.started)]
        text = json.dumps([asdict(process) for process in everyone if process])
        (self.folder / "processes.json").write_text(text)

    @property
    def _server(self) -> Postgres:
        return Postgres(self.folder / "postgres", self.folder / "pg", self.folder / "postgres.log", durable=False)

    @property
    def _broker(self) -> Redis:
        return Redis(self.folder / "redis", self.folder / "redis.log")

    @property
    def own_database(self) -> bool:
        return self.database_url == self._server.url()

    @property
    def database_url(self) -> str:
        return os.environ.get("DATABASE_URL") or self._server.url()

    def superuser_url(self, database: str) -> str | None:
        """A superuser's address of a database, or None where the server is not ours."""
        return self._server.url(SUPERUSER, database) if self.own_database else None

    def environment(self) -> dict[str, str]:
        """What has to be set before Django's settings are read."""
        broker = self._broker.url if binary() else f"filesystem://{self.folder}/broker"
        given = {
            "DATABASE_URL": self.database_url,
            "REDIS_URL": os.environ.get("REDIS_URL") or broker,
            "GUIDERAIL_HOME": str(self.folder / "home"),
            "GUIDERAIL_PUBLIC_URL": "http://localhost",
            "GUIDERAIL_SECRET_KEY": "only-for-tests-" + "x" * 50,
            "GUIDERAIL_DEBUG": "",
        }
        # WhiteNoise warns about a folder of collected files that is not there, and warnings are errors here
        (self.folder / "home" / "static").mkdir(parents=True, exist_ok=True)
        return given

    def start_postgres(self) -> Running | None:
        """PostgreSQL, started once; None where `DATABASE_URL` names another server. A killed one is started again."""
        if not self.own_database:
            return None
        if self._postgres is None or self._postgres.process.poll() is not None:
            server = self._server
            server.prepare()
            self._postgres = Running(server.start(), server.log, server.url())
            self._started(self._postgres)
            server.wait_ready(self._postgres.process)
        return self._postgres

    def start_redis(self) -> Running | None:
        """Redis, started once, and again when killed; None where `REDIS_URL` names another or the wheel has none."""
        server = self._broker
        if os.environ["REDIS_URL"] != server.url:
            return None
        if self._redis is None or self._redis.process.poll() is not None:
            self._redis = Running(server.start(), server.log, server.url)
            self._started(self._redis)
            server.wait_ready(self._redis.process)
        return self._redis

    def _started(self, running: Running) -> None:
        self.started.append(running)
        self._note()

    def _child(self, name: str, words: list[str], database_url: str, **more: str) -> Running:
        log = self.folder / f"{name}-{len(self.started)}.log"
        environment = {**os.environ, "DATABASE_URL": database_url, "PYTHONUNBUFFERED": "1", **more}
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,
            )
        running = Running(process, log)
        self._started(running)
        return running

    def start_worker(
        self, database_url: str, *, queues: str = "default,gates,gates.heavy", concurrency: int = 2, **more: str
    ) -> Running:
        """A real `celery worker` process on this database; returns when it takes tasks. `more`: environment."""
        self.start_redis()
        words = [
            "-m",
            "celery",
            "-A",
            "governance.config.celery:app",
            "worker",
            "-Q",
            queues,
            "-c",
            str(concurrency),
            "-l",
            "INFO",
        ]
        words += ["--without-gossip", "--without-mingle", "-n", f"tests-{len(self.started)}@{os.getpid()}"]
        running = self._child("worker", words, database_url, **more)
        return running.wait(lambda: " ready." in running.said())

    def start_beat(self, database_url: str, **more: str) -> Running:
        """A real `celery beat` process."""
        self.start_redis()
        schedule = self.folder / f"beat-{len(self.started)}"
        words = ["-m", "celery", "-A", "governance.config.celery:app", "beat", "-l", "INFO", "-s", str(schedule), "--pidfile="]
        running = self._child("beat", words, database_url, **more)
        return running.wait(lambda: "beat: Starting" in running.said())

    def start_web(self, database_url: str, *, threads: int = 4, **more: str) -> Running:
        """A real gunicorn on a free loopback port; `url` is where it answers."""
        port = free_port()
        url = f"http://localhost:{port}"
        words = [
            "-m",
            "gunicorn",
            "governance.config.wsgi:application",
            "--bind",
            f"127.0.0.1:{port}",
            "--worker-class",
            "gthread",
        ]
        words += ["--threads", str(threads), "--no-control-socket", "--graceful-timeout", "3"]
        running = self._child("web", words, database_url, GUIDERAIL_PUBLIC_URL=url, **more)
        running.url = url
        return running.wait(lambda: answers(f"{url}/healthz"))

    def stop(self) -> None:
        """Everything this run started ends, and its folder goes."""
        servers = [self._postgres, self._redis]
        for running in reversed([running for running in self.started if running not in servers]):
            running.stop(seconds=3)
        if self._redis:
            self._redis.stop(seconds=3)
        if self._postgres:
            self._postgres.stop(signal.SIGINT)
        shutil.rmtree(self.folder, ignore_errors=True)


def url_with_name(url: str, name: str) -> str:
    """The same database server, another database."""
    head, _, query = url.partition("?")
    return f"{head.rpartition('/')[0]}/{quote(name)}" + (f"?{query}" if query else "")


@contextmanager
def environment(values: dict[str, str]) -> Iterator[None]:
    """Set variables, and put back what was there."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value
